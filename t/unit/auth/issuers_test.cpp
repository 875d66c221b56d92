// Whose keys and rules a token is held to.
#include "auth/issuers.hpp"

#include "auth/tokens.hpp"
#include "test.hpp"

namespace {

using paperboy::Bytes;
using namespace paperboy::auth;
using namespace paperboy::auth::test;

constexpr Bytes kOther = "another secret of thirty-two byte";

struct Two {
  Two() {
    ours.issuer = "https://ours.example";
    theirs.issuer = "https://theirs.example";
    theirs.audiences = {"chat"};
    theirs.user_claims = {"login"};
    issuers.add(our_keys, ours);
    issuers.add(their_keys, theirs);
  }
  KeySet our_keys = hs256_key();
  KeySet their_keys = one_key(Algorithm::hs256, kOther);
  TokenRules ours;
  TokenRules theirs;
  Issuers issuers;
};

std::string outcome_of(Bytes token, const Issuers& issuers) {
  const auto result = verify(token, issuers, kNow);
  return result.ok() ? "ok " + result->user
                     : std::string(token_error_text(result.error()));
}

void assert_outcome(const char* wanted, Bytes claims, Bytes secret) {
  const Two two;
  const std::string token = signed_hs256(
      base64url(R"({"alg":"HS256"})") + "." + base64url(claims), secret);
  assert_string_equal(outcome_of(token, two.issuers).c_str(), wanted);
}

void a_token_is_held_to_its_issuer(void**) {
  assert_outcome("ok ann", R"({"iss":"https://ours.example","sub":"ann"})",
                 kSecret);
  assert_outcome("ok bob",
                 R"({"iss":"https://theirs.example","sub":"x","login":"bob",)"
                 R"("aud":"chat"})",
                 kOther);
  assert_outcome("the token is for another audience",
                 R"({"iss":"https://theirs.example"})", kOther);
}

void nobody_signs_for_another(void**) {
  assert_outcome("the token's signature is wrong",
                 R"({"iss":"https://ours.example"})", kOther);
  assert_outcome("the token's signature is wrong",
                 R"({"iss":"https://theirs.example","aud":"chat"})", kSecret);
}

void an_unknown_issuer_is_refused(void**) {
  for (const Bytes claims :
       {R"({})", R"({"iss":""})", R"({"iss":"https://ours.example/"})",
        R"({"iss":"HTTPS://ours.example"})", R"({"iss":null})",
        R"({"iss":["https://ours.example"]})"}) {
    assert_outcome("the token's issuer is not the one asked for", claims,
                   kSecret);
  }
}

void one_set_of_keys_is_for_any_issuer(void**) {
  const KeySet keys = hs256_key();
  const TokenRules rules;
  const Issuers any(keys, rules);
  assert_string_equal(
      outcome_of(hs256_token(R"({"iss":"x","sub":"ann"})"), any).c_str(),
      "ok ann");
  assert_string_equal(outcome_of(hs256_token(R"({"sub":"ann"})"), any).c_str(),
                      "ok ann");
}

void nobody_is_believed_by_default(void**) {
  assert_true(Issuers().empty());
  assert_string_equal(outcome_of(hs256_token("{}"), Issuers()).c_str(),
                      "the token's issuer is not the one asked for");
}

}  // namespace

int main() {
  const CMUnitTest tests[] = {
      cmocka_unit_test(a_token_is_held_to_its_issuer),
      cmocka_unit_test(nobody_signs_for_another),
      cmocka_unit_test(an_unknown_issuer_is_refused),
      cmocka_unit_test(one_set_of_keys_is_for_any_issuer),
      cmocka_unit_test(nobody_is_believed_by_default),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
