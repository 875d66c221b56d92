// Signatures under all nine algorithms, with libjwt as the oracle.
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

void agrees_with_libjwt_on_all_nine_algorithms(void**) {
  for (const Algorithm signer : kAlgorithms) {
    const std::string token = made(signer, kClaims);
    const std::string& key = pair_for(signer).public_pem;
    assert_true(libjwt_accepts(token, key));
    assert_good(token, one_key(signer, key));
    assert_int_equal(ERR_peek_error(), 0);
  }
}

void agrees_with_libjwt_on_another_key(void**) {
  for (const Algorithm signer : kAlgorithms) {
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

void no_byte_of_a_token_may_change(void**) {
  for (const Algorithm algorithm : {Algorithm::hs256, Algorithm::rs256,
                                    Algorithm::es256, Algorithm::es512}) {
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

}  // namespace

int main() {
  const CMUnitTest tests[] = {
      cmocka_unit_test(agrees_with_libjwt_on_all_nine_algorithms),
      cmocka_unit_test(agrees_with_libjwt_on_another_key),
      cmocka_unit_test(no_byte_of_a_token_may_change),
      cmocka_unit_test(no_end_of_a_token_may_be_missing),
      cmocka_unit_test(libjwt_would_take_a_p384_key_for_es256),
      cmocka_unit_test(an_es_signature_is_r_and_s_of_exact_length),
      cmocka_unit_test(a_der_signature_is_refused),
      cmocka_unit_test(an_rs_signature_is_as_long_as_its_key),
      cmocka_unit_test(a_secret_may_hold_any_bytes),
      cmocka_unit_test(a_refusal_leaves_openssl_without_errors),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
