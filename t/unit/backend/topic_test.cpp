#include "backend/topic.hpp"

#include <string>

#include "test.hpp"

namespace paperboy::backend {
namespace {

Body good(Topic topic, Bytes text) {
  auto body = read_body(topic, text);
  assert_true(body.ok());
  return *body;
}

void refused(Topic topic, Bytes text, const char* why) {
  const auto body = read_body(topic, text);
  assert_false(body.ok());
  assert_true(body.error().code == ErrorCode::bad_request);
  assert_string_equal(std::string(body.error().message).c_str(), why);
}

void topics_have_their_names(void**) {
  assert_true(topic_of("paperboy-subscription-authorized") ==
              Topic::authorized);
  assert_true(topic_of("paperboy-subscription-close") == Topic::close);
  assert_true(topic_of("paperboy-message") == Topic::message);
  assert_false(topic_of("paperboy-subscription-request").has_value());
}

void who_is_authorized_is_named(void**) {
  const Body body =
      good(Topic::authorized,
           R"({"wsId":"w-1","token":null,"userId":"ann","channel":"news"})");
  assert_string_equal(body.client.c_str(), "w-1");
  assert_string_equal(body.user.c_str(), "ann");
  assert_string_equal(body.channel.c_str(), "news");
}

void a_channel_may_be_null_or_absent(void**) {
  for (const Bytes text : {R"({"wsId":"w","userId":"ann","channel":null})",
                           R"({"wsId":"w","userId":"ann"})"}) {
    assert_string_equal(good(Topic::authorized, text).channel.c_str(), "");
  }
}

void a_user_may_be_an_integer(void**) {
  assert_string_equal(
      good(Topic::close, R"({"userId":17,"channel":"a"})").user.c_str(), "17");
}

void names_may_be_escaped(void**) {
  const Body body =
      good(Topic::close, R"({"\u0075serId":"\u00e4","channel":"a\/b","x":1})");
  assert_string_equal(body.user.c_str(), "\xC3\xA4");
  assert_string_equal(body.channel.c_str(), "a/b");
}

void a_payload_is_the_bytes_that_it_was(void**) {
  const Bytes text =
      " {\"userId\":null,\"channel\":\"a\",\n"
      "\"payload\": {\"n\" : 1.10, \"big\":123456789012345678901} ,"
      "\"timestamp\":7}";
  const Body body = good(Topic::message, text);
  assert_true(body.payload == R"({"n" : 1.10, "big":123456789012345678901})");
  assert_true(body.payload.data() > text.data());
  assert_true(body.user.empty());
  assert_true(good(Topic::message, R"({"userId":"u"})").payload.empty());
  assert_true(
      good(Topic::message, R"({"userId":"u","payload":null})").payload ==
      "null");
}

void what_is_malformed_is_named(void**) {
  refused(Topic::message, "", "it is no JSON");
  refused(Topic::message, "{", "it is no JSON");
  refused(Topic::message, "{} {}", "it is no JSON");
  refused(Topic::message, "[]", "it is no JSON object");
  refused(Topic::message, "\"a\"", "it is no JSON object");
  refused(Topic::message, "{\"channel\":\"\xff\"}", "it is not UTF-8");
  const char* const types =
      "wsId, userId, channel or payload stands there twice, or isn't of its "
      "type";
  refused(Topic::message, R"({"channel":1})", types);
  refused(Topic::message, R"({"channel":"a","channel":"b"})", types);
  refused(Topic::message, R"({"channel":"a","payload":1,"payload":2})", types);
  refused(Topic::message, R"({"userId":1.5})", types);
  refused(Topic::message, R"({"userId":{"a":1}})", types);
  refused(Topic::authorized, R"({"wsId":["w"],"userId":"u"})", types);
  refused(Topic::message, R"({"channel":"a\u0000b"})", types);
  refused(Topic::message, "{}", "it has neither a userId nor a channel");
  refused(Topic::message, R"({"userId":"","channel":null})",
          "it has neither a userId nor a channel");
  refused(Topic::authorized, R"({"userId":"u","channel":"a"})",
          "it has no wsId");
  refused(Topic::authorized, R"({"wsId":"w","channel":"a"})",
          "it has no userId");
  refused(Topic::close, R"({"channel":"a"})", "it has no userId");
  refused(Topic::close, R"({"userId":"u"})", "it has no channel");
  refused(Topic::close,
          R"({"channel":"a","userId":")" + std::string(513, 'u') + "\"}",
          "its userId is longer than 512 bytes");
  refused(Topic::message, std::string(600, '[') + std::string(600, ']'),
          "it is no JSON");
}

void a_request_is_json(void**) {
  assert_string_equal(request_body("w-1", "a.b\"c").c_str(),
                      R"({"wsId":"w-1","token":"a.b\"c"})");
}

}  // namespace
}  // namespace paperboy::backend

int main() {
  using namespace paperboy::backend;
  const CMUnitTest tests[] = {
      cmocka_unit_test(topics_have_their_names),
      cmocka_unit_test(who_is_authorized_is_named),
      cmocka_unit_test(a_channel_may_be_null_or_absent),
      cmocka_unit_test(a_user_may_be_an_integer),
      cmocka_unit_test(names_may_be_escaped),
      cmocka_unit_test(a_payload_is_the_bytes_that_it_was),
      cmocka_unit_test(what_is_malformed_is_named),
      cmocka_unit_test(a_request_is_json),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
