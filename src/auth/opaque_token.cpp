#include "auth/opaque_token.hpp"

#include <openssl/evp.h>
#include <openssl/rand.h>

#include <algorithm>

#include "auth/base64url.hpp"

namespace paperboy::auth {

namespace {

constexpr Bytes kPrefix = "pbo_";
constexpr Bytes kIdPrefix = "pbi_";
constexpr std::size_t kRandom = 24;  // bytes

std::optional<TokenHash> sha256(Bytes text) {
  TokenHash hash;
  unsigned int size = 0;
  if (EVP_Digest(text.data(), text.size(), hash.bytes.data(), &size,
                 EVP_sha256(), nullptr) != 1 ||
      size != hash.bytes.size()) {
    return {};
  }
  return hash;
}

/// Of a token, or what an id is made of.
std::optional<TokenHash> digest_of(Bytes either) {
  if (either.starts_with(kIdPrefix)) {
    const auto bytes = base64url_decode(either.substr(kIdPrefix.size()));
    return bytes ? hash_from(*bytes) : std::nullopt;
  }
  if (!is_opaque(either)) return {};
  const auto random = base64url_decode(either.substr(kPrefix.size()));
  if (!random || random->size() != kRandom) return {};
  return sha256(either);
}

}  // namespace

bool is_opaque(Bytes token) { return token.starts_with(kPrefix); }

std::optional<std::string> make_opaque_token() {
  std::array<unsigned char, kRandom> random{};
  if (RAND_bytes(random.data(), static_cast<int>(random.size())) != 1) {
    return {};
  }
  return std::string(kPrefix) +
         base64url_encode(
             {reinterpret_cast<const char*>(random.data()), random.size()});
}

std::uint64_t TokenHash::number() const {
  std::uint64_t number = 0;
  for (std::size_t i = 0; i < sizeof number; ++i) {
    number = number << 8U | bytes[i];
  }
  return std::max<std::uint64_t>(number, 1);
}

std::optional<std::string> id_of(Bytes token) {
  const auto digest = is_opaque(token) ? digest_of(token) : std::nullopt;
  if (!digest) return {};
  return std::string(kIdPrefix) + base64url_encode(digest->view());
}

std::optional<TokenHash> hash_of(Bytes name_space, Bytes either) {
  const auto digest = digest_of(either);
  if (!digest) return {};
  std::string text(name_space);
  text.append(1, '\0').append(digest->view());
  return sha256(text);
}

std::optional<TokenHash> hash_from(Bytes bytes) {
  TokenHash hash;
  if (bytes.size() != hash.bytes.size()) return {};
  std::ranges::transform(bytes, hash.bytes.begin(),
                         [](char c) { return static_cast<unsigned char>(c); });
  return hash;
}

}  // namespace paperboy::auth
