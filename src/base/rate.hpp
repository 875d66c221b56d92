// So many in so long, and so many at once: the generic cell rate algorithm (of
// ATM's traffic management, ITU-T I.371). All that is remembered of who is
// limited is one time: when all that came would be over, had it come evenly.
// A bucket that is full again needs no memory: that time has passed.
#pragma once

#include <algorithm>
#include <cstdint>

namespace paperboy {

/// A limit, as a directive says it.
struct Rate {
  double each_ns = 0;          // between two
  std::uint64_t burst_ns = 0;  // so many at once, as the time that they take

  [[nodiscard]] static Rate of(std::uint64_t number, std::uint64_t in_ns,
                               std::uint64_t burst) {
    const double each =
        static_cast<double>(in_ns) / static_cast<double>(number);
    return {each, in_time(each * static_cast<double>(burst))};
  }

  [[nodiscard]] std::uint64_t cost_ns(std::uint64_t n) const {
    return in_time(each_ns * static_cast<double>(n));
  }

 private:
  /// 146 years at most: what is more isn't a number of ours, and a few of
  /// these, one after the other, still are.
  [[nodiscard]] static std::uint64_t in_time(double ns) {
    return static_cast<std::uint64_t>(std::min(ns, 0x1p62));
  }
};

/// When one that was refused would pass; 0: it passed.
using WaitNs = std::uint64_t;

/// Adds `n` to what is remembered in `over_ns`, unless that is more than may
/// come at once. What is refused costs nothing.
[[nodiscard]] inline WaitNs charge(const Rate& rate, std::uint64_t& over_ns,
                                   std::uint64_t now_ns, std::uint64_t n = 1) {
  const std::uint64_t over = std::max(over_ns, now_ns) + rate.cost_ns(n);
  const std::uint64_t ahead = over - now_ns;
  if (ahead > rate.burst_ns) return ahead - rate.burst_ns;
  over_ns = over;
  return 0;
}

}  // namespace paperboy
