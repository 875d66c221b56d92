// Opaque tokens: a word at random that says nothing. What it opens is kept by
// the server, under a hash: who reads what is kept has no token.
//
//   token = "pbo_" 32 characters of base64url     192 bits at random
//   id    = "pbi_" digest in base64url            digest: SHA-256 of the token
//   hash  = SHA-256 of: namespace NUL digest      so it is another in each
//
// No JSON Web Token begins so: its first bytes are a JSON object's. Values and
// pure functions.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>

#include "base/bytes.hpp"

namespace paperboy::auth {

/// Whether `token` wants to be one: it is then looked up, and never taken for a
/// JSON Web Token.
[[nodiscard]] bool is_opaque(Bytes token);

/// Nothing: there is no randomness.
[[nodiscard]] std::optional<std::string> make_opaque_token();

/// By which one is kept. Not a secret: it leads to no token.
struct TokenHash {
  std::array<unsigned char, 32> bytes{};

  /// By which connections remember it; never 0.
  [[nodiscard]] std::uint64_t number() const;

  [[nodiscard]] Bytes view() const {
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
  }

  friend bool operator==(const TokenHash&, const TokenHash&) = default;
};

/// What back ends call it by, who needn't keep the token. Nothing: it hasn't
/// the form of one.
[[nodiscard]] std::optional<std::string> id_of(Bytes token);

/// Of a token or its id; nothing: it has the form of neither.
[[nodiscard]] std::optional<TokenHash> hash_of(Bytes name_space, Bytes either);

/// Of the bytes of one; nothing: there are more, or fewer.
[[nodiscard]] std::optional<TokenHash> hash_from(Bytes bytes);

}  // namespace paperboy::auth
