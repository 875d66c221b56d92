// Signatures under all algorithms, with libjwt as the oracle of those that it
// knows, and RFC 8037's example for EdDSA.
#include "auth/signature.hpp"

#include <jwt.h>
#include <openssl/ecdsa.h>
#include <openssl/err.h>

#include <string>

#include "auth/base64url.hpp"
#include "auth/tokens.hpp"
#include "test.hpp"

namespace {

using paperboy::Bytes;
using namespace paperboy::auth;
using namespace paperboy::auth::test;

constexpr Bytes kClaims = R"({"sub":"ann","exp":1700000060,"channel":"news"})";

bool libjwt_accepts(const std::string& token, const std::string& key) {
  jwt_t* jwt = nullptr;
  const int failed = jwt_decode(
      &jwt, token.c_str(), reinterpret_cast<const unsigned char*>(key.data()),
      static_cast<int>(key.size()));
  jwt_free(jwt);
  return failed == 0;
}

// The token with its signature replaced.
std::string with_signature(const std::string& token, Bytes signature) {
  return token.substr(0, token.rfind('.') + 1) + base64url(signature);
}

std::string signature_of(const std::string& token) {
  return *base64url_decode(Bytes(token).substr(token.rfind('.') + 1));
}

// libjwt 1.10 knows neither PS nor EdDSA.
bool libjwt_knows(Algorithm algorithm) {
  return family(algorithm) != Family::ps && family(algorithm) != Family::eddsa;
}

void agrees_with_libjwt_on_its_nine_algorithms(void**) {
  for (const Algorithm signer : kAlgorithms) {
    if (!libjwt_knows(signer)) continue;
    const std::string token = made(signer, kClaims);
    const std::string& key = pair_for(signer).public_pem;
    assert_true(libjwt_accepts(token, key));
    assert_good(token, one_key(signer, key));
    assert_int_equal(ERR_peek_error(), 0);
  }
}

void agrees_with_libjwt_on_another_key(void**) {
  for (const Algorithm signer : kAlgorithms) {
    if (!libjwt_knows(signer)) continue;
    const std::string token = made(signer, kClaims);
    const std::string other =
        is_hmac(signer)              ? std::string(64, 'x')
        : signer <= Algorithm::rs512 ? make_rsa(2048).public_pem
        : signer == Algorithm::es256 ? make_ec("P-256").public_pem
        : signer == Algorithm::es384 ? make_ec("P-384").public_pem
                                     : make_ec("P-521").public_pem;
    assert_false(libjwt_accepts(token, other));
    assert_error(TokenError::signature, token, one_key(signer, other));
  }
  ERR_clear_error();  // libjwt's, called by this test
}

void verifies_what_openssl_signs(void**) {
  for (const Algorithm signer : kAlgorithms) {
    const std::string token = made(signer, kClaims);
    assert_good(token, one_key(signer, pair_for(signer).public_pem));
    if (libjwt_knows(signer)) continue;
    const KeyPair other =
        family(signer) == Family::ps ? make_rsa(2048) : make_edwards("ED25519");
    assert_error(TokenError::signature, token,
                 one_key(signer, other.public_pem));
  }
  const KeyPair ed448 = make_edwards("ED448");
  const auto token = sign(Algorithm::eddsa, ed448.private_pem, kClaims);
  assert_good(*token, one_key(Algorithm::eddsa, ed448.public_pem));
  assert_error(TokenError::signature, *token,
               one_key(Algorithm::eddsa, ed25519().public_pem));
  assert_int_equal(ERR_peek_error(), 0);
}

// RFC 8037 appendix A.4: the payload is no JSON, so the bare signature.
void verifies_the_example_of_rfc_8037(void**) {
  constexpr Bytes kSigned =
      "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc";
  constexpr Bytes kSignature =
      "hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt"
      "9g7sVvpAr_MuM0KAg";
  // The key's x behind what SubjectPublicKeyInfo begins with.
  std::string der = *base64url_decode("MCowBQYDK2VwAyEA");
  der += *base64url_decode("11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo");
  BIO* out = BIO_new(BIO_s_mem());
  PEM_write_bio(out, "PUBLIC KEY", "",
                reinterpret_cast<const unsigned char*>(der.data()),
                static_cast<long>(der.size()));
  const auto key = Key::load(Algorithm::eddsa, text_of(out));
  assert_true(key.ok());
  SignedToken token{kSigned, kSigned, *base64url_decode(kSignature)};
  assert_true(signature_matches(token, *key));
  token.signature[0] = static_cast<char>(token.signature[0] ^ 1);
  assert_false(signature_matches(token, *key));
}

// The salt of a PS signature is of the hash's size and of no other.
void rs_and_ps_are_two_algorithms(void**) {
  const std::string rs = made(Algorithm::rs256, kClaims);
  const std::string ps = made(Algorithm::ps256, kClaims);
  const KeySet rs_key = one_key(Algorithm::rs256, rsa().public_pem);
  const KeySet ps_key = one_key(Algorithm::ps256, rsa().public_pem);
  assert_error(TokenError::algorithm, ps, rs_key);
  assert_error(TokenError::algorithm, rs, ps_key);
  assert_error(TokenError::signature, with_signature(ps, signature_of(rs)),
               ps_key);
}

void no_byte_of_a_token_may_change(void**) {
  for (const Algorithm algorithm :
       {Algorithm::hs256, Algorithm::rs256, Algorithm::ps256, Algorithm::es256,
        Algorithm::es512, Algorithm::eddsa}) {
    const KeySet keys = one_key(algorithm, pair_for(algorithm).public_pem);
    const std::string token = made(algorithm, kClaims);
    for (std::size_t i = 0; i < token.size(); ++i) {
      for (unsigned bit = 0; bit < 8; ++bit) {
        std::string changed = token;
        changed[i] = static_cast<char>(changed[i] ^ (1U << bit));
        if (verify(changed, keys, {}, kNow).ok()) {
          fail_msg("byte %zu, bit %u", i, bit);
        }
      }
    }
  }
}

void no_end_of_a_token_may_be_missing(void**) {
  for (const Algorithm algorithm : kAlgorithms) {
    const KeySet keys = one_key(algorithm, pair_for(algorithm).public_pem);
    const std::string token = made(algorithm, kClaims);
    for (std::size_t n = 0; n < token.size(); ++n) {
      assert_false(verify(Bytes(token).substr(0, n), keys, {}, kNow).ok());
    }
  }
}

void libjwt_would_take_a_p384_key_for_es256(void**) {
  auto token = sign(Algorithm::es256, p384().private_pem, kClaims);
  assert_true(token.ok());
  assert_error(TokenError::signature, *token,
               one_key(Algorithm::es256, p256().public_pem));
  assert_error(TokenError::algorithm, *token,
               one_key(Algorithm::es384, p384().public_pem));
  assert_false(Key::load(Algorithm::es256, p384().public_pem).ok());
}

void an_es_signature_is_r_and_s_of_exact_length(void**) {
  const KeySet keys = one_key(Algorithm::es256, p256().public_pem);
  const std::string token = made(Algorithm::es256, kClaims);
  const std::string raw = signature_of(token);
  assert_int_equal(raw.size(), 64);
  const std::string zero(32, '\0');
  for (const std::string& signature :
       {std::string(), raw.substr(0, 63), raw + std::string(1, '\0'),
        std::string(1, '\0') + raw, raw.substr(0, 32) + zero,
        zero + raw.substr(32), zero + zero, std::string(64, '\xff'),
        raw.substr(32) + raw.substr(0, 32), "\x30\x3e" + raw.substr(0, 62)}) {
    assert_error(TokenError::signature, with_signature(token, signature), keys);
  }
  assert_good(with_signature(token, raw), keys);
}

void a_der_signature_is_refused(void**) {
  const KeySet keys = one_key(Algorithm::es256, p256().public_pem);
  const std::string token = made(Algorithm::es256, kClaims);
  const std::string raw = signature_of(token);
  const auto* bytes = reinterpret_cast<const unsigned char*>(raw.data());
  ECDSA_SIG* pair = ECDSA_SIG_new();
  ECDSA_SIG_set0(pair, BN_bin2bn(bytes, 32, nullptr),
                 BN_bin2bn(bytes + 32, 32, nullptr));
  unsigned char* der = nullptr;
  const int size = i2d_ECDSA_SIG(pair, &der);
  const std::string signature(reinterpret_cast<char*>(der),
                              static_cast<std::size_t>(size));
  OPENSSL_free(der);
  ECDSA_SIG_free(pair);
  assert_error(TokenError::signature, with_signature(token, signature), keys);
}

void an_rs_signature_is_as_long_as_its_key(void**) {
  const KeySet keys = one_key(Algorithm::rs256, rsa().public_pem);
  const std::string token = made(Algorithm::rs256, kClaims);
  const std::string raw = signature_of(token);
  for (const std::string& signature :
       {std::string(), raw.substr(1), raw.substr(0, 255), raw + "x",
        std::string(1, '\0') + raw, std::string(256, '\0'),
        std::string(256, '\xff')}) {
    assert_error(TokenError::signature, with_signature(token, signature), keys);
  }
}

void a_secret_may_hold_any_bytes(void**) {
  std::string secret("\0a\0\xff", 4);
  auto token = sign(Algorithm::hs384, secret, kClaims);
  assert_good(*token, one_key(Algorithm::hs384, secret));
  secret[3] = 'x';
  assert_error(TokenError::signature, *token,
               one_key(Algorithm::hs384, secret));
}

void a_refusal_leaves_openssl_without_errors(void**) {
  const KeySet keys = one_key(Algorithm::rs256, rsa().public_pem);
  const std::string token = made(Algorithm::rs256, kClaims);
  assert_error(TokenError::signature, with_signature(token, "x"), keys);
  assert_int_equal(ERR_peek_error(), 0);
}

void a_signature_has_a_size_of_its_algorithm(void**) {
  for (const Algorithm signer : kAlgorithms) {
    const std::size_t size = signature_of(made(signer, kClaims)).size();
    const bool rsa =
        family(signer) == Family::rs || family(signer) == Family::ps;
    assert_true(can_be_signature(signer, size));
    assert_int_equal(can_be_signature(signer, size + 1), rsa);
    for (const std::size_t other :
         {std::size_t{0}, size - 1, std::size_t{2049}}) {
      assert_false(can_be_signature(signer, other));
    }
  }
}

}  // namespace

int main() {
  const CMUnitTest tests[] = {
      cmocka_unit_test(agrees_with_libjwt_on_its_nine_algorithms),
      cmocka_unit_test(verifies_what_openssl_signs),
      cmocka_unit_test(verifies_the_example_of_rfc_8037),
      cmocka_unit_test(rs_and_ps_are_two_algorithms),
      cmocka_unit_test(agrees_with_libjwt_on_another_key),
      cmocka_unit_test(no_byte_of_a_token_may_change),
      cmocka_unit_test(no_end_of_a_token_may_be_missing),
      cmocka_unit_test(libjwt_would_take_a_p384_key_for_es256),
      cmocka_unit_test(an_es_signature_is_r_and_s_of_exact_length),
      cmocka_unit_test(a_der_signature_is_refused),
      cmocka_unit_test(an_rs_signature_is_as_long_as_its_key),
      cmocka_unit_test(a_secret_may_hold_any_bytes),
      cmocka_unit_test(a_refusal_leaves_openssl_without_errors),
      cmocka_unit_test(a_signature_has_a_size_of_its_algorithm),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
