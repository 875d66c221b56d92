#include "auth/openssl_sign.hpp"

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

#include <memory>

namespace paperboy::auth {

namespace {

struct Free {
  void operator()(BIO* bio) const { BIO_free(bio); }
  void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
  void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
};
template <typename T>
using Owned = std::unique_ptr<T, Free>;

int no_pass_phrase(char*, int, int, void*) { return -1; }

Owned<EVP_PKEY> read_private_key(Bytes pem) {
  const Owned<BIO> in(
      BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  return Owned<EVP_PKEY>(
      PEM_read_bio_PrivateKey(in.get(), nullptr, no_pass_phrase, nullptr));
}

bool fits(EVP_PKEY* key, Family family) {
  const int id = EVP_PKEY_get_base_id(key);
  return family == Family::ps ? id == EVP_PKEY_RSA
                              : id == EVP_PKEY_ED25519 || id == EVP_PKEY_ED448;
}

const EVP_MD* hash_of(Algorithm algorithm) {
  switch (algorithm) {
    case Algorithm::ps256:
      return EVP_sha256();
    case Algorithm::ps384:
      return EVP_sha384();
    case Algorithm::ps512:
      return EVP_sha512();
    default:
      return nullptr;
  }
}

bool begin(EVP_MD_CTX* context, Algorithm algorithm, EVP_PKEY* key) {
  EVP_PKEY_CTX* options = nullptr;
  if (EVP_DigestSignInit(context, &options, hash_of(algorithm), nullptr, key) !=
      1) {
    return false;
  }
  if (family(algorithm) != Family::ps) return true;
  return EVP_PKEY_CTX_set_rsa_padding(options, RSA_PKCS1_PSS_PADDING) == 1 &&
         EVP_PKEY_CTX_set_rsa_pss_saltlen(options, RSA_PSS_SALTLEN_DIGEST) == 1;
}

}  // namespace

std::optional<std::string> openssl_signature(Algorithm algorithm, Bytes pem,
                                             Bytes text) {
  const auto key = read_private_key(pem);
  const Owned<EVP_MD_CTX> context(EVP_MD_CTX_new());
  if (!key || !fits(key.get(), family(algorithm)) || !context ||
      !begin(context.get(), algorithm, key.get())) {
    return {};
  }
  const auto* const data = reinterpret_cast<const unsigned char*>(text.data());
  std::size_t size = 0;
  if (EVP_DigestSign(context.get(), nullptr, &size, data, text.size()) != 1) {
    return {};
  }
  std::string made(size, '\0');
  if (EVP_DigestSign(context.get(),
                     reinterpret_cast<unsigned char*>(made.data()), &size, data,
                     text.size()) != 1) {
    return {};
  }
  made.resize(size);
  return made;
}

}  // namespace paperboy::auth
