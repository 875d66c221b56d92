// Lines of a log about what others do wrong: one a second, with the number of
// those that were left out meanwhile. On one worker's event loop.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "base/bytes.hpp"
#include "base/clock.hpp"

namespace paperboy::backend {

class Complaints {
 public:
  using Log = std::function<void(Bytes line)>;

  /// `clock` must outlive this.
  Complaints(const Clock& clock, Log log)
      : clock_(clock), log_(std::move(log)) {}

  void tell(std::string line) {
    const std::uint64_t now = clock_.monotonic_ms();
    if (now < quiet_until_) {
      ++untold_;
      return;
    }
    if (untold_ > 0) {
      line.append("; and ").append(std::to_string(untold_)).append(" others");
    }
    untold_ = 0;
    quiet_until_ = now + kQuietMs;
    log_(line);
  }

 private:
  static constexpr std::uint64_t kQuietMs = 1000;

  const Clock& clock_;
  Log log_;
  std::uint64_t quiet_until_ = 0;
  std::uint64_t untold_ = 0;
};

}  // namespace paperboy::backend
