// What the workers and nodes of a service tell each other of opaque tokens. It
// goes through a channel of our own, whose history is what a node that starts
// knows of them. The token itself is never in it. A value.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/bytes.hpp"

namespace paperboy {

struct TokenRecord {
  static constexpr std::size_t kHash = 32;  // bytes
  static constexpr std::int64_t kMaxSeconds = 10LL * 365 * 86'400;

  enum class Kind : std::uint8_t {
    put = 1,  // there is one, or there still is
    prolong,  // it was used, and ends at `expires`
    end,      // there is none any more
  };

  Kind kind = Kind::put;
  std::string hash{};        // kHash bytes
  std::int64_t expires = 0;  // seconds since 1970; of `end`: it doesn't matter

  // Of `put`.
  std::uint64_t node = 0;     // that says so
  std::int64_t issued = 0;    // seconds since 1970
  std::uint32_t sliding = 0;  // seconds that a use prolongs it by; 0: none does
  std::string claims{};       // as a JSON Web Token's: a JSON object
};

[[nodiscard]] std::string encode(const TokenRecord& record);

/// Nothing for what this build doesn't write.
[[nodiscard]] std::optional<TokenRecord> decode_token_record(Bytes text);

}  // namespace paperboy
