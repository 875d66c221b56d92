// A publish, under the writer lock: room in the log, in what may be kept and
// in the arena is made or found first, and then one transaction appends the
// record, keeps the message, and notes the key. So a publication is there as a
// whole, or not at all. Where there is no room, what takes something away
// (hub/withdrawal.hpp) goes into the reserve.
//
// A view without state of its own.
#pragma once

#include <optional>

#include "base/result.hpp"
#include "broker/shm_directory.hpp"
#include "broker/shm_history.hpp"
#include "broker/shm_keys.hpp"
#include "broker/shm_layout.hpp"
#include "broker/shm_log.hpp"

namespace paperboy::broker::shm {

/// Both times of one call.
struct Times {
  std::uint64_t monotonic;  // ms
  std::uint64_t zone;       // ms; see Zone
};

class Publisher {
 public:
  Publisher(View view, Directory directory, History history, Keys keys, Log log)
      : view_(view),
        directory_(directory),
        history_(history),
        keys_(keys),
        log_(log) {}

  /// Before the lock: what can never be published. Errors: channel_name,
  /// bad_request, too_large.
  [[nodiscard]] Result<Done> check(const Draft& draft) const;

  /// Publishes what check() let pass. Nothing: room was made, but not enough
  /// by one hold of the lock: release it and call again. Errors: see
  /// Zone::publish.
  std::optional<Result<Published>> publish(const Draft& draft, Anchor anchor,
                                           const Times& now, SeatSet& wakes);

  /// The same of a publication that was made elsewhere. REQUIRES: it has no
  /// key, and may evict. Errors: see Zone::import.
  std::optional<Result<Import>> import(const Draft& draft, const Position& at,
                                       const Times& now, SeatSet& wakes);

  /// Keeps `draft` at `at`, and tells nobody. False: there is no room, or not
  /// by this hold of the lock.
  bool keep_alone(ChannelRef ref, const Draft& draft, std::uint64_t offset,
                  std::uint64_t made_at, Room& room);

 private:
  using Outcome = std::optional<Result<Published>>;

  Outcome publish_to(ChannelRef ref, const Draft& draft, Room& room,
                     SeatSet& wakes);
  Outcome publish_in(ChannelRef ref, const Draft& draft, Room& room,
                     SeatSet& wakes);
  bool fit_history(ChannelRef ref, const Draft& draft, Room& room);
  bool build(Chunks& chunks, Room& room);
  std::optional<Position> commit(ChannelRef ref, const Draft& draft,
                                 const Room& room);
  Outcome refuse(const Room& room, Error error);

  View view_;
  Directory directory_;
  History history_;
  Keys keys_;
  Log log_;
};

}  // namespace paperboy::broker::shm
