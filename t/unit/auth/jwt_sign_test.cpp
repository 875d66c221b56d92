#include "auth/jwt_sign.hpp"

#include <string>

#include "auth/base64url.hpp"
#include "auth/tokens.hpp"
#include "base/json.hpp"
#include "test.hpp"

namespace {

using paperboy::Bytes;
using paperboy::Json;
using namespace paperboy::auth;
using namespace paperboy::auth::test;

using namespace std::string_view_literals;

Json header_of(Bytes token) {
  auto text = base64url_decode(token.substr(0, token.find('.')));
  assert_true(text.has_value());
  auto json = Json::parse(*text);
  assert_true(json.ok());
  return std::move(json).value();
}

void the_header_says_algorithm_and_kid(void**) {
  const Json header = header_of(made(Algorithm::es384, "{}", "k\"1"));
  assert_true(header.get("alg").as_string() == "ES384");
  assert_true(header.get("kid").as_string() == "k\"1");
  assert_false(bool(header_of(made(Algorithm::hs256, "{}")).get("kid")));
}

void claims_arrive_as_they_were_given(void**) {
  const std::string token =
      made(Algorithm::hs256, R"({"sub":"\u00e9","exp":1800000000.5})");
  auto read = verify(token, hs256_key(), {}, kNow);
  assert_true(read.ok());
  assert_string_equal(read->user.c_str(), "\u00e9");
  assert_true(read->expires == 1800000001);
}

void refuses_claims_that_are_no_object(void**) {
  for (const Bytes claims :
       {""sv, "[]"sv, "1"sv, "{"sv, "{}\0"sv, R"({"a":1,"a":2})"sv}) {
    assert_false(sign(Algorithm::hs256, kSecret, claims).ok());
  }
}

void refuses_a_key_that_does_not_fit(void**) {
  assert_false(sign(Algorithm::hs256, "", "{}").ok());
  assert_false(sign(Algorithm::rs256, "secret", "{}").ok());
  assert_false(sign(Algorithm::rs256, p256().private_pem, "{}").ok());
  assert_false(sign(Algorithm::es256, rsa().private_pem, "{}").ok());
  assert_false(sign(Algorithm::es256, p256().public_pem, "{}").ok());
  assert_false(sign(Algorithm::ps256, p256().private_pem, "{}").ok());
  assert_false(sign(Algorithm::ps256, rsa().public_pem, "{}").ok());
  assert_false(sign(Algorithm::eddsa, rsa().private_pem, "{}").ok());
  assert_false(sign(Algorithm::eddsa, "secret", "{}").ok());
}

}  // namespace

int main() {
  const CMUnitTest tests[] = {
      cmocka_unit_test(the_header_says_algorithm_and_kid),
      cmocka_unit_test(claims_arrive_as_they_were_given),
      cmocka_unit_test(refuses_claims_that_are_no_object),
      cmocka_unit_test(refuses_a_key_that_does_not_fit),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
