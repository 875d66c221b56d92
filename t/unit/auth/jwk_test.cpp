// One JSON Web Key: what is taken, and what is passed over with which words.
#include "auth/jwk.hpp"

#include <openssl/err.h>

#include <string>
#include <vector>

#include "auth/jwks_texts.hpp"
#include "auth/signature.hpp"
#include "test.hpp"

namespace {

using paperboy::Bytes;
using paperboy::Json;
using paperboy::Result;
using namespace paperboy::auth;
using namespace paperboy::auth::test;

Result<Key, std::string> read(const std::string& text, bool secrets = false) {
  const auto json = Json::parse(text);
  if (!json) fail_msg("%s", text.c_str());
  return read_jwk(*json, secrets);
}

void assert_skipped(const std::string& text, Bytes why) {
  const auto key = read(text);
  if (key.ok()) fail_msg("taken: %s", text.c_str());
  if (key.error().find(why) == std::string::npos) {
    fail_msg("%s: %s", why.data(), key.error().c_str());
  }
  assert_int_equal(ERR_peek_error(), 0);
}

void every_public_algorithm_can_be_had(void**) {
  for (const Algorithm algorithm : kAlgorithms) {
    if (is_hmac(algorithm)) continue;
    const auto key = read(jwk_of(algorithm, R"("kid":"k1")"));
    if (!key) fail_msg("%s", key.error().c_str());
    assert_true(key->algorithm() == algorithm);
    assert_string_equal(key->kid().c_str(), "k1");
    KeySet keys;
    assert_true(keys.add(read(jwk_of(algorithm)).value()).ok());
    assert_good(made(algorithm, "{}"), keys);
  }
}

// The same key has the same mark in the cache, wherever it was read.
void a_key_is_the_same_as_from_pem(void**) {
  for (const Algorithm algorithm : {Algorithm::rs256, Algorithm::ps384,
                                    Algorithm::es384, Algorithm::eddsa}) {
    const auto pem = Key::load(algorithm, pair_for(algorithm).public_pem);
    assert_true(read(jwk_of(algorithm))->digest() == pem->digest());
  }
}

void the_algorithm_follows_from_the_key(void**) {
  const auto without = [](Algorithm algorithm) {
    return read(jwk_of(algorithm, "", /*alg=*/false))->algorithm();
  };
  assert_true(without(Algorithm::rs512) == Algorithm::rs256);
  assert_true(without(Algorithm::es256) == Algorithm::es256);
  assert_true(without(Algorithm::es512) == Algorithm::es512);
  assert_true(without(Algorithm::eddsa) == Algorithm::eddsa);
}

// RFC 8037 appendix A.2.
void reads_the_example_of_rfc_8037(void**) {
  const auto key =
      read(R"({"kty":"OKP","crv":"Ed25519",)"
           R"("x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"})");
  assert_true(key.ok());
  const SignedToken token{
      {},
      "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc",
      *base64url_decode("hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4k"
                        "i4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg")};
  assert_true(signature_matches(token, *key));
}

void ed448_is_eddsa_too(void**) {
  const KeyPair pair = make_edwards("ED448");
  KeySet keys;
  assert_true(keys.add(read(jwk_of_pem(pair.public_pem)).value()).ok());
  assert_good(*sign(Algorithm::eddsa, pair.private_pem, "{}"), keys);
}

void what_is_not_to_verify_is_passed_over(void**) {
  const auto with = [](const char* more) {
    return jwk_of(Algorithm::es256, more);
  };
  assert_skipped(with(R"("use":"enc")"), "its use is \"enc\"");
  assert_skipped(with(R"("use":["sig"])"), "its use is");
  assert_skipped(with(R"("key_ops":["sign"])"), "no verify");
  assert_skipped(with(R"("key_ops":[])"), "no verify");
  assert_skipped(with(R"("key_ops":"verify")"), "no verify");
  for (const char* more :
       {R"("use":"sig")", R"("key_ops":["verify"])",
        R"("key_ops":["sign","verify"],"use":"sig","x5c":["AAAA"])"}) {
    assert_true(read(with(more)).ok());
  }
}

void a_private_key_is_passed_over(void**) {
  for (const char* more : {R"("d":"AAAA")", R"("p":1)", R"("oth":[])"}) {
    for (const Algorithm algorithm :
         {Algorithm::rs256, Algorithm::es256, Algorithm::eddsa}) {
      assert_skipped(jwk_of(algorithm, more), "it is a private key");
    }
  }
}

void a_secret_has_to_be_asked_for(void**) {
  const std::string secret = jwk_of(Algorithm::hs256);
  assert_skipped(secret, "it is a secret");
  assert_true(read(secret, /*secrets=*/true)->secret() == kSecret);
  assert_false(read(jwk_of(Algorithm::hs256, "", /*alg=*/false), true).ok());
  for (const char* text : {R"({"kty":"oct","alg":"HS256","k":"c2hvcnQ"})",
                           R"({"kty":"oct","alg":"HS256"})",
                           R"({"kty":"oct","alg":"HS256","k":1})",
                           R"({"kty":"oct","alg":"RS256","k":"c2hvcnQ"})",
                           R"({"kty":"oct","alg":"HS256","k":"c2h=="})"}) {
    assert_false(read(text, true).ok());
  }
}

void another_kind_is_passed_over(void**) {
  assert_skipped(R"({})", "it has no kty");
  assert_skipped(R"({"kty":1})", "it has no kty");
  assert_skipped(R"({"kty":"rsa","n":"AQAB","e":"AQAB"})", "its kty \"rsa\"");
  assert_skipped(R"({"kty":"EC","crv":"secp256k1"})", "its crv \"secp256k1\"");
  assert_skipped(R"({"kty":"EC"})", "its crv");
  assert_skipped(R"({"kty":"OKP","crv":"X25519","x":"AA"})", "its crv");
  assert_skipped(R"({"kty":"EC","crv":"Ed25519","x":"AA"})", "its crv");
  assert_skipped(R"({"kty":"OKP","crv":"P-256","x":"AA"})", "its crv");
  assert_skipped(R"({"kty":"\n\u0007\"evil"})", "its kty \"???evil\"");
}

void an_algorithm_has_to_fit_the_key(void**) {
  const auto renamed = [](Algorithm key, const char* alg) {
    return jwk_of(key, R"("alg":")" + std::string(alg) + '"', /*alg=*/false);
  };
  assert_skipped(renamed(Algorithm::rs256, "HS256"), "not for such a key");
  assert_skipped(renamed(Algorithm::rs256, "ES256"), "not for such a key");
  assert_skipped(renamed(Algorithm::es256, "ES384"), "not for such a key");
  assert_skipped(renamed(Algorithm::es256, "HS256"), "not for such a key");
  assert_skipped(renamed(Algorithm::eddsa, "RS256"), "not for such a key");
  for (const char* alg : {"none", "RSA-OAEP", "", "rs256"}) {
    assert_skipped(renamed(Algorithm::rs256, alg), "is none of ours");
  }
}

void a_kid_is_a_string(void**) {
  for (const char* kid : {"1", "null", "\"\"", "[\"a\"]"}) {
    assert_skipped(jwk_of(Algorithm::es256, R"("kid":)" + std::string(kid)),
                   "its kid is no string");
  }
  assert_skipped(
      jwk_of(Algorithm::es256, R"("kid":")" + std::string(257, 'k') + '"'),
      "its kid is no string");
}

void numbers_that_make_no_key_are_passed_over(void**) {
  const std::string x(43, 'A');
  for (const std::string& text :
       {std::string(R"({"kty":"RSA","e":"AQAB"})"),
        std::string(R"({"kty":"RSA","n":"AQAB"})"),
        std::string(R"({"kty":"RSA","n":"A+==","e":"AQAB"})"),
        std::string(R"({"kty":"RSA","n":"","e":"AQAB"})"),
        std::string(R"({"kty":"EC","crv":"P-256","x":"AA","y":"AA"})"),
        R"({"kty":"EC","crv":"P-256","x":")" + x + "\",\"y\":\"" + x + "\"}",
        R"({"kty":"EC","crv":"P-256","x":")" + x + "\"}",
        std::string(R"({"kty":"OKP","crv":"Ed25519","x":"AAAA"})"),
        R"({"kty":"OKP","crv":"Ed448","x":")" + x + "\"}"}) {
    assert_skipped(text, "its numbers");
  }
  assert_skipped(R"({"kty":"RSA","n":"AQAB","e":"AQAB"})", "2048");
  assert_skipped(jwk_of_pem(make_rsa(1024).public_pem, R"("alg":"RS256")"),
                 "1024");
}

}  // namespace

int main() {
  const CMUnitTest tests[] = {
      cmocka_unit_test(every_public_algorithm_can_be_had),
      cmocka_unit_test(a_key_is_the_same_as_from_pem),
      cmocka_unit_test(the_algorithm_follows_from_the_key),
      cmocka_unit_test(reads_the_example_of_rfc_8037),
      cmocka_unit_test(ed448_is_eddsa_too),
      cmocka_unit_test(what_is_not_to_verify_is_passed_over),
      cmocka_unit_test(a_private_key_is_passed_over),
      cmocka_unit_test(a_secret_has_to_be_asked_for),
      cmocka_unit_test(another_kind_is_passed_over),
      cmocka_unit_test(an_algorithm_has_to_fit_the_key),
      cmocka_unit_test(a_kid_is_a_string),
      cmocka_unit_test(numbers_that_make_no_key_are_passed_over),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
