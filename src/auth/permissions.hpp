// What the bearer of a token may do, and in which channels.
//
// A value: owned by the session (or request) whose token it came from, as long
// as that token is what admits it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "base/bytes.hpp"

namespace paperboy::auth {

enum class Scope : std::uint8_t { subscribe, publish, history, presence };

/// Allows nothing until channels and scopes are added.
///
/// A channel's pattern is its exact name, or a prefix followed by one `*` at
/// the end; `*` alone names all channels; a `*` elsewhere is just a character.
/// Case counts.
class Grants {
 public:
  static constexpr std::size_t kMaxChannels = 256;
  static constexpr std::size_t kMaxChannelLength = 1024;

  /// Every scope in every channel.
  static Grants everything();

  /// False, and nothing is added, for an empty pattern or one that goes over
  /// either limit. `exact`: its last `*` is a character like any other.
  [[nodiscard]] bool add_channel(Bytes pattern, bool exact = false);

  /// Grants `scope` in the channels that `pattern` names, whatever the token's
  /// scopes are. `exact`, and when false: as add_channel.
  [[nodiscard]] bool add(Scope scope, Bytes pattern, bool exact);

  /// Says that channels are named although there may be none: an empty list
  /// is a list, and allows no channel.
  void name_channels() { names_channels_ = true; }

  /// From now on a `*` at the end of a channel is a character like any other.
  void name_exactly() { exact_ = true; }

  void add_scope(Scope scope);

  /// Both the scope and the channel are granted.
  [[nodiscard]] bool allows(Scope scope, Bytes channel) const;

  /// The scope is granted, whatever the channel.
  [[nodiscard]] bool has(Scope scope) const;

  /// False where the token named no channels at all: then allows() is false
  /// for every channel, and a location whose channels are fixed may decide by
  /// has() alone.
  [[nodiscard]] bool names_channels() const { return names_channels_; }

 private:
  struct Channel {
    std::string pattern;
    bool exact;
  };
  struct Capability {
    std::string pattern;
    std::uint8_t scopes;
    bool exact;
  };

  std::vector<Channel> channels_;
  std::vector<Capability> capabilities_;
  std::uint8_t scopes_ = 0;
  bool names_channels_ = false;
  bool exact_ = false;
};

}  // namespace paperboy::auth
