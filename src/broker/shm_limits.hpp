// The memory in which the workers of a node count together what limits are
// about: who is there (shm_counts.hpp), and who comes how fast (shm_rates.hpp).
//
//   head | rates | counts
//
// It survives reloads; nothing in it is worth keeping over a restart.
#pragma once

#include <cstddef>
#include <optional>
#include <span>

#include "broker/shm_counts.hpp"
#include "broker/shm_rates.hpp"

namespace paperboy::broker::shm {

class Limits {
 public:
  static constexpr std::size_t kLeast = 64UL * 1024;  // bytes

  /// `memory` is zeros, and aligned to 64 bytes. False: there is no randomness
  /// to make it with. REQUIRES: kLeast bytes.
  static bool format(std::span<std::byte> memory);

  /// In a worker; `memory` must outlive it.
  explicit Limits(std::span<std::byte> memory);

  [[nodiscard]] Mark mark(Bytes text) const;
  [[nodiscard]] Rates& rates() { return rates_; }
  [[nodiscard]] Counts& counts() { return counts_; }

 private:
  struct Head;

  Head& head_;
  Rates rates_;
  Counts counts_;
};

}  // namespace paperboy::broker::shm
