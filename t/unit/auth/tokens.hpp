// Keys and tokens for the tests of auth: keys made by OpenSSL at run time, and
// tokens whose header is written by hand, as libjwt would never write it.
#pragma once

#include <openssl/bio.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

#include <array>
#include <string>

#include "auth/base64url.hpp"
#include "auth/jwt.hpp"
#include "auth/jwt_sign.hpp"
#include "test.hpp"

namespace paperboy::auth::test {

inline constexpr std::int64_t kNow = 1700000000;
inline const std::string kSecret(64, 'k');

struct KeyPair {
  std::string private_pem;
  std::string public_pem;
};

inline std::string text_of(BIO* bio) {
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio, &data);
  std::string text(data, static_cast<std::size_t>(size));
  BIO_free(bio);
  return text;
}

inline KeyPair pems_of(EVP_PKEY* key) {
  BIO* secret = BIO_new(BIO_s_mem());
  PEM_write_bio_PrivateKey(secret, key, nullptr, nullptr, 0, nullptr, nullptr);
  BIO* open = BIO_new(BIO_s_mem());
  PEM_write_bio_PUBKEY(open, key);
  EVP_PKEY_free(key);
  return {text_of(secret), text_of(open)};
}

inline KeyPair make_rsa(unsigned bits) { return pems_of(EVP_RSA_gen(bits)); }
inline KeyPair make_ec(const char* curve) { return pems_of(EVP_EC_gen(curve)); }

inline const KeyPair& rsa() {
  static const KeyPair pair = make_rsa(2048);
  return pair;
}
inline const KeyPair& p256() {
  static const KeyPair pair = make_ec("P-256");
  return pair;
}
inline const KeyPair& p384() {
  static const KeyPair pair = make_ec("P-384");
  return pair;
}
inline const KeyPair& p521() {
  static const KeyPair pair = make_ec("P-521");
  return pair;
}

inline KeyPair make_edwards(const char* curve) {
  return pems_of(EVP_PKEY_Q_keygen(nullptr, nullptr, curve));
}
inline const KeyPair& ed25519() {
  static const KeyPair pair = make_edwards("ED25519");
  return pair;
}

/// What signs and what verifies under `algorithm`.
inline KeyPair pair_for(Algorithm algorithm) {
  switch (algorithm) {
    case Algorithm::hs256:
    case Algorithm::hs384:
    case Algorithm::hs512:
      return {kSecret, kSecret};
    case Algorithm::rs256:
    case Algorithm::rs384:
    case Algorithm::rs512:
    case Algorithm::ps256:
    case Algorithm::ps384:
    case Algorithm::ps512:
      return rsa();
    case Algorithm::es256:
      return p256();
    case Algorithm::es384:
      return p384();
    case Algorithm::es512:
      return p521();
    default:
      return ed25519();
  }
}

inline constexpr std::array<Algorithm, 13> kAlgorithms = {
    Algorithm::hs256, Algorithm::hs384, Algorithm::hs512, Algorithm::rs256,
    Algorithm::rs384, Algorithm::rs512, Algorithm::ps256, Algorithm::ps384,
    Algorithm::ps512, Algorithm::es256, Algorithm::es384, Algorithm::es512,
    Algorithm::eddsa};

inline void add_key(KeySet& keys, Algorithm algorithm, Bytes material,
                    Bytes kid = {}) {
  auto key = Key::load(algorithm, material, kid);
  if (!key) {
    fail_msg("%s", key.error().c_str());
  }
  assert_true(keys.add(std::move(key).value()).ok());
}

inline KeySet one_key(Algorithm algorithm, Bytes material, Bytes kid = {}) {
  KeySet keys;
  add_key(keys, algorithm, material, kid);
  return keys;
}

inline KeySet hs256_key() { return one_key(Algorithm::hs256, kSecret); }

inline std::string base64url(Bytes bytes) { return base64url_encode(bytes); }

/// `signed_part` and its HS256 under `secret`.
inline std::string signed_hs256(const std::string& signed_part,
                                Bytes secret = kSecret) {
  std::array<unsigned char, 32> mac{};
  HMAC(EVP_sha256(), secret.data(), static_cast<int>(secret.size()),
       reinterpret_cast<const unsigned char*>(signed_part.data()),
       signed_part.size(), mac.data(), nullptr);
  return signed_part + "." +
         base64url({reinterpret_cast<const char*>(mac.data()), mac.size()});
}

inline std::string hs256_token(Bytes header, Bytes payload) {
  return signed_hs256(base64url(header) + "." + base64url(payload));
}

/// A good header, and these claims.
inline std::string hs256_token(Bytes payload) {
  return hs256_token(R"({"alg":"HS256","typ":"JWT"})", payload);
}

inline std::string made(Algorithm algorithm, Bytes claims, Bytes kid = {}) {
  auto token = sign(algorithm, pair_for(algorithm).private_pem, claims, kid);
  if (!token) {
    fail_msg("%s", token.error().text.c_str());
  }
  return *token;
}

/// The outcome in words: "ok", or the error's text.
inline std::string outcome(Bytes token, const KeySet& keys,
                           const TokenRules& rules = {},
                           std::int64_t now = kNow) {
  auto result = verify(token, keys, rules, now);
  return result.ok() ? "ok" : std::string(token_error_text(result.error()));
}

inline void assert_error(TokenError error, Bytes token, const KeySet& keys,
                         const TokenRules& rules = {},
                         std::int64_t now = kNow) {
  assert_string_equal(outcome(token, keys, rules, now).c_str(),
                      std::string(token_error_text(error)).c_str());
}

inline void assert_good(Bytes token, const KeySet& keys,
                        const TokenRules& rules = {}, std::int64_t now = kNow) {
  assert_string_equal(outcome(token, keys, rules, now).c_str(), "ok");
}

}  // namespace paperboy::auth::test
