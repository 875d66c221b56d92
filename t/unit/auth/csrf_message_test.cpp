// A token in a message, and the message without it.
#include "auth/csrf_message.hpp"

#include "test.hpp"

namespace {

using paperboy::Bytes;
using namespace paperboy::auth;

void assert_taken(Bytes message, const char* token, const char* rest) {
  std::string left;
  const auto taken = take_csrf(message, left);
  assert_true(taken.has_value());
  assert_string_equal(std::string(*taken).c_str(), token);
  assert_string_equal(left.c_str(), rest);
}

void the_rest_stays_as_it_was(void**) {
  assert_taken(R"({"csrf":"t"})", "t", "{}");
  assert_taken(R"({"csrf":"t","a":1.0})", "t", R"({"a":1.0})");
  assert_taken(R"({"a":1.0,"csrf":"t"})", "t", R"({"a":1.0})");
  assert_taken(R"({"a":"csrf","csrf":"t","b":[]})", "t",
               R"({"a":"csrf","b":[]})");
  assert_taken("\n{ \"csrf\" : \"t\" , \"a\" : 1e5 }\n", "t",
               "\n{  \"a\" : 1e5 }\n");
  assert_taken("{ \"a\" : 1 , \"csrf\" : \"t\" }", "t", "{ \"a\" : 1  }");
  assert_taken(R"({"csrf":"\"csrf\"","a":{"csrf":"x"}})", R"(\"csrf\")",
               R"({"a":{"csrf":"x"}})");
}

void what_has_none_or_two_is_refused(void**) {
  for (const Bytes message :
       {"", "{}", "1", "[]", "\"csrf\"", R"({"csrf":1})", R"({"csrf":null})",
        R"({"a":{"csrf":"t"}})", R"([{"csrf":"t"}])",
        R"({"csrf":"t","csrf":"t"})", R"({"csrf":"t")", R"({"csrf":"t"}x)",
        R"({"cs\u0072f":"t"})", R"({"Csrf":"t"})"}) {
    std::string rest;
    assert_false(take_csrf(message, rest).has_value());
  }
}

}  // namespace

int main() {
  const CMUnitTest tests[] = {
      cmocka_unit_test(the_rest_stays_as_it_was),
      cmocka_unit_test(what_has_none_or_two_is_refused),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
