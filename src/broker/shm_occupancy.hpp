// Which channels have subscribers on this node, as it was told to whoever wants
// to know: when the first has come, when the last has gone.
//
// The truth is a channel's interests; beside them a bit says what was told.
// Where a worker that watches finds that the two differ, it turns the bit,
// gives the change the next number and tells it. All but the telling is one
// change under the lock: so of one channel first and last alternate by their
// numbers, whichever workers tell them, and what has the highest is so.
//
// Nobody tells by itself what becomes of a dead worker's interest, or what a
// worker without a watcher changes. That asks for a round, in which those that
// watch look at all channels, a few at a time.
//
// Of Paperboy's own channels nothing is told. Where nobody watches, nothing is
// noted.
//
// One in a process, for its watcher and what that is to be told; all else is in
// the zone, under the writer lock.
#pragma once

#include <cstdint>
#include <vector>

#include "base/bytes.hpp"
#include "broker/shm_layout.hpp"
#include "broker/shm_lock.hpp"
#include "broker/shm_types.hpp"

namespace paperboy::broker::shm {

class Occupancy {
 public:
  explicit Occupancy(View view) : view_(view) {}
  Occupancy(const Occupancy&) = delete;
  Occupancy& operator=(const Occupancy&) = delete;

  /// Of an empty zone, whose changes have numbers above this.
  void format(std::uint64_t number);

  /// Of this process; null: it doesn't watch. Next it is to decide. Takes no
  /// lock.
  void begin(Watcher* watcher);
  void stop() { watcher_ = nullptr; }
  [[nodiscard]] bool watches() const { return watcher_ != nullptr; }

  /// Whether this process watches says for all, from here on, whether changes
  /// are to be told; if so, a round finds those of before.
  void decide();
  [[nodiscard]] bool undecided() const { return undecided_; }

  /// Whether what changes has to be noted.
  [[nodiscard]] bool matters() const {
    return watcher_ != nullptr || header().watched != 0;
  }

  /// The channel's interests have changed, or may have: they are those of the
  /// living. False: what is to be told of it, another has to. REQUIRES:
  /// matters(), not one of Paperboy's own.
  bool note(Channel& channel, Bytes name);

  /// In the caller's transaction; at most one store.
  static void ask_for_round(Transaction& tx, View view);

  /// Tells what was noted. Without the lock.
  void tell() noexcept;

  /// How many changes this process has noted, ever.
  [[nodiscard]] std::uint64_t noted() const { return noted_; }

 private:
  [[nodiscard]] DirectoryHeader& header() const {
    return view_.header().directory;
  }
  bool remember(Bytes name, bool subscribed) noexcept;

  View view_;
  Watcher* watcher_ = nullptr;
  bool undecided_ = false;
  std::vector<Change> changes_;  // to be told
  std::uint64_t noted_ = 0;
};

}  // namespace paperboy::broker::shm
