// One anchoring: a channel gets a position that was made elsewhere, and what
// was published there before it, in as many holds of the lock as that takes.
//
// Where there is something to forget or to keep, the channel loses its position
// first, and has one again in the last step, which appends the record that
// tells it. So nobody takes half a window for all of it, and who is killed
// leaves a channel without a position, which whoever comes next anchors. The
// mark that the channel has meanwhile tells whether somebody else did between
// two holds; then it begins again.
//
// Lives on the stack of one call of Zone's.
#pragma once

#include <optional>
#include <span>

#include "base/result.hpp"
#include "broker/shm_parts.hpp"
#include "broker/shm_types.hpp"

namespace paperboy::broker::shm {

class Anchoring {
 public:
  /// `name` and `window` must outlive this.
  Anchoring(Bytes name, const Position& at, std::span<const Recent> window,
            const Retention& keep);

  /// Whether each of the window follows the one before, and the last is at the
  /// position, which is one.
  [[nodiscard]] bool valid() const;

  /// A bounded share, under the lock. Nothing: call again, in another hold.
  /// REQUIRES: valid(). Errors: see Zone::anchor.
  std::optional<Result<Done>> go_on(Parts& parts, SeatSet& wakes);

 private:
  void drop_what_isnt_kept();
  [[nodiscard]] bool is_there(const Parts& parts) const;
  [[nodiscard]] bool is_whole(const Parts& parts) const;
  bool begin(Parts& parts);
  bool prime(Parts& parts);
  bool prime_next(Parts& parts, Room& room);
  void finish(Parts& parts, SeatSet& wakes);

  const Bytes name_;
  const Position at_;
  std::span<const Recent> window_;
  Retention keep_;
  ChannelRef ref_ = 0;      // in this hold
  std::uint64_t mark_ = 0;  // of the channel, since it began; 0: it didn't
  int begun_ = 0;           // times
  int vain_ = 0;            // holds in which room was made, but not enough
  bool emptied_ = false;    // nothing is kept but what this kept
  std::size_t next_ = 0;    // of the window
};

}  // namespace paperboy::broker::shm
