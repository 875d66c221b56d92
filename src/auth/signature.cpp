#include "auth/signature.hpp"

#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>

#include <array>
#include <memory>
#include <optional>

#include "auth/openssl_errors.hpp"
#include "auth/secret.hpp"

namespace paperboy::auth {

namespace {

struct Free {
  void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
  void operator()(EVP_MAC_CTX* context) const { EVP_MAC_CTX_free(context); }
  void operator()(ECDSA_SIG* signature) const { ECDSA_SIG_free(signature); }
};

const unsigned char* octets(Bytes bytes) {
  return reinterpret_cast<const unsigned char*>(bytes.data());
}

const EVP_MD* hash_of(Algorithm algorithm) {
  switch (hash_size(algorithm)) {
    case 32:
      return EVP_sha256();
    case 48:
      return EVP_sha384();
    case 64:
      return EVP_sha512();
    default:
      return nullptr;  // EdDSA's own
  }
}

// Bytes of r and of s: the size of the curve's field (RFC 7518 section 3.4).
// 0: the algorithm is none of ECDSA.
std::size_t coordinate_size(Algorithm algorithm) {
  switch (algorithm) {
    case Algorithm::es256:
      return 32;
    case Algorithm::es384:
      return 48;
    case Algorithm::es512:
      return 66;
    default:
      return 0;
  }
}

// r and s side by side, as a token has them, to the DER that OpenSSL reads.
std::optional<std::string> der_of(Bytes raw, std::size_t size) {
  if (raw.size() != 2 * size) {
    return std::nullopt;
  }
  const std::unique_ptr<ECDSA_SIG, Free> pair(ECDSA_SIG_new());
  BIGNUM* r = BN_bin2bn(octets(raw), static_cast<int>(size), nullptr);
  BIGNUM* s =
      BN_bin2bn(octets(raw.substr(size)), static_cast<int>(size), nullptr);
  if (!pair || ECDSA_SIG_set0(pair.get(), r, s) != 1) {
    BN_free(r);
    BN_free(s);
    return std::nullopt;
  }
  unsigned char* out = nullptr;
  const int length = i2d_ECDSA_SIG(pair.get(), &out);
  if (length <= 0) {
    return std::nullopt;
  }
  std::string der(reinterpret_cast<char*>(out),
                  static_cast<std::size_t>(length));
  OPENSSL_free(out);
  return der;
}

// RFC 7518 section 3.5: MGF1 with the same hash, which OpenSSL does by
// default, and a salt of the hash's size.
bool begin(EVP_MD_CTX* context, const Key& key) {
  EVP_PKEY_CTX* options = nullptr;
  if (EVP_DigestVerifyInit(context, &options, hash_of(key.algorithm()), nullptr,
                           key.public_key()) != 1) {
    return false;
  }
  if (family(key.algorithm()) != Family::ps) return true;
  return EVP_PKEY_CTX_set_rsa_padding(options, RSA_PKCS1_PSS_PADDING) == 1 &&
         EVP_PKEY_CTX_set_rsa_pss_saltlen(options, RSA_PSS_SALTLEN_DIGEST) == 1;
}

bool public_key_matches(const SignedToken& token, const Key& key) {
  std::string signature = token.signature;
  if (const std::size_t size = coordinate_size(key.algorithm()); size > 0) {
    auto der = der_of(signature, size);
    if (!der) {
      return false;
    }
    signature = std::move(*der);
  }
  const std::unique_ptr<EVP_MD_CTX, Free> context(EVP_MD_CTX_new());
  return context && begin(context.get(), key) &&
         EVP_DigestVerify(context.get(), octets(signature), signature.size(),
                          octets(token.signed_part),
                          token.signed_part.size()) == 1;
}

bool hmac_matches(const SignedToken& token, const Key& key) {
  const std::unique_ptr<EVP_MAC_CTX, Free> context(EVP_MAC_CTX_dup(key.mac()));
  std::array<unsigned char, EVP_MAX_MD_SIZE> mac{};
  std::size_t size = 0;
  return context &&
         EVP_MAC_update(context.get(), octets(token.signed_part),
                        token.signed_part.size()) == 1 &&
         EVP_MAC_final(context.get(), mac.data(), &size, mac.size()) == 1 &&
         equal_secrets({reinterpret_cast<const char*>(mac.data()), size},
                       token.signature);
}

}  // namespace

bool signature_matches(const SignedToken& token, const Key& key) {
  const OpensslErrors scope;
  return is_hmac(key.algorithm()) ? hmac_matches(token, key)
                                  : public_key_matches(token, key);
}

bool can_be_signature(Algorithm algorithm, std::size_t size) {
  switch (family(algorithm)) {
    case Family::hs:
      return size == hash_size(algorithm);
    case Family::rs:
    case Family::ps:
      return size >= 256 && size <= 2048;
    case Family::es:
      return size == 2 * coordinate_size(algorithm);
    case Family::eddsa:
      return size == 64 || size == 114;
  }
  return false;
}

}  // namespace paperboy::auth
