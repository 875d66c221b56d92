// `token make` and `token show`, from their words to what they print.
#include <cstdlib>
#include <string>

#include "base/json.hpp"
#include "cli/token_make.hpp"
#include "cli/token_show.hpp"

#include "test.hpp"  // last: a macro of its own is called fail

namespace paperboy::cli {
namespace {

constexpr std::int64_t kNow = 1'700'000'000;
constexpr const char* kSecret = "a secret of more than 32 bytes, to be strong";

using Given = std::vector<Bytes>;

Outcome<TokenMake> read_make(Given more) {
  Given words{"--alg", "HS256", "--key-env", "PAPERBOY_CLI_TEST"};
  words.insert(words.end(), more.begin(), more.end());
  return read_token_make(words, kNow);
}

std::string claims_of(const Given& more) {
  const auto make = read_make(more);
  return make ? make->claims : make.error().text;
}

void assert_json(const std::string& text, Bytes expected) {
  const auto json = Json::parse(text);
  const auto wanted = Json::parse(expected);
  if (!json) fail_msg("%s", text.c_str());
  assert_int_equal(json->size(), wanted->size());
  for (const auto& [name, value] : wanted->members()) {
    assert_string_equal(json->get(name).dump().c_str(), value.dump().c_str());
  }
}

void options_become_claims(void**) {
  assert_json(claims_of({}), "{}");
  assert_json(claims_of({"--sub", "42", "--channel", "a", "--channel=b*",
                         "--scope", "subscribe,publish", "--exp", "10m"}),
              R"({"sub":"42","channels":["a","b*"],)"
              R"("scope":"subscribe publish","exp":1700000600})");
  assert_json(claims_of({"--exp-at", "5", "--claim", "iss=\"me\"", "--claim",
                         "x={\"a\":[1,null]}"}),
              R"({"exp":5,"iss":"me","x":{"a":[1,null]}})");
}

void what_makes_no_token_is_said(void**) {
  const auto refused = [](const Given& more, Bytes why) {
    const auto make = read_make(more);
    if (make || make.error().text.find(why) == std::string::npos) {
      fail_msg("%s", why.data());
    }
    assert_true(make.error().exit == Exit::usage);
  };
  refused({"--scope", "write"}, "--scope: words are");
  refused({"--exp", "soon"}, "--exp: a time");
  refused({"--exp-at", "10m"}, "--exp-at: seconds");
  refused({"--exp", "1m", "--exp-at", "5"}, "one of them");
  refused({"--claim", "iss"}, "NAME=JSON");
  refused({"--claim", "iss=me"}, "--claim iss: the value is no JSON");
  refused({"--sub", "a", "--claim", "sub=1"}, "given twice");
  refused({"--channel", ""}, "--channel: is empty");
  refused({"--key-file", "x"}, "one of them");
  refused({"word"}, "too many words");
  assert_false(read_token_make(Given{"--alg", "none"}, kNow).ok());
  assert_false(read_token_make(Given{"--alg", "HS256"}, kNow).ok());
  assert_false(
      read_token_make(Given{"--alg", "HS256", "--key-file", "/none"}, kNow)
          .ok());
}

std::string made(const Given& more) {
  const auto make = read_make(more);
  const auto token = make_token(*make);
  assert_true(token.ok());
  return *token;
}

void a_token_is_described(void**) {
  const auto text = describe_token(
      made({"--kid", "k", "--sub", "a\x1b", "--exp", "10m"}), kNow);
  assert_true(text.ok());
  for (const Bytes part :
       {"kid  \"k\"", "alg  \"HS256\"", "\"a\\u001B\"",
        "1700000600  (2023-11-14 22:23:20 UTC, expires in 10 minutes)"}) {
    if (text->find(part) == std::string::npos) fail_msg("%s", text->c_str());
  }
  assert_true(text->find("good") == std::string::npos);
  const auto later = describe_token(made({"--exp", "1m"}), kNow + 3660);
  assert_true(later->find("expired 1 hour ago") != std::string::npos);
  const auto forever = describe_token(made({}), kNow);
  assert_true(forever->find("never expires") != std::string::npos);
}

void what_is_no_token_is_said(void**) {
  for (const std::string& text :
       {std::string(), std::string("x"), std::string("a.b"),
        std::string("a.b.c.d"), std::string("e30.!.c"),
        std::string("e30.W10.c"), std::string(9000, 'x')}) {
    const auto described = describe_token(text, kNow);
    assert_false(described.ok());
    assert_true(described.error().exit == Exit::refused);
    assert_true(described.error().text.starts_with("this is no token"));
  }
}

Outcome<std::string> verify(const std::string& token, Bytes key,
                            std::int64_t now) {
  return verify_token({token, auth::Algorithm::hs256, std::string(key)}, now);
}

void a_token_is_verified(void**) {
  const std::string token = made({"--kid", "k", "--exp", "1m"});
  assert_true(verify(token, kSecret, kNow).ok());
  const auto other = verify(token, "another secret", kNow);
  assert_true(other.error().exit == Exit::refused);
  assert_string_equal(other.error().text.c_str(),
                      "not good: the token's signature is wrong");
  assert_string_equal(verify(token, kSecret, kNow + 60).error().text.c_str(),
                      "not good: the token has expired");
  assert_true(verify(token, "", kNow).error().exit == Exit::usage);
}

void to_verify_takes_algorithm_and_key(void**) {
  const std::string token = made({});
  assert_true(read_token_show(Given{token}).ok());
  assert_false(read_token_show(Given{token, "--alg", "HS256"}).ok());
  assert_false(
      read_token_show(Given{token, "--key-env", "PAPERBOY_CLI_TEST"}).ok());
  const auto show = read_token_show(
      Given{token, "--alg", "HS256", "--key-env", "PAPERBOY_CLI_TEST"});
  assert_true(show.ok());
  assert_true(verify_token(*show, kNow).ok());
  const std::string copied = "Bearer " + token;
  assert_true(read_token_show(Given{copied})->token == token);
}

}  // namespace
}  // namespace paperboy::cli

int main() {
  using namespace paperboy::cli;
  setenv("PAPERBOY_CLI_TEST", kSecret, 1);
  const CMUnitTest tests[] = {
      cmocka_unit_test(options_become_claims),
      cmocka_unit_test(what_makes_no_token_is_said),
      cmocka_unit_test(a_token_is_described),
      cmocka_unit_test(what_is_no_token_is_said),
      cmocka_unit_test(a_token_is_verified),
      cmocka_unit_test(to_verify_takes_algorithm_and_key),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
