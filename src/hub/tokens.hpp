// The port through which back ends make and end opaque tokens. One a worker, on
// its event loop.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "base/bytes.hpp"
#include "base/publication.hpp"
#include "base/result.hpp"

namespace paperboy::hub {

/// The key of the channel in which what is kept of them goes; no name makes it.
inline constexpr Bytes kTokens{"\0tokens", 7};

/// What that channel keeps, of `most` tokens: all that are good are told again
/// before they would be forgotten.
[[nodiscard]] inline Retention kept_tokens(std::uint32_t most) {
  return {.count = 4 * most + 1000, .bytes = 0, .age_ms = 0, .pinned = true};
}

struct TokenWish {
  std::string name_space;
  std::string claims;         // what it opens: a JSON object
  std::uint64_t seconds = 0;  // that it lives
  bool sliding = false;       // after its last use
};

struct MadeToken {
  std::string token;
  std::string id;
  std::int64_t expires = 0;  // seconds since 1970
};

class Tokens {
 public:
  using MadeReply = std::function<void(const Result<MadeToken>&)>;
  /// True: it was good until then, as this node knew. It is no more, anywhere.
  using EndReply = std::function<void(const Result<bool>&)>;

  Tokens() = default;
  Tokens(const Tokens&) = delete;
  Tokens& operator=(const Tokens&) = delete;
  virtual ~Tokens() = default;

  /// Errors: bad_request (the claims, or the time, can't be), too_large (there
  /// are as many as may be, or it opens too much), unavailable (it isn't known
  /// yet which there are), and those of publish.
  virtual void create(const TokenWish& wish, const MadeReply& reply) = 0;

  /// By itself, or by its id. Errors: bad_request (it is neither), and as
  /// above.
  virtual void end(Bytes name_space, Bytes token, const EndReply& reply) = 0;
};

}  // namespace paperboy::hub
