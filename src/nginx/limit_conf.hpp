// What the directives paperboy_limit_* say of a location.
#pragma once

#include "nginx/ngx.hpp"

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/pace.hpp"

namespace paperboy::nginx {

/// Whom a limit counts together.
struct LimitKey {
  enum class By : std::uint8_t {
    connection,  // each for itself
    address,     // of IPv6 the first 64 bits
    user,        // of a token, in the location's namespace
    all,
    value,  // who has the same, unless that is empty
  };
  By by = By::all;
  std::string name;  // limits of one name count together, wherever they stand
  ngx_http_complex_value_t* value = nullptr;
};

struct ConnectionLimit {
  LimitKey key;
  std::uint64_t most;
};

struct RateLimit {
  LimitKey key{};
  Pace pace{};
  Rate rate{};  // made of it
};

struct BadTokenLimit {
  Rate rate;
  std::uint64_t pause_ns;
};

/// Of bytes fewer at once would keep out one read of a connection (see
/// connection.cpp), or a message that may be sent.
[[nodiscard]] inline std::uint64_t least_burst(std::size_t max_message_size) {
  constexpr std::size_t kRead = 32UL * 1024;
  return std::max(kRead, max_message_size);
}

/// Lists are inherited as a whole, where a level has none of its own; an empty
/// one: `off`.
struct LimitsConf {
  std::optional<std::vector<ConnectionLimit>> connections;
  std::optional<std::vector<RateLimit>> upgrades;
  std::optional<std::vector<RateLimit>> messages;
  std::optional<std::vector<RateLimit>> bytes;
  std::optional<std::vector<BadTokenLimit>> bad_tokens;  // one

  void inherit(const LimitsConf& parent);

  /// Whether a connection has anything to remember.
  [[nodiscard]] bool watches() const;
};

template <typename Limit>
const std::vector<Limit>& each(const std::optional<std::vector<Limit>>& list) {
  static const std::vector<Limit> none;
  return list ? *list : none;
}

}  // namespace paperboy::nginx
