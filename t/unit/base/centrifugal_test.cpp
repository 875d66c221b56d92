#include "base/centrifugal.hpp"

#include <string>

#include "test.hpp"

namespace paperboy {
namespace {

std::string publication(Kind kind, Bytes data, Bytes extra = {},
                        std::uint64_t offset = 0) {
  std::string out;
  append_publication(out, kind, data, extra, offset);
  return out;
}

void json_stays_as_it_is_on_one_line(void**) {
  assert_string_equal(publication(Kind::text, "{\"a\":\n1.10}").c_str(),
                      R"({"data":{"a": 1.10}})");
}

void other_text_is_a_string_and_bytes_are_base64(void**) {
  assert_string_equal(publication(Kind::text, "{\"a\n").c_str(),
                      R"({"data":"{\"a\n"})");
  assert_string_equal(publication(Kind::binary, "foo").c_str(),
                      R"({"data":{"b64data":"Zm9v"}})");
}

void an_offset_and_more_follow(void**) {
  assert_string_equal(
      publication(Kind::text, "1", R"("tags":{"a":"b"})", 7).c_str(),
      R"({"data":1,"offset":7,"tags":{"a":"b"}})");
}

void every_error_has_a_number(void**) {
  assert_int_equal(protocol_error(ErrorCode::bad_request).code, 107);
  assert_int_equal(protocol_error(ErrorCode::channel_name).code, 107);
  assert_int_equal(protocol_error(ErrorCode::no_method).code, 104);
  assert_int_equal(protocol_error(ErrorCode::unrecoverable).code, 112);
  assert_int_equal(protocol_error(ErrorCode::log_full).code, 100);
  assert_true(protocol_error(ErrorCode::log_full).temporary);
  assert_false(protocol_error(ErrorCode::not_available).temporary);
}

}  // namespace
}  // namespace paperboy

int main() {
  using namespace paperboy;
  const CMUnitTest tests[] = {
      cmocka_unit_test(json_stays_as_it_is_on_one_line),
      cmocka_unit_test(other_text_is_a_string_and_bytes_are_base64),
      cmocka_unit_test(an_offset_and_more_follow),
      cmocka_unit_test(every_error_has_a_number),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
