// The words of the shared-memory engine: what goes in and out of a zone
// (shm_zone.hpp). Nothing here lives in shared memory.
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "base/bytes.hpp"
#include "base/history.hpp"
#include "base/position.hpp"
#include "base/publication.hpp"

namespace paperboy::broker::shm {

/// A worker's place in the zone, from 0.
using SeatIndex = std::uint16_t;

/// A channel's entry in the directory; 0 is none. Belongs to the channel while
/// a live seat is subscribed; afterwards another channel may get it, so that a
/// record in the log is told by ref *and* epoch.
using ChannelRef = std::uint32_t;

/// Somebody in a channel; 0 is nobody. Valid from `enter` to `leave`.
using MemberRef = std::uint32_t;

inline constexpr std::size_t kMaxSeats = 512;
inline constexpr std::size_t kMaxName = 1024;  // bytes, namespace included

/// How a zone is laid out; fixed when it is formatted.
struct Options {
  std::size_t seats = 256;              // 1 to kMaxSeats
  std::size_t log_size = 0;             // bytes; 0: a quarter of the zone
  std::size_t history_size = 0;         // bytes; 0: three quarters of the arena
  std::uint64_t stall_limit_ms = 3000;  // a seat unseen longer may be overrun
  std::array<std::uint64_t, 3> seed{};  // random: hash key, base of epochs
};

/// Where a new channel's positions come from.
enum class Anchor : std::uint8_t {
  now,    // the zone: it begins an epoch. So does a channel without a position
  later,  // elsewhere: it has none, epoch 0, until Zone::anchor
};

/// What a seat's subscription starts from: it gets what comes after `top`. Of
/// epoch 0: an Event::anchor record will tell, after which the next ones come.
struct Subscription {
  ChannelRef ref = 0;
  Position top;
};

/// A publication that was made elsewhere, and how long ago.
struct Recent {
  Kept kept;
  std::uint64_t age_ms = 0;
};

/// What became of a publication that was made elsewhere.
enum class Import : std::uint8_t {
  appended,
  old,      // the channel is beyond it
  hole,     // the channel isn't there yet: others are between
  foreign,  // the channel has another epoch, or no position
};

/// Channels whose publications are made elsewhere are of so many parts, each
/// with a sequence of its own.
inline constexpr std::size_t kSightings = 256;

/// The most that was seen of one of these parts.
struct Sighting {
  std::uint64_t generation = 0;  // its number; 0: nothing was seen
  std::uint64_t salt = 0;        // which of those with that number
  std::uint64_t source = 0;      // by whose word
  std::uint64_t sequence = 0;    // of the last, less than 2^48

  friend bool operator==(const Sighting&, const Sighting&) = default;
};

/// Tells one that was noted from those before it; 0 is none's.
using SightingMark = std::uint16_t;

/// A worker that brings in what is published elsewhere.
struct Relay {
  SeatIndex seat = 0;
  std::uint32_t generation = 0;

  friend bool operator==(const Relay&, const Relay&) = default;
};

struct Published {
  Position position;
  std::uint64_t subscribers = 0;  // the counts of all seats that are taken
  bool repeated = false;          // published before, with the same key
};

/// Which channels Zone::channels lists.
struct ChannelQuery {
  Bytes prefix{};            // of their names
  std::uint64_t cursor = 0;  // of the page before; 0: from the first on
  std::size_t limit = 1000;  // at least 1; a page may be a little longer
  bool subscribed = false;   // only those with subscribers
};

struct ChannelInfo {
  std::string name;
  Position position;
  std::uint64_t subscribers = 0;
};

struct ChannelPage {
  std::vector<ChannelInfo> channels;  // in no order
  std::uint64_t cursor = 0;           // of the next page; 0: that was the last
};

/// A channel has got its first subscriber on this node, or lost its last.
struct Change {
  std::string name;
  bool subscribed = false;   // it has one
  std::uint64_t number = 0;  // of all channels' changes; the next one's is more
};

/// How much one call of Zone::drain may take before it returns `more`.
struct DrainLimit {
  std::size_t records = 4096;
  std::size_t bytes = 256UL * 1024;
};

enum class Drained : std::uint8_t {
  empty,    // read to the end; the next publication wakes this seat
  more,     // the limit was reached: call again soon, no wake-up will come
  overrun,  // records were lost and what this call visited is void
};

struct Stats {
  std::size_t size = 0;         // of the zone, bytes
  std::uint64_t channels = 0;   // entries of the directory
  std::size_t arena_size = 0;   // bytes for channels
  std::size_t arena_used = 0;   // of them in blocks that are taken
  std::size_t arena_free = 0;   // of them in whole free pages
  std::size_t log_size = 0;     // bytes of the ring
  std::size_t log_used = 0;     // of them not yet known to be read by all
  std::size_t seats = 0;        // there are
  std::size_t seats_taken = 0;  // by workers, or by dead ones not yet reaped
  std::uint64_t keys = 0;     // idempotency keys, some perhaps over their time
  std::uint64_t members = 0;  // of all channels, dead ones not yet removed
  std::size_t history_size = 0;        // bytes that kept messages may take
  std::size_t history_used = 0;        // of them taken
  std::uint64_t history_messages = 0;  // that are kept
  std::uint64_t history_evictions =
      0;                         // let go before their time, to make room
  std::uint64_t evictions = 0;   // channels dropped for want of room
  std::uint64_t lock_waits = 0;  // times that somebody slept for the lock
  std::uint64_t rollbacks = 0;   // half-done changes of the dead undone
  std::uint64_t overruns = 0;    // times a seat lost records
};

/// A set of seats, small enough for the stack.
class SeatSet {
 public:
  void add(SeatIndex seat) { words_[seat / 64] |= bit(seat); }
  [[nodiscard]] bool has(SeatIndex seat) const {
    return (words_[seat / 64] & bit(seat)) != 0;
  }

  template <typename F>
  void each(F&& f) const {
    for (std::size_t i = 0; i < words_.size(); i++) {
      for (std::uint64_t w = words_[i]; w != 0; w &= w - 1) {
        f(static_cast<SeatIndex>(i * 64 + std::countr_zero(w)));
      }
    }
  }

 private:
  static std::uint64_t bit(SeatIndex seat) {
    return std::uint64_t{1} << (seat % 64);
  }

  std::array<std::uint64_t, kMaxSeats / 64> words_{};
};

/// The port to other workers. Called after the writer lock is released, at
/// most once a seat and call; may name the caller's own seat. A wake-up that
/// is lost (its sender was killed) costs its seat until its next poll.
class Waker {
 public:
  Waker() = default;
  Waker(const Waker&) = delete;
  Waker& operator=(const Waker&) = delete;
  virtual ~Waker() = default;
  virtual void wake(SeatIndex seat) = 0;
};

/// Who is told of changes (Zone::watch): after the writer lock is released, by
/// the worker that made or found them. Leads back to no zone.
class Watcher {
 public:
  Watcher() = default;
  Watcher(const Watcher&) = delete;
  Watcher& operator=(const Watcher&) = delete;
  virtual ~Watcher() = default;
  virtual void changed(const Change& change) noexcept = 0;
};

/// Who is shown the records of the log by Zone::drain.
class Visitor {
 public:
  Visitor() = default;
  Visitor(const Visitor&) = delete;
  Visitor& operator=(const Visitor&) = delete;
  virtual ~Visitor() = default;

  /// Every record, whether its channel is one of this worker's or not. It is
  /// if `ref` and `publication.position.epoch` are those of a subscription
  /// and the offset is above the subscription's `top` (of an event: at least
  /// that; it may be from just before). An anchor sets a subscription's `top`;
  /// one from before that subscription may come too, even of another channel
  /// that had its `ref`: the name tells. Name, data and extra lie in the ring:
  /// valid during the call, and to be trusted only once drain() has returned
  /// something else than overrun; so nothing made of them may leave the worker
  /// before.
  virtual void visit(ChannelRef ref, const Publication& publication) = 0;

  /// It is to be shown no more in this call: Drained::more, if there is more.
  [[nodiscard]] virtual bool has_enough() const { return false; }
};

}  // namespace paperboy::broker::shm
