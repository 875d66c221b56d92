// A channel as one worker sees it: who of its connections subscribes, and up
// to where they were delivered to. Lives from the worker's first subscriber to
// its last; the node-wide channel is the broker's.
#pragma once

#include <string>
#include <vector>

#include "base/encoder.hpp"
#include "hub/broker.hpp"
#include "hub/subscription.hpp"

namespace paperboy::hub {

/// The subscribers who take the same bytes.
struct Group {
  Encoder* encoder = nullptr;
  std::vector<Subscription*> members;
  std::string* run = nullptr;  // what this batch brings; the hub's
};

struct Channel {
  Channel(Hub& hub, ChannelRef ref, Position last)
      : hub(hub), ref(ref), last(last) {}

  Hub& hub;
  ChannelRef ref;
  std::uint32_t batch = 0;  // publications in the runs
  bool hole = false;        // publications before the runs were lost
  Position last;
  std::vector<Group> groups;
};

}  // namespace paperboy::hub
