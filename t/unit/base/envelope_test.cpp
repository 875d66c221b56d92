#include "base/envelope.hpp"

#include "base/centrifugal.hpp"
#include "base/publication.hpp"
#include "base/utf8.hpp"
#include "test.hpp"

namespace paperboy {
namespace {

std::string around(Bytes message, Bytes payload) {
  const std::size_t at = message.find(payload);
  return make_envelope(message, message.substr(at, payload.size()));
}

std::string unfolded(Bytes envelope, Bytes payload) {
  std::string out;
  append_message(out, envelope, payload);
  return out;
}

void the_message_comes_back_byte_for_byte(void**) {
  const Bytes message =
      " {\"userId\":null, \"payload\" : {\"a\":1.10} ,\"channel\":\"n\"}\n";
  const std::string envelope = around(message, "{\"a\":1.10}");
  assert_true(is_envelope(envelope));
  assert_string_equal(unfolded(envelope, "{\"a\":1.10}").c_str(),
                      std::string(message).c_str());
}

/// The payload may look like what is around it, and be anywhere.
void the_payload_is_where_it_was(void**) {
  const Bytes message = R"({"a":1,"payload":1,"b":1})";
  const Bytes payload = message.substr(17, 1);
  assert_string_equal(
      unfolded(make_envelope(message, payload), payload).c_str(),
      std::string(message).c_str());
  const Bytes all = "17";
  assert_string_equal(unfolded(make_envelope(all, all), all).c_str(), "17");
}

void a_message_without_a_payload_is_its_envelope(void**) {
  const std::string envelope = make_envelope(R"({"channel":"n"})", {});
  assert_string_equal(unfolded(envelope, "null").c_str(), R"({"channel":"n"})");
}

void one_that_is_too_long_is_none(void**) {
  const std::string message(Draft::kMaxExtra, 'x');
  assert_true(make_envelope(message, Bytes(message).substr(0, 1)).empty());
  assert_false(make_envelope(message, Bytes(message).substr(9)).empty());
}

void other_dialects_print_none_of_it(void**) {
  const std::string envelope = around(R"({"payload":1})", "1");
  assert_true(is_utf8(envelope));
  std::string out;
  append_publication(out, Kind::text, "1", envelope, 7);
  assert_string_equal(out.c_str(), R"({"data":1,"offset":7})");
  assert_false(is_envelope({}));
  assert_false(is_envelope(R"("tags":{})"));
}

void a_spoilt_one_is_read_safely(void**) {
  for (const Bytes spoilt : {"\1", "\1x", "\1:", "\0019", "\1999:ab",
                             "\00199999999999999999999:ab", "\1-1:ab"}) {
    (void)unfolded(spoilt, "payload");
  }
  assert_string_equal(unfolded("\1999:ab", "1").c_str(), "1ab");
}

}  // namespace
}  // namespace paperboy

int main() {
  using namespace paperboy;
  const CMUnitTest tests[] = {
      cmocka_unit_test(the_message_comes_back_byte_for_byte),
      cmocka_unit_test(the_payload_is_where_it_was),
      cmocka_unit_test(a_message_without_a_payload_is_its_envelope),
      cmocka_unit_test(one_that_is_too_long_is_none),
      cmocka_unit_test(other_dialects_print_none_of_it),
      cmocka_unit_test(a_spoilt_one_is_read_safely),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
