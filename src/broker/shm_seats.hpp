// The seats: who the workers are, and which of them live.
//
// A worker holds its seat's `alive` mutex for its whole life. Whoever finds it
// to be had knows that the worker is gone, whatever has become of its pid.
// That is asked rarely (claiming, reaping, want of room in the log); between,
// a seat counts as its worker's while it is `taken`.
//
// Nothing that a dead worker held is searched for: interest names the seat
// with its generation, and means nothing once that has changed. Whom it brought
// into channels are a list of the seat's, which is handed to the orphans.
//
// A view without state of its own; under the writer lock unless it says not.
#pragma once

#include <cstdint>
#include <optional>

#include "broker/shm_layout.hpp"
#include "broker/shm_lock.hpp"

namespace paperboy::broker::shm {

namespace interest {

inline constexpr std::uint64_t kMaxCount = (1U << 28) - 1;
inline constexpr std::uint32_t kGenerations = (1U << 24) - 1;

[[nodiscard]] constexpr Interest make(SeatIndex seat, std::uint32_t generation,
                                      std::uint64_t count) {
  return std::uint64_t{seat} << 52 |
         std::uint64_t{generation & kGenerations} << 28 | count;
}
[[nodiscard]] constexpr SeatIndex seat(Interest i) {
  return static_cast<SeatIndex>(i >> 52);
}
[[nodiscard]] constexpr std::uint32_t generation(Interest i) {
  return static_cast<std::uint32_t>(i >> 28) & kGenerations;
}
[[nodiscard]] constexpr std::uint64_t count(Interest i) {
  return i & kMaxCount;
}

}  // namespace interest

class Seats {
 public:
  explicit Seats(View view) : view_(view) {}

  /// The header's numbers are set: makes all seats free.
  void format();

  /// Nobody uses the zone: makes the locks anew, so that whoever had a seat
  /// counts as dead.
  void reopen();

  /// The lowest seat whose worker is gone or never was; nullopt: none. What
  /// it will read begins at the log's end.
  std::optional<SeatIndex> claim(std::uint64_t now_ms);

  /// By its worker only. Works without the lock too, as dying would.
  void release(SeatIndex seat, bool locked);

  /// Frees the seat if its worker is dead; whether it did.
  bool reap(SeatIndex seat);

  /// Whether what this worker counted as interest still counts.
  [[nodiscard]] bool live(Interest i) const;

  /// Interest of the seat's present worker, counted once.
  [[nodiscard]] Interest interest_of(SeatIndex seat) const;

  [[nodiscard]] bool taken(SeatIndex seat) const;

  /// By its worker only, without the lock; it ends with the worker.
  void set_relay(SeatIndex seat, bool relays);

  /// Nothing: it doesn't relay, or wasn't seen within the stall limit. Without
  /// the lock.
  [[nodiscard]] std::optional<Relay> relay(SeatIndex seat,
                                           std::uint64_t now_ms) const;

  /// Whether who brought this member in is there.
  [[nodiscard]] bool live(const MemberEntry& member) const;
  [[nodiscard]] SeatIndex number() const;

 private:
  void vacate(Seat& seat);

  View view_;
};

}  // namespace paperboy::broker::shm
