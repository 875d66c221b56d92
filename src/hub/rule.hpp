// Rules: the settings of the channels whose names match a pattern. They hold
// for a channel wherever it is used, so there is one set a node. Immutable;
// outlives the hub.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <unordered_map>

#include "base/bytes.hpp"
#include "base/publication.hpp"

namespace paperboy::hub {

/// Who may do something in a channel.
enum class Access : std::uint8_t {
  location,  // as the location and its tokens say
  any,       // whoever has a connection
  token,     // whoever's token grants it for this channel
  user,      // who has a name, and whoever's token grants it
  own,       // whose name follows the pattern's prefix, and whoever's token ...
  nobody,
};

struct Rule {
  Retention keep;
  bool presence = false;    // who is there is known
  bool join_leave = false;  // and who comes and goes is told
  Access subscribe = Access::location;
  Access publish = Access::location;
  Access read_history = Access::location;
  Access read_presence = Access::location;
  std::uint64_t max_subscribers = 0;  // on this node; 0: no limit
  std::uint32_t replicas = 0;         // see Draft
  std::uint64_t replicas_ms = 1000;
  bool best_effort = false;
  std::uint32_t prefix = 0;  // bytes of a name that its pattern's `*` follows

  /// To be published in a channel of this rule.
  void apply_to(Draft& draft) const;
};

/// Whether this rule opens the channel `name` to `user` for what it says `who`
/// may, without a token that grants it. A name that follows the prefix is the
/// user's where it is the user's name, alone or before a `:` or `/`; whose name
/// has one of these owns nothing, since it could be taken for another's.
[[nodiscard]] bool opens(const Rule& rule, Access who, Bytes name, Bytes user);

class RuleSet {
 public:
  RuleSet() = default;
  /// `built_in`: of the channels that no pattern matches.
  explicit RuleSet(const Rule& built_in) : built_in_(built_in) {}

  /// `pattern`: a channel's exact name, or a prefix followed by one `*` at the
  /// end. False: it has a rule already, or is empty.
  [[nodiscard]] bool add(Bytes pattern, const Rule& rule);

  /// That of the most specific pattern that matches `name` (without its
  /// namespace): the exact one, else the longest prefix; else the built-in one.
  /// Unless it is given, that one keeps nothing.
  [[nodiscard]] const Rule& find(Bytes name) const;

 private:
  std::unordered_map<std::string, Rule> exact_;
  std::map<std::string, Rule, std::less<>> prefixes_;
  Rule built_in_;
};

}  // namespace paperboy::hub
