// What a Zone is made of, for the files that implement it.
#pragma once

#include <optional>
#include <utility>

#include "base/clock.hpp"
#include "broker/shm_arena.hpp"
#include "broker/shm_directory.hpp"
#include "broker/shm_history.hpp"
#include "broker/shm_keys.hpp"
#include "broker/shm_layout.hpp"
#include "broker/shm_lock.hpp"
#include "broker/shm_log.hpp"
#include "broker/shm_members.hpp"
#include "broker/shm_occupancy.hpp"
#include "broker/shm_order.hpp"
#include "broker/shm_publisher.hpp"
#include "broker/shm_seats.hpp"
#include "broker/shm_sightings.hpp"
#include "broker/shm_types.hpp"

namespace paperboy::broker::shm {

inline constexpr Error kBadName = {ErrorCode::channel_name,
                                   "the channel's name is empty or too long"};

// One call makes room in so many holds of the lock, and then gives up.
inline constexpr int kHolds = 256;

struct Parts {
  Parts(std::byte* base, const Clock& clock, Waker& waker)
      : view(base),
        arena(view),
        seats(view),
        order(view, arena),
        history(view, arena, order),
        members(view, arena, seats, order),
        keys(view, arena),
        occupancy(view),
        directory(view, arena, seats, order, history, keys, occupancy),
        log(view, directory, seats),
        publisher(view, directory, history, keys, log),
        sightings(view),
        clock(clock),
        waker(waker) {}

  [[nodiscard]] Times now() const {
    const std::uint64_t ms = clock.monotonic_ms();
    return {ms, ms + view.header().time_base};
  }

  View view;
  Arena arena;
  Seats seats;
  Order order;
  History history;
  Members members;
  Keys keys;
  Occupancy occupancy;
  Directory directory;
  Log log;
  Publisher publisher;
  Sightings sightings;
  const Clock& clock;
  Waker& waker;
};

/// The time under the lock: what a dead one left is completed first, and who
/// has to be woken, or to be told something, is after the lock is released,
/// since a wake-up is a system call.
class Critical {
 public:
  explicit Critical(Parts& parts, Patience patience = Patience::usual)
      : parts_(parts), lock_(std::in_place, parts.view, patience) {
    if (lock_->held()) {
      parts.log.recover(wakes);
      parts.history.recover();
    }
  }
  Critical(const Critical&) = delete;
  Critical& operator=(const Critical&) = delete;
  ~Critical() {
    lock_.reset();
    wakes.each([this](SeatIndex seat) { parts_.waker.wake(seat); });
    parts_.occupancy.tell();
  }

  [[nodiscard]] bool held() const { return lock_->held(); }

  SeatSet wakes;

 private:
  Parts& parts_;
  std::optional<WriterLock> lock_;
};

}  // namespace paperboy::broker::shm
