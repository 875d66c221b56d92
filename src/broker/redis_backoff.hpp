// How long to wait before it is tried again: twice as long each time, and by
// chance up to half of it less, so that workers don't come all at once.
#pragma once

#include <algorithm>
#include <cstdint>

#include "broker/redis_network.hpp"
#include "broker/redis_options.hpp"

namespace paperboy::broker::redis {

class Backoff {
 public:
  Backoff(Network& network, const Options& options)
      : network_(network), options_(options) {}

  /// At least 1.
  std::uint64_t next_ms() {
    delay_ms_ = std::min(delay_ms_ == 0 ? options_.retry_ms : 2 * delay_ms_,
                         options_.max_retry_ms);
    return delay_ms_ - network_.random() % (delay_ms_ / 2 + 1) + 1;
  }

  /// It went well.
  void reset() { delay_ms_ = 0; }

 private:
  Network& network_;
  const Options& options_;
  std::uint64_t delay_ms_ = 0;
};

}  // namespace paperboy::broker::redis
