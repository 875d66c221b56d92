#include "auth/secret.hpp"

#include <openssl/crypto.h>

namespace paperboy::auth {

bool equal_secrets(Bytes a, Bytes b) {
  return a.size() == b.size() &&
         (a.empty() || CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0);
}

SecretBytes::~SecretBytes() {
  if (!bytes_.empty()) {
    OPENSSL_cleanse(bytes_.data(), bytes_.size());
  }
}

}  // namespace paperboy::auth
