// Which worker of the node relays which buckets: by rendezvous hashing over the
// seats of those that do, so that one more or less moves no more than its
// share. All workers come to the same table from the same zone; where they
// differ for a moment a bucket has two relays, or none, and neither hurts: what
// comes twice is dropped by its offset, what comes to nobody is a hole that
// the next one repairs.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <vector>

#include "broker/redis_keys.hpp"
#include "broker/shm_types.hpp"

namespace paperboy::broker::redis {

class Shares {
 public:
  /// True: something has changed.
  bool update(std::vector<shm::Relay> relays);

  /// Nothing: nobody relays.
  [[nodiscard]] std::optional<shm::SeatIndex> owner(Bucket bucket) const;

 private:
  std::vector<shm::Relay> relays_;
  std::array<shm::SeatIndex, kBuckets> owners_{};
};

}  // namespace paperboy::broker::redis
