// What the log says of losses in Redis: where a script found that something
// that was seen isn't there any more, so that channels begin new epochs. A
// failover may cost all buckets at once: a line for the first, and a second
// later one that counts the others. Owned by a store.
#pragma once

#include <cstdint>
#include <memory>

#include "broker/redis_keys.hpp"
#include "broker/redis_network.hpp"

namespace paperboy::broker::redis {

class Losses {
 public:
  /// `network` must outlive this.
  explicit Losses(Network& network);

  /// `found`: what was seen and what is there, as the script says. `heard`: it
  /// was seen in a message.
  void tell(Bucket bucket, Bytes found, bool heard);

 private:
  void sum_up();

  Network& network_;
  std::uint64_t more_ = 0;  // since the last line
  std::unique_ptr<Alarm> alarm_;
};

}  // namespace paperboy::broker::redis
