// What a worker has seen of each bucket: the last sequence, and under which
// replication id and generation. Every script is shown it, so that a server
// that has less than was seen (a promoted replica, an old file) is found out
// before a position is used twice; redis_scripts.cpp says how.
//
// A sequence is noted under the id under which the bucket had it, as a script
// was told or a message says, never under what this worker takes for the
// server's now: one server may change its id, and until all have heard of that
// a bucket's sequences are under the old and the new one by turns.
//
// It is in the node's zone too, for the workers that come after this one: what
// a script answered at once, what messages said at the next tick. Who connects
// takes over what is there; not in between, since the others may be on another
// server, of which this one's knows nothing. Nor in place of what it saw itself
// in the same generation under another id: both may be lost.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <string>

#include "broker/redis_keys.hpp"
#include "broker/shm_zone.hpp"

namespace paperboy::broker::redis {

struct Seen {
  std::string generation;  // empty: nothing yet
  std::string replication_id;
  std::uint64_t sequence = 0;
  std::uint32_t connection = 0;  // since which it was noted
  bool heard = false;            // in a message, not in an answer
  shm::SightingMark mark = 0;    // in the zone; 0: it has to be noted there
};

class Evidence {
 public:
  /// `zone` must outlive this; null: it ends with this worker.
  explicit Evidence(shm::Zone* zone) : zone_(zone) {}
  ~Evidence() { keep(); }
  Evidence(const Evidence&) = delete;
  Evidence& operator=(const Evidence&) = delete;

  [[nodiscard]] const Seen& of(Bucket bucket) const { return seen_[bucket]; }

  /// What a script answered that was told this replication id.
  void note_answer(Bucket bucket, Bytes generation, Bytes replication_id,
                   std::uint64_t sequence);

  /// What a message said, under the replication id that stands in it; of whose
  /// generation nothing is known until a script has answered.
  void note_message(Bucket bucket, Bytes replication_id,
                    std::uint64_t sequence);

  /// What comes from now on may be another server's word. Of these buckets it
  /// will be shown what any worker of the node has seen.
  void reconnected(const std::function<bool(Bucket)>& concerns);

  /// Once a second: all of it into the zone.
  void keep();

 private:
  void keep(Bucket bucket);
  void adopt(Bucket bucket, const shm::Sighting& sighting);

  shm::Zone* zone_;
  std::array<Seen, kBuckets> seen_;
  std::uint32_t connections_ = 1;  // 0: of none
};

}  // namespace paperboy::broker::redis
