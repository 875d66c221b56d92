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
  std::uint32_t connection = 0;  // since which it was noted
};

class Evidence {
 public:
  [[nodiscard]] const Seen& of(Bucket bucket) const { return seen_[bucket]; }

  /// What a script answered that was told this replication id.
  void note_answer(Bucket bucket, Bytes generation, Bytes replication_id,
                   std::uint64_t sequence) {
    Seen& seen = seen_[bucket];
    const bool of_it = seen.replication_id == replication_id ||
                       seen.connection == connections_;
    if (seen.generation == generation && of_it && sequence < seen.sequence) {
      seen.connection = connections_;
      return;
    }
    seen = {std::string(generation), std::string(replication_id), sequence,
            connections_};
  }

  /// What a message said; of whose generation nothing is known until a script
  /// has answered.
  void note_message(Bucket bucket, Bytes replication_id,
                    std::uint64_t sequence) {
    Seen& seen = seen_[bucket];
    if (seen.replication_id != replication_id) {
      // The same server under another id; or another one, whose script will say
      // what it has.
      if (seen.connection != connections_) return;
      seen.replication_id = replication_id;
    }
    if (sequence > seen.sequence) seen.sequence = sequence;
  }

  /// What comes from now on may be another server's word.
  void reconnected() { ++connections_; }

 private:
  std::array<Seen, kBuckets> seen_;
  std::uint32_t connections_ = 0;
};

}  // namespace paperboy::broker::redis
