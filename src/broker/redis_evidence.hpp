// What a worker has seen of each bucket: the last sequence, and under which
// replication id and generation. Every script is shown it, so that a server
// that has less than was seen (a promoted replica, an old file) is found out
// before a position is used twice; redis_scripts.cpp says how.
#pragma once

#include <array>
#include <cstdint>
#include <string>

#include "broker/redis_keys.hpp"

namespace paperboy::broker::redis {

struct Seen {
  std::string generation;  // empty: nothing yet
  std::string replication_id;
  std::uint64_t sequence = 0;
};

class Evidence {
 public:
  [[nodiscard]] const Seen& of(Bucket bucket) const { return seen_[bucket]; }

  /// What a script answered that was told this replication id.
  void note_answer(Bucket bucket, Bytes generation, Bytes replication_id,
                   std::uint64_t sequence) {
    Seen& seen = seen_[bucket];
    if (seen.generation == generation &&
        seen.replication_id == replication_id) {
      if (sequence > seen.sequence) seen.sequence = sequence;
      return;
    }
    seen = {std::string(generation), std::string(replication_id), sequence};
  }

  /// What a message said; of whose generation nothing is known until a script
  /// has answered.
  void note_message(Bucket bucket, Bytes replication_id,
                    std::uint64_t sequence) {
    Seen& seen = seen_[bucket];
    if (seen.replication_id != replication_id) return;
    if (sequence > seen.sequence) seen.sequence = sequence;
  }

 private:
  std::array<Seen, kBuckets> seen_;
};

}  // namespace paperboy::broker::redis
