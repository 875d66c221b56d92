// How fast those come whom limits count together, over all workers: one time
// for each (base/rate.hpp), changed by compare-and-swap. No lock, so nothing
// that a killed worker could leave: a charge is one word.
//
// A table of fixed size. Who has a full bucket again needs no place, so that
// places come free by themselves; where a bucket of the table has none, who
// would be free first is forgotten.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <span>

#include "base/rate.hpp"

namespace paperboy::broker::shm {

/// Whom a limit counts together: a keyed hash, never 0.
using Mark = std::uint64_t;

class Rates {
 public:
  /// Four to a line of the processor's cache.
  struct Entry {
    std::atomic<Mark> mark;  // 0: nobody's
    std::atomic<std::uint64_t> over_ns;
  };
  static constexpr std::size_t kBucket = 4;
  using Bucket = std::array<Entry, kBucket>;
  static_assert(sizeof(Bucket) == 64);

  /// `buckets` are zeros at first, and must outlive this.
  explicit Rates(std::span<Bucket> buckets) : buckets_(buckets) {}

  /// As charge() of base/rate.hpp. `now_ns` is of a clock that all workers
  /// share and that doesn't go back.
  [[nodiscard]] WaitNs charge(Mark mark, const Rate& rate, std::uint64_t now_ns,
                              std::uint64_t n = 1);

  /// Until `end_ns` it is held.
  void hold(Mark mark, std::uint64_t now_ns, std::uint64_t end_ns);
  /// How long it is yet; 0: it isn't.
  [[nodiscard]] WaitNs held(Mark mark, std::uint64_t now_ns) const;

  /// How many were forgotten before their time, by this worker.
  [[nodiscard]] std::uint64_t forgotten() const { return forgotten_; }

 private:
  [[nodiscard]] Bucket& bucket(Mark mark) const {
    return buckets_[mark % buckets_.size()];
  }
  Entry& entry(Mark mark, std::uint64_t now_ns);

  std::span<Bucket> buckets_;
  std::uint64_t forgotten_ = 0;
};

}  // namespace paperboy::broker::shm
