// What a back end says of a client that it lets in.
#include "auth/decision.hpp"

#include <string>

#include "test.hpp"

namespace {

using paperboy::Bytes;
using namespace paperboy::auth;

Decision good(Bytes body) {
  const auto decision = read_decision(body);
  assert_true(decision.ok());
  return *decision;
}

void assert_refused(Bytes body, const char* why) {
  const auto decision = read_decision(body);
  assert_false(decision.ok());
  assert_string_equal(std::string(decision.error()).c_str(), why);
}

void nothing_says_nothing(void**) {
  for (const Bytes body : {"", " \r\n", "{}", R"({"other":1})"}) {
    const Decision decision = good(body);
    assert_true(decision.user.empty());
    assert_true(decision.info.empty());
    assert_false(decision.expires.has_value());
    assert_false(decision.grants.has_value());
    assert_true(decision.subscriptions.empty());
    assert_true(decision.limits.empty());
  }
}

void a_user_is_a_string_or_a_number(void**) {
  assert_string_equal(good(R"({"user":"ann"})").user.c_str(), "ann");
  assert_string_equal(good(R"({"user":7})").user.c_str(), "7");
  for (const Bytes user : {"null", "1.5", "[]", "{}", "true"}) {
    assert_refused("{\"user\":" + std::string(user) + "}",
                   "user is neither a string nor an integer");
  }
}

void an_end_is_rounded_up(void**) {
  assert_int_equal(good(R"({"expire_at":12})").expires.value(), 12);
  assert_int_equal(good(R"({"expire_at":12.1})").expires.value(), 13);
  assert_false(good(R"({"expire_at":0})").expires.has_value());
  assert_true(good(R"({"expire_at":1e300})").expires.value() > 1LL << 60);
  assert_refused(R"({"expire_at":"12"})",
                 "expire_at is no number of seconds since 1970");
}

void channels_are_subscribed_and_nothing_else_is_allowed(void**) {
  const Decision decision = good(R"({"channels":["a","b*"]})");
  assert_int_equal(decision.subscriptions.size(), 2);
  assert_string_equal(decision.subscriptions[1].channel.c_str(), "b*");
  assert_true(decision.grants->allows(Scope::subscribe, "a"));
  assert_true(decision.grants->allows(Scope::subscribe, "b*"));
  assert_false(decision.grants->allows(Scope::subscribe, "bc"));
  assert_false(decision.grants->allows(Scope::publish, "a"));
  for (const Bytes none : {R"({"channels":[]})", R"({"caps":[]})"}) {
    const Decision nobody = good(none);
    assert_true(nobody.grants->names_channels());
    assert_false(nobody.grants->allows(Scope::subscribe, "a"));
  }
  for (const Bytes bad : {R"([""])", "[1]", "[null]"}) {
    assert_refused("{\"channels\":" + std::string(bad) + "}",
                   "channels has what is no name of a channel, or too many");
  }
  assert_refused(R"({"channels":"a"})", "channels is no array");
}

void too_many_channels_are_an_error(void**) {
  std::string body = R"({"channels":["a")";
  for (std::size_t i = 0; i < Grants::kMaxChannels; ++i) body += R"(,"a")";
  assert_refused(body + "]}",
                 "channels has what is no name of a channel, or too many");
}

void caps_are_those_of_tokens(void**) {
  const Decision decision = good(
      R"({"caps":[{"channels":["a*"],"match":"wildcard","allow":["pub"]}]})");
  assert_true(decision.grants->allows(Scope::publish, "ab"));
  assert_false(decision.grants->allows(Scope::subscribe, "ab"));
  for (const Bytes caps :
       {"{}", "null", "[1]", R"([{"channels":["a"],"match":"regex"}])"}) {
    assert_refused("{\"caps\":" + std::string(caps) + "}",
                   "caps is not as in a token");
  }
}

void limits_are_those_of_tokens(void**) {
  const Decision decision = good(R"({"limits":{"messages":"9/m"}})");
  assert_int_equal(decision.limits.messages.seconds, 60);
  for (const Bytes limits : {"null", "[]", R"({"message":1})"}) {
    assert_refused("{\"limits\":" + std::string(limits) + "}",
                   "limits is not as in a token");
  }
}

void info_is_any_json(void**) {
  assert_string_equal(good(R"({"info": {"a" : 1}})").info.c_str(),
                      R"({"a":1})");
  assert_true(good(R"({"info":null})").info.empty());
}

void what_is_no_object_is_refused(void**) {
  for (const Bytes body : {"ok", "[1]", "\"a\"", "{", "{}{}",
                           R"({"user":"a","user":"b"})", "\xff"}) {
    assert_refused(body, "it is no JSON object");
  }
  std::string deep = R"({"info":)";
  deep += std::string(100, '[') + std::string(100, ']') + "}";
  assert_refused(deep, "it is no JSON object");
}

}  // namespace

int main() {
  const CMUnitTest tests[] = {
      cmocka_unit_test(nothing_says_nothing),
      cmocka_unit_test(a_user_is_a_string_or_a_number),
      cmocka_unit_test(an_end_is_rounded_up),
      cmocka_unit_test(channels_are_subscribed_and_nothing_else_is_allowed),
      cmocka_unit_test(too_many_channels_are_an_error),
      cmocka_unit_test(caps_are_those_of_tokens),
      cmocka_unit_test(limits_are_those_of_tokens),
      cmocka_unit_test(info_is_any_json),
      cmocka_unit_test(what_is_no_object_is_refused),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
