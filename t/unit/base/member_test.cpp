#include "base/member.hpp"

#include "test.hpp"

using paperboy::append_member;
using paperboy::Member;

namespace {

void a_member_is_a_client_info(void**) {
  std::string out;
  append_member(out, {.client = "c1", .user = "a\"b"});
  assert_string_equal(out.c_str(), R"({"user":"a\"b","client":"c1"})");
}

void what_its_tokens_say_stands_as_it_is(void**) {
  std::string out;
  append_member(out, {.client = "c1",
                      .user = "",
                      .conn_info = R"({"n":12345678901234567890})",
                      .chan_info = "0.10"});
  assert_string_equal(
      out.c_str(),
      R"({"user":"","client":"c1","conn_info":{"n":12345678901234567890},)"
      R"("chan_info":0.10})");
}

}  // namespace

int main() {
  const CMUnitTest tests[] = {
      cmocka_unit_test(a_member_is_a_client_info),
      cmocka_unit_test(what_its_tokens_say_stands_as_it_is),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
