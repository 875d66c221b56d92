// What the directives paperboy_limit_* say of a location.
#pragma once

#include "nginx/ngx.hpp"

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/rate.hpp"

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
  std::uint64_t number = 0;  // so many
  std::uint64_t in_ns = 0;   // in so long
  std::uint64_t burst = 0;   // and at once; 0: not set
  Rate rate{};               // made of these

  /// Without a burst it is `number`, but `least` at least.
  void finish(std::uint64_t least) {
    const std::uint64_t at_once = burst != 0 ? burst : std::max(number, least);
    rate = Rate::of(number, in_ns, at_once);
  }
};

struct BadTokenLimit {
  Rate rate;
  std::uint64_t pause_ns;
};

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
