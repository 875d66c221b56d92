// Tokens that are good no more before their time, as a back end says it: those
// that are all of what it names. It goes through a channel of our own to all
// workers, of all nodes, and is kept there as long as such a token could live.
// A value.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/bytes.hpp"

namespace paperboy {

struct Revocation {
  static constexpr std::uint32_t kAlways = UINT32_MAX;

  // Limits, in bytes.
  static constexpr std::size_t kMaxToken = 256;
  static constexpr std::size_t kMaxUser = 512;

  std::string name_space{};
  std::string token{};                // its id (jti); empty: any
  std::optional<std::string> user{};  // empty: of tokens without a user
  std::string channel{};              // a key: only this is taken from them;
                                      // empty: all is

  /// Issued (iat) before this second since 1970, or at a time they don't say.
  std::uint32_t before = kAlways;
  /// It is remembered until then.
  std::uint32_t until = 0;
};

[[nodiscard]] std::string encode(const Revocation& revocation);

/// Nothing for what this build doesn't write.
[[nodiscard]] std::optional<Revocation> decode_revocation(Bytes text);

}  // namespace paperboy
