// The directory: every channel that somebody subscribed to or published to,
// with its epoch, its last offset, and which seats want it.
//
// Found by a keyed hash in chains; all channels are also in one order of use,
// from which those that no live seat wants are evicted when the arena is full.
// A channel that comes back gets a new epoch, which says that positions of
// before mean nothing. Interest of seats that have changed hands is dropped
// whenever a channel is touched.
//
// A view without state of its own; everything under the writer lock. Each
// call here commits its changes itself; one that fails has changed nothing but
// dropped and evicted what nobody wants.
#pragma once

#include <cstdint>
#include <optional>
#include <span>

#include "base/result.hpp"
#include "broker/shm_arena.hpp"
#include "broker/shm_layout.hpp"
#include "broker/shm_seats.hpp"

namespace paperboy::broker::shm {

class Directory {
 public:
  Directory(View view, Arena arena, Seats seats)
      : view_(view), arena_(arena), seats_(seats) {}

  [[nodiscard]] static bool valid_name(Bytes name) {
    return !name.empty() && name.size() <= kMaxName;
  }

  /// The header's numbers are set: makes the directory empty.
  void format(const Options& options);

  /// 0: there is no such channel.
  [[nodiscard]] ChannelRef find(Bytes name) const;

  /// REQUIRES: valid_name(name). Error: too_many_channels.
  Result<ChannelRef> find_or_create(Bytes name, std::uint64_t now_ms);

  /// Counts 1 more for the seat's worker. Errors: too_many_channels (no room
  /// for one more seat), subscription_limit.
  Result<Done> add_interest(ChannelRef ref, SeatIndex seat);

  /// Counts 1 less. Error: not_found.
  Result<Done> remove_interest(ChannelRef ref, SeatIndex seat);

  /// Drops the interest of workers that are gone.
  void prune(ChannelRef ref);

  /// Counts as used now, to the second.
  void touch(ChannelRef ref, std::uint64_t now_ms);

  [[nodiscard]] std::span<Interest> interests(ChannelRef ref) const;

  [[nodiscard]] Channel& channel(ChannelRef ref) const {
    return *view_.block<Channel>(ref);
  }
  [[nodiscard]] Bytes name(ChannelRef ref) const;
  [[nodiscard]] Position position(ChannelRef ref) const;

 private:
  [[nodiscard]] DirectoryHeader& header() const {
    return view_.header().directory;
  }
  [[nodiscard]] Ref& bucket(std::uint64_t hash) const;
  [[nodiscard]] ChannelRef find(Bytes name, std::uint64_t hash) const;
  ChannelRef create(Bytes name, std::uint64_t hash, std::uint64_t now_ms);
  std::uint64_t next_epoch(Transaction& tx);
  bool evict_one(std::size_t& budget);
  void drop(ChannelRef ref);
  bool has_room(ChannelRef ref) const;
  bool grow(ChannelRef ref);
  void remove_at(ChannelRef ref, std::size_t i);
  void enlist(Transaction& tx, ChannelRef ref);
  void delist(Transaction& tx, ChannelRef ref);

  View view_;
  Arena arena_;
  Seats seats_;
};

}  // namespace paperboy::broker::shm
