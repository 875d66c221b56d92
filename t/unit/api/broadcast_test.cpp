#include "api/broadcast.hpp"

#include <string>

#include "test.hpp"

namespace paperboy::api {
namespace {

void assert_malformed(Bytes text, const char* why) {
  const auto read = read_broadcast(text);
  if (read.ok()) fail_msg("accepted: %s", std::string(text).c_str());
  assert_true(read.error().code == ErrorCode::bad_request);
  assert_string_equal(read.error().message.data(), why);
}

void it_has_three_strings(void**) {
  const auto read = read_broadcast(
      R"( {"token":"a.b.c","topic":"caf\u00e9:7","more":[1,{"topic":2}],)"
      R"("message":"\"\n\ud83d\ude00 {}"} )");
  assert_true(read.ok());
  assert_string_equal(read->topic.c_str(), "caf\xC3\xA9:7");
  assert_string_equal(read->message.c_str(), "\"\n\xF0\x9F\x98\x80 {}");
  assert_string_equal(read->token.c_str(), "a.b.c");
}

void a_message_may_be_empty(void**) {
  const auto read = read_broadcast(R"({"topic":"","message":"","token":""})");
  assert_true(read.ok() && read->message.empty());
}

void what_is_no_object_is_malformed(void**) {
  for (const char* const text :
       {"", " ", "null", "[]", "\"x\"", "{", "{}x", "topic=a"}) {
    assert_malformed(text, "the body is no JSON object");
  }
  assert_malformed("{\"topic\":\"\xff\"}", "the body is not UTF-8");
}

void each_is_a_string_and_there_once(void**) {
  assert_malformed(R"({"message":"m","token":"t"})",
                   "topic is not one string without NUL");
  assert_malformed(R"({"topic":1,"message":"m","token":"t"})",
                   "topic is not one string without NUL");
  assert_malformed(R"({"topic":"a","topic":"b","message":"m","token":"t"})",
                   "topic is not one string without NUL");
  assert_malformed(R"({"topic":"a","message":"\u0000","token":"t"})",
                   "message is not one string without NUL");
  assert_malformed(R"({"topic":"a","token":"t"})",
                   "message is not one string without NUL");
  assert_malformed(R"({"topic":"a","message":{"a":1},"token":"t"})",
                   "message is not one string without NUL");
  assert_malformed(R"({"topic":"a","message":"\ud800","token":"t"})",
                   "message is not one string without NUL");
  assert_malformed(R"({"topic":"a","message":"m","token":null})",
                   "token is not one string without NUL");
  assert_malformed(R"({"topic":"a","message":"m"})",
                   "token is not one string without NUL");
}

}  // namespace
}  // namespace paperboy::api

int main() {
  using namespace paperboy::api;
  const CMUnitTest tests[] = {
      cmocka_unit_test(it_has_three_strings),
      cmocka_unit_test(a_message_may_be_empty),
      cmocka_unit_test(what_is_no_object_is_malformed),
      cmocka_unit_test(each_is_a_string_and_there_once),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
