// JSON Web Keys of the tests' keys.
#pragma once

#include <openssl/bn.h>
#include <openssl/core_names.h>

#include <string>

#include "auth/tokens.hpp"

namespace paperboy::auth::test {

inline std::string number_of(EVP_PKEY* key, const char* name,
                             std::size_t size = 0) {
  BIGNUM* number = nullptr;
  assert_int_equal(EVP_PKEY_get_bn_param(key, name, &number), 1);
  const auto bytes = static_cast<std::size_t>(BN_num_bytes(number));
  std::string out(size == 0 ? bytes : size, '\0');
  BN_bn2binpad(number, reinterpret_cast<unsigned char*>(out.data()),
               static_cast<int>(out.size()));
  BN_free(number);
  return base64url(out);
}

inline std::string member_of(const char* name, const std::string& value) {
  return std::string(",\"") + name + "\":\"" + value + '"';
}

inline std::string curve_members(EVP_PKEY* key) {
  const int bits = EVP_PKEY_get_bits(key);
  const auto size = static_cast<std::size_t>((bits + 7) / 8);
  return R"("kty":"EC")" + member_of("crv", "P-" + std::to_string(bits)) +
         member_of("x", number_of(key, OSSL_PKEY_PARAM_EC_PUB_X, size)) +
         member_of("y", number_of(key, OSSL_PKEY_PARAM_EC_PUB_Y, size));
}

inline std::string edwards_members(EVP_PKEY* key) {
  std::string raw(57, '\0');
  std::size_t size = raw.size();
  EVP_PKEY_get_raw_public_key(key, reinterpret_cast<unsigned char*>(raw.data()),
                              &size);
  raw.resize(size);
  return R"("kty":"OKP")" + member_of("crv", size == 32 ? "Ed25519" : "Ed448") +
         member_of("x", base64url(raw));
}

/// A public key in PEM as a JWK, with `more` members.
inline std::string jwk_of_pem(const std::string& pem,
                              const std::string& more = {}) {
  BIO* in = BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size()));
  EVP_PKEY* key = PEM_read_bio_PUBKEY(in, nullptr, nullptr, nullptr);
  BIO_free(in);
  const int type = EVP_PKEY_get_base_id(key);
  const std::string members =
      type == EVP_PKEY_EC ? curve_members(key)
      : type == EVP_PKEY_RSA
          ? R"("kty":"RSA")" +
                member_of("n", number_of(key, OSSL_PKEY_PARAM_RSA_N)) +
                member_of("e", number_of(key, OSSL_PKEY_PARAM_RSA_E))
          : edwards_members(key);
  EVP_PKEY_free(key);
  return "{" + members + (more.empty() ? "" : "," + more) + "}";
}

/// The key of `pair_for(algorithm)`; `alg`: it names its algorithm.
inline std::string jwk_of(Algorithm algorithm, std::string more = {},
                          bool alg = true) {
  if (alg) {
    more += std::string(more.empty() ? "" : ",") + R"("alg":")" +
            std::string(algorithm_name(algorithm)) + '"';
  }
  if (!is_hmac(algorithm)) {
    return jwk_of_pem(pair_for(algorithm).public_pem, more);
  }
  return R"({"kty":"oct","k":")" + base64url(kSecret) + '"' +
         (more.empty() ? "" : "," + more) + "}";
}

}  // namespace paperboy::auth::test
