// The directory: every channel that somebody subscribed to or published to,
// with its epoch, its last offset, and which seats want it.
//
// Found by a keyed hash in chains. When the arena is full, room is made: keys
// and history whose time is over go first, then channels that no live seat
// wants and that remember nothing, in the order of their use (shm_order.hpp),
// then, if the caller may, what was kept longest. A channel that comes back
// gets a new epoch, which says that positions of before mean nothing. Interest
// of seats that have changed hands is dropped whenever a channel is touched.
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
#include "broker/shm_history.hpp"
#include "broker/shm_keys.hpp"
#include "broker/shm_layout.hpp"
#include "broker/shm_occupancy.hpp"
#include "broker/shm_order.hpp"
#include "broker/shm_seats.hpp"

namespace paperboy::broker::shm {

/// Whether history may be let go before its time.
enum class Evict : std::uint8_t {
  none,
  willing,  // if the rule that kept it allows that
  any,
};

/// What one hold of the lock may do to make room.
struct Room {
  /// How many channels are looked at for one to evict. Those that are passed
  /// over become the newest, so that the next call looks at others.
  static constexpr std::size_t kLooks = 512;
  static constexpr std::size_t kDrops = 256;  // publications

  std::uint64_t now;  // time of the zone, ms
  Evict evict = Evict::willing;
  ChannelRef spare = 0;  // isn't evicted: the caller is at it
  Use use = Use::any;    // of what is kept
  std::size_t looks = kLooks;
  std::size_t drops = kDrops;

  /// Room was made, but not enough: the caller should release the lock for
  /// others, and then go on.
  [[nodiscard]] bool spent() const { return drops == 0; }
};

class Directory {
 public:
  Directory(View view, Arena arena, Seats seats, Order order, History history,
            Keys keys, Occupancy& occupancy)
      : view_(view),
        arena_(arena),
        seats_(seats),
        order_(order),
        history_(history),
        keys_(keys),
        occupancy_(occupancy) {}

  [[nodiscard]] static bool valid_name(Bytes name) {
    return !name.empty() && name.size() <= kMaxName;
  }

  /// The header's numbers are set: makes the directory empty.
  void format(const Options& options);

  /// 0: there is no such channel.
  [[nodiscard]] ChannelRef find(Bytes name) const;

  /// With Anchor::now it has a position afterwards. REQUIRES:
  /// valid_name(name). Error: too_many_channels.
  Result<ChannelRef> find_or_create(Bytes name, Room& room, Anchor anchor);

  /// Counts 1 more for the seat's worker, unless all count `most` already; 0:
  /// no limit. Errors: channel_full, too_many_channels (no room for one more
  /// seat), subscription_limit.
  Result<Done> add_interest(ChannelRef ref, SeatIndex seat, std::uint64_t most,
                            Room& room);

  /// Counts 1 less. Error: not_found.
  Result<Done> remove_interest(ChannelRef ref, SeatIndex seat);

  /// Drops the interest of workers that are gone.
  void prune(ChannelRef ref);

  /// Has told, where anybody wants to know, whether it has subscribers now.
  /// False: another worker has to.
  bool settle(ChannelRef ref);

  /// How many subscriptions count, over all seats.
  [[nodiscard]] std::uint64_t subscribers(ChannelRef ref) const;

  /// Counts as used now, to the second.
  void touch(ChannelRef ref, std::uint64_t now_ms);

  /// Frees some memory of the arena; false: no more of it may go.
  bool make_room(Room& room);

  /// Lets go what was kept longest; false: it may not go.
  bool evict_history(Room& room);

  [[nodiscard]] std::span<Interest> interests(ChannelRef ref) const;

  [[nodiscard]] Channel& channel(ChannelRef ref) const {
    return *view_.block<Channel>(ref);
  }
  [[nodiscard]] Bytes name(ChannelRef ref) const;

  /// Epoch and offset are 0 where it has none.
  [[nodiscard]] Position position(ChannelRef ref) const;

  /// One that it has passed; without the lock. None where that is being set.
  [[nodiscard]] Position passed(ChannelRef ref) const;

  /// At most 5 stores. What is kept has to be forgotten, or to end there.
  void set_position(Transaction& tx, ChannelRef ref, const Position& at);

  /// From here it has no position, and what is kept will be something else.
  /// The mark by which the caller knows, later, that this was the last time.
  std::uint64_t clear_position(ChannelRef ref);

  [[nodiscard]] bool is_marked(ChannelRef ref, std::uint64_t mark) const {
    return channel(ref).epoch == 0 && channel(ref).offset == mark;
  }

 private:
  [[nodiscard]] DirectoryHeader& header() const {
    return view_.header().directory;
  }
  [[nodiscard]] Ref& bucket(std::uint64_t hash) const;
  [[nodiscard]] ChannelRef find(Bytes name, std::uint64_t hash) const;
  ChannelRef create(Bytes name, std::uint64_t hash, std::uint64_t now_ms,
                    Anchor anchor);
  bool begin_epoch(ChannelRef ref, Room& room);
  std::uint64_t next_epoch(Transaction& tx);
  bool evict_one(Room& room);
  bool evict_if_idle(ChannelRef ref, const Room& room);
  void drop(ChannelRef ref);
  Result<Done> insert_interest(ChannelRef ref, SeatIndex seat, Room& room);
  bool has_room(ChannelRef ref) const;
  bool grow(ChannelRef ref);
  void remove_at(ChannelRef ref, std::size_t i);

  View view_;
  Arena arena_;
  Seats seats_;
  Order order_;
  History history_;
  Keys keys_;
  Occupancy& occupancy_;
};

}  // namespace paperboy::broker::shm
