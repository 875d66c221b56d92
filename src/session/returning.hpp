// A subscription of which it isn't known yet where it begins: its client may
// have been here before, and not have meant to leave. A part of its
// conversation, for as long as that takes.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "hub/departure.hpp"
#include "hub/subscription.hpp"

namespace paperboy::session {

struct Returning {
  hub::Subscription* at;
  std::uint64_t number;  // of the worker's, ever
  std::uint64_t until;   // monotonic ms; then it begins where the channel is
  std::int64_t expires;  // of its token
  bool goes_on = false;  // it is known from where, and the hub is asked
  std::vector<hub::LeftPlace> left{};            // that it may still take
  std::optional<hub::Departure::Place> taken{};  // it goes on from there
};

}  // namespace paperboy::session
