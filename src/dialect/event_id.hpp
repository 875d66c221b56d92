// Where a stream of events stands in all its channels: the id of an event,
// which a client that comes back shows as its Last-Event-ID.
//
//   id    = position                     of a stream of one channel
//         | entry *( "," entry )         of one of several
//   entry = tag "=" position             position = epoch ":" offset
//
// A tag stands for a channel's name, so that a client may come back to a
// location whose channels have become others.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/bytes.hpp"
#include "base/position.hpp"

namespace paperboy::dialect {

inline constexpr std::size_t kMaxEventId = 4096;  // bytes

/// How many channels' positions fit into an id, however long they are.
inline constexpr std::size_t kMaxEventChannels = 80;

/// A position that no channel has: who comes from there has missed something.
inline constexpr Position kNowhere{UINT64_MAX, UINT64_MAX};

using Tag = std::uint32_t;
[[nodiscard]] Tag channel_tag(Bytes name);

/// Appends one channel's entry; REQUIRES: not more than kMaxEventChannels.
void append_entry(std::string& id, Tag tag, const Position& position);

/// An id that a client came back with.
class EventId {
 public:
  /// What can't be read is kNowhere in every channel.
  explicit EventId(Bytes text);

  /// Where it was in the channel of that name; epoch 0: it wasn't there, since
  /// the id tells of others only.
  [[nodiscard]] Position in(Bytes channel) const;

 private:
  struct Entry {
    Tag tag;
    Position position;
  };

  bool add(Bytes entry);
  [[nodiscard]] const Entry* find(Tag tag) const;

  std::optional<Position> everywhere_;  // whatever the channel
  std::vector<Entry> entries_;
};

}  // namespace paperboy::dialect
