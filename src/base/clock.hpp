// The port to time. Both clocks of a worker are read once a turn of its loop.
#pragma once

#include <cstdint>

namespace paperboy {

class Clock {
 public:
  Clock() = default;
  Clock(const Clock&) = delete;
  Clock& operator=(const Clock&) = delete;
  virtual ~Clock() = default;

  /// Milliseconds since some start; never goes back.
  [[nodiscard]] virtual std::uint64_t monotonic_ms() const = 0;

  /// Seconds since the epoch (1970), as tokens tell time; may be stepped.
  [[nodiscard]] virtual std::int64_t unix_seconds() const = 0;
};

}  // namespace paperboy
