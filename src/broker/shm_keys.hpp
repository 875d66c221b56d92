// The idempotency keys of late: which position a key's publication got in its
// channel, until its time is over. A key is known by 128 bits of a keyed hash
// of channel and key, so that each costs the same; it outlives its channel.
//
// Those whose time is over go when somebody comes by: at the old end of all
// keys, and in the chain that a lookup walks; a few each time.
//
// A view without state of its own; everything under the writer lock.
#pragma once

#include <array>
#include <cstdint>
#include <optional>

#include "broker/shm_arena.hpp"
#include "broker/shm_layout.hpp"
#include "broker/shm_lock.hpp"

namespace paperboy::broker::shm {

class Keys {
 public:
  using Hash = std::array<std::uint64_t, 2>;

  Keys(View view, Arena arena) : view_(view), arena_(arena) {}

  /// REQUIRES: the directory is formatted.
  void format();

  [[nodiscard]] Hash hash(Bytes channel, Bytes key) const;

  /// The position that was noted for it. Drops what is over its time on the
  /// way.
  std::optional<Position> find(const Hash& hash, std::uint64_t now);

  /// Notes it; false: the arena is full, and the transaction has to be undone.
  /// At most 20 stores. REQUIRES: find() found nothing since the lock was
  /// taken.
  bool add(Transaction& tx, const Hash& hash, const Position& position,
           std::uint64_t expires_at);

  /// Drops up to `most` at the old end whose time is over; whether any.
  bool expire(std::uint64_t now, std::size_t most);

 private:
  [[nodiscard]] KeysHeader& header() const { return view_.header().keys; }
  [[nodiscard]] KeyEntry& entry(Ref ref) const {
    return *view_.block<KeyEntry>(ref);
  }
  [[nodiscard]] Ref& bucket(std::uint64_t hash) const;
  void drop(Ref ref);

  View view_;
  Arena arena_;
};

}  // namespace paperboy::broker::shm
