#include "auth/csrf.hpp"

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <algorithm>
#include <array>

namespace paperboy::auth {

namespace {

constexpr std::size_t kHex = 64;
constexpr std::size_t kExpiry = 10;

bool is_digit(char c) { return c >= '0' && c <= '9'; }

std::string hex(Bytes secret, Bytes user, Bytes expiry) {
  std::string text(user);
  text.append(1, ';').append(expiry);
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned int size = 0;
  if (HMAC(EVP_sha256(), secret.data(), static_cast<int>(secret.size()),
           reinterpret_cast<const unsigned char*>(text.data()), text.size(),
           digest.data(), &size) == nullptr) {
    return {};
  }
  constexpr Bytes kDigits = "0123456789abcdef";
  std::string out;
  for (unsigned int i = 0; i < size; ++i) {
    out += kDigits[digest[i] >> 4U];
    out += kDigits[digest[i] & 15U];
  }
  return out;
}

}  // namespace

std::string CsrfSecret::token(Bytes user, std::int64_t expiry) const {
  const std::string text = std::to_string(expiry);
  return hex(secret_.view(), user, text) + "." + text;
}

CsrfCheck CsrfSecret::check(Bytes user, Bytes token, std::int64_t now) const {
  if (token.empty()) return CsrfCheck::missing;
  const bool formed = token.size() == kHex + 1 + kExpiry &&
                      token[kHex] == '.' &&
                      std::ranges::all_of(token.substr(kHex + 1), is_digit);
  if (!formed || user.empty()) return CsrfCheck::wrong;
  const Bytes expiry = token.substr(kHex + 1);
  const std::string right = hex(secret_.view(), user, expiry);
  if (right.size() != kHex || !equal_secrets(right, token.substr(0, kHex))) {
    return CsrfCheck::wrong;
  }
  std::int64_t end = 0;
  for (const char c : expiry) end = end * 10 + (c - '0');
  return now < end ? CsrfCheck::good : CsrfCheck::expired;
}

}  // namespace paperboy::auth
