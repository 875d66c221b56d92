// A rate as people write it: `10/s`, `100/m`, `64k/s` with `burst=1m`. What it
// is counted by is in rate.hpp.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>

#include "base/bytes.hpp"
#include "base/rate.hpp"

namespace paperboy {

/// What is counted: of bytes, `k` and `m` may stand behind a number.
enum class Amount : std::uint8_t { number, size };

struct Pace {
  static constexpr std::uint32_t kLargest = 1'000'000'000;

  std::uint32_t number = 0;   // so many; 0: nothing is said
  std::uint32_t seconds = 1;  // in so long
  std::uint32_t burst = 0;    // and at once; 0: not set

  bool operator==(const Pace&) const = default;

  /// Without a burst it is as many as come in the time.
  [[nodiscard]] std::uint32_t at_once() const {
    return burst != 0 ? burst : number;
  }

  /// Without a burst `least` at least are let through at once. REQUIRES:
  /// number.
  [[nodiscard]] Rate rate(std::uint64_t least) const {
    return rate_of(burst != 0 ? burst : std::max<std::uint64_t>(number, least));
  }

  /// The same, whatever the burst is. REQUIRES: number.
  [[nodiscard]] Rate rate_of(std::uint64_t most) const {
    constexpr std::uint64_t kSecondNs = 1'000'000'000;
    return Rate::of(number, seconds * kSecondNs, most);
  }
};

/// From 1 to Pace::kLargest; none: it is no such number.
[[nodiscard]] std::optional<std::uint32_t> parse_amount(Bytes text,
                                                        Amount amount);

/// `10/s`, `100/m`, `1000/h`; none: it is no rate.
[[nodiscard]] std::optional<Pace> parse_pace(Bytes text, Amount amount);

/// `burst=20`; none: it isn't that.
[[nodiscard]] std::optional<std::uint32_t> parse_burst(Bytes text,
                                                       Amount amount);

}  // namespace paperboy
