// Who is in which channel: each member in its channel's list, the newest
// first, and in that of the seat whose worker brought it in; both are left in
// constant time. A dead worker's members mean nothing at once; their list
// becomes the orphans', of whom a few are removed at a time, and those who were
// announced told to have left.
//
// A view without state of its own; everything under the writer lock.
#pragma once

#include <array>
#include <cstdint>
#include <functional>

#include "base/member.hpp"
#include "broker/shm_arena.hpp"
#include "broker/shm_layout.hpp"
#include "broker/shm_lock.hpp"
#include "broker/shm_order.hpp"
#include "broker/shm_seats.hpp"

namespace paperboy::broker::shm {

class Members {
 public:
  /// All that a member brings, in bytes: it has one block.
  static constexpr std::size_t kMaxLength = kMaxBlock - sizeof(MemberEntry);

  Members(View view, Arena arena, Seats seats, Order order)
      : view_(view), arena_(arena), seats_(seats), order_(order) {}

  void format();

  [[nodiscard]] static bool fits(const Member& member);

  /// REQUIRES: fits(member). 0: the arena is full.
  Ref enter(ChannelRef channel, SeatIndex seat, const Member& member,
            bool announced);

  /// Whether `ref` is a member whom the seat's present worker brought in.
  [[nodiscard]] bool is_of(Ref ref, SeatIndex seat) const;

  /// In the caller's transaction; at most 40 stores.
  void remove(Transaction& tx, Ref ref);

  /// The next whose worker is gone; 0: none.
  [[nodiscard]] Ref orphan() const { return header().orphans; }

  [[nodiscard]] MemberEntry& entry(Ref ref) const {
    return *view_.block<MemberEntry>(ref);
  }

  /// The bytes lie in the zone.
  [[nodiscard]] Member member(const MemberEntry& entry) const;

  /// Whether `ref` still is the member of that serial.
  [[nodiscard]] bool is_still(Ref ref, std::uint64_t serial) const;

  [[nodiscard]] bool live(const MemberEntry& entry) const {
    return seats_.live(entry);
  }

 private:
  [[nodiscard]] MembersHeader& header() const { return view_.header().members; }
  void link(Transaction& tx, Annex& annex, Ref ref);
  void unlink_from_seat(Transaction& tx, const MemberEntry& it);

  View view_;
  Arena arena_;
  Seats seats_;
  Order order_;
};

/// One reading of a channel's members, in as many holds of the lock as it
/// takes. Who was there all the time is shown once; who came meanwhile isn't,
/// who left may be.
class MemberReader {
 public:
  /// Called under the lock.
  using Sink = std::function<void(const Member&)>;

  explicit MemberReader(Sink sink) : sink_(std::move(sink)) {}

  /// Reads on; true: that was all. No annex: nobody is there.
  bool read_on(const Members& members, const Annex* annex);

 private:
  struct Seen {
    Ref ref;
    std::uint64_t serial;
  };

  [[nodiscard]] Ref resume(const Members& members, const Annex& annex) const;

  Sink sink_;
  std::uint64_t seen_ = 0;
  std::array<Seen, 16> last_{};  // the last that were seen, in turn
};

}  // namespace paperboy::broker::shm
