// What a conversation has with a back end that speaks of its user: the channel
// in which it hears what is sent to that user, and what it has asked. A part of
// its conversation, which has none before the first.
#pragma once

#include <cstddef>
#include <cstdint>
#include <list>
#include <memory>
#include <vector>

#include "base/slab.hpp"
#include "hub/notice.hpp"
#include "hub/subscription.hpp"

namespace paperboy::session {

class Session;

struct Liaison : Slabbed<Liaison> {
  explicit Liaison(hub::Subscriber& owner) : user(owner) {}

  /// A subscription that a back end let it into just now.
  struct Young {
    const hub::Subscription* at;
    Position joined;  // it gets what comes behind it; epoch 0: not known yet
    std::vector<hub::Notice> copies;  // that wait until it is
  };

  /// What is of no use any more a while after the last that came of a back end,
  /// or was asked of it.
  struct Recent {
    std::list<Session*>::iterator place;  // in those of the worker
    std::uint64_t until = 0;              // monotonic ms
    std::vector<Young> young;
    std::size_t asked = 0;    // requests,
    std::size_t left = 0;     // and orders to leave for all of its user's,
    std::uint64_t since = 0;  // since then, monotonic ms
  };

  hub::Subscription user;          // to what its user is sent
  std::unique_ptr<Recent> recent;  // null: it is over
};

}  // namespace paperboy::session
