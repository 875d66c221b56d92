// A channel as one worker sees it: who of its connections subscribes, and up
// to where they were delivered to. Lives from the worker's first subscriber to
// its last; the node-wide channel is the broker's.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <vector>

#include "base/encoder.hpp"
#include "base/history.hpp"
#include "hub/broker.hpp"
#include "hub/groups.hpp"
#include "hub/subscription.hpp"

namespace paperboy::hub {

/// One that waits to be told what it missed, or where it begins; what comes
/// meanwhile is kept for it. Shared with the answer that it waits for.
struct Held {
  static constexpr std::uint64_t kNothing = UINT64_MAX;

  std::uint64_t id = 0;
  Subscription* subscription = nullptr;  // null: it has left, or goes on
  Encoder* encoder = nullptr;
  Position begin;  // what comes after it is its own; of epoch 0: not known
  Position last;   // of what came for it, or `begin`
  std::uint64_t first = kNothing;  // number of its first one in `Live`
  bool lost = false;      // something after `last` came, and isn't kept
  bool anchored = false;  // `begin` is where the channel was anchored
};

/// What came while some are held, once for all of them.
struct Live {
  std::deque<Kept> kept;
  std::uint64_t base = 0;  // number of the oldest
  std::size_t bytes = 0;

  [[nodiscard]] std::uint64_t end() const { return base + kept.size(); }
  /// Allocates nothing, as a new one would.
  void clear() noexcept {
    kept.clear();
    base = bytes = 0;
  }
};

/// What few channels have, and those for a short time: the hub keeps it.
struct Apart {
  std::vector<std::shared_ptr<Held>> held;
  Live live;                 // nothing where none is held
  Position skipped;          // what came while `repairing`, the last of it
  std::uint64_t repair = 0;  // of the hub's
};

/// Mostly of one subscriber, who has nothing to share its cost with.
struct Channel {
  Channel(ChannelRef ref, Position last) noexcept : last(last), ref(ref) {}

  Position last;  // of epoch 0: not known, nothing was delivered
  ChannelRef ref;
  std::uint32_t batch : 29 = 0;     // the last of the hub's, if `in_batch`
  std::uint32_t in_batch : 1 = 0;   // this drain brought something
  std::uint32_t repairing : 1 = 0;  // its history is being read
  std::uint32_t has_apart : 1 = 0;
  Groups groups;
};

}  // namespace paperboy::hub
