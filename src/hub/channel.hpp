// A channel as one worker sees it: who of its connections subscribes, and up
// to where they were delivered to. Lives from the worker's first subscriber to
// its last; the node-wide channel is the broker's.
#pragma once

#include <cstdint>
#include <vector>

#include "base/encoder.hpp"
#include "hub/broker.hpp"
#include "hub/subscription.hpp"

namespace paperboy::hub {

/// The subscribers who take the same bytes.
struct Group {
  Encoder* encoder = nullptr;
  std::vector<Subscription*> members;
};

struct Channel {
  Channel(Hub& hub, ChannelRef ref, Position last)
      : hub(hub), ref(ref), last(last) {}

  Hub& hub;
  ChannelRef ref;
  bool in_batch = false;    // this drain brought something
  std::uint32_t batch = 0;  // then: which of the hub's batches is the last
  Position last;
  std::vector<Group> groups;
};

}  // namespace paperboy::hub
