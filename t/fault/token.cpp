#include "token.hpp"

#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/pem.h>

#include <array>
#include <cstdio>
#include <stdexcept>
#include <vector>

namespace paperboy::fault {

namespace {

constexpr int kHalf = 32;  // of a signature by P-256 (RFC 7518 section 3.4)

std::string base64url(Bytes bytes) {
  constexpr Bytes kDigits =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  std::string out;
  unsigned bits = 0;
  int held = 0;
  for (const char c : bytes) {
    bits = bits << 8 | static_cast<unsigned char>(c);
    for (held += 8; held >= 6; held -= 6) {
      out += kDigits[bits >> (held - 6) & 63U];
    }
  }
  if (held > 0) out += kDigits[bits << (6 - held) & 63U];
  return out;
}

std::string to_be_signed(Bytes algorithm, Bytes claims) {
  return base64url(R"({"alg":")" + std::string(algorithm) +
                   R"(","typ":"JWT"})") +
         "." + base64url(claims);
}

const unsigned char* unsigned_bytes(Bytes text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

}  // namespace

struct Signer::Key {
  EVP_PKEY* key = nullptr;
};

Signer::Signer(std::string secret, const std::string& key)
    : secret_(std::move(secret)), key_(std::make_unique<Key>()) {
  if (key.empty()) return;
  if (std::FILE* const file = std::fopen(key.c_str(), "r")) {
    key_->key = PEM_read_PrivateKey(file, nullptr, nullptr, nullptr);
    std::fclose(file);
  }
  if (key_->key == nullptr) throw std::runtime_error(key + ": no private key");
}

Signer::~Signer() { EVP_PKEY_free(key_->key); }

std::string Signer::hs256(Bytes claims) const {
  const std::string text = to_be_signed("HS256", claims);
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned size = 0;
  HMAC(EVP_sha256(), secret_.data(), static_cast<int>(secret_.size()),
       unsigned_bytes(text), text.size(), digest.data(), &size);
  return text + "." +
         base64url({reinterpret_cast<const char*>(digest.data()), size});
}

std::string Signer::es256(Bytes claims) const {
  const std::string text = to_be_signed("ES256", claims);
  EVP_MD_CTX* const context = EVP_MD_CTX_new();
  std::vector<unsigned char> der(256);
  std::size_t size = der.size();
  const bool signed_well =
      EVP_DigestSignInit(context, nullptr, EVP_sha256(), nullptr, key_->key) ==
          1 &&
      EVP_DigestSign(context, der.data(), &size, unsigned_bytes(text),
                     text.size()) == 1;
  EVP_MD_CTX_free(context);
  if (!signed_well) throw std::runtime_error("the key signs nothing");
  const unsigned char* from = der.data();
  ECDSA_SIG* const parts =
      d2i_ECDSA_SIG(nullptr, &from, static_cast<long>(size));
  std::array<unsigned char, 2 * kHalf> raw{};
  BN_bn2binpad(ECDSA_SIG_get0_r(parts), raw.data(), kHalf);
  BN_bn2binpad(ECDSA_SIG_get0_s(parts), raw.data() + kHalf, kHalf);
  ECDSA_SIG_free(parts);
  return text + "." +
         base64url({reinterpret_cast<const char*>(raw.data()), raw.size()});
}

}  // namespace paperboy::fault
