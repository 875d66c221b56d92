// What all connections of an engine share. Owned by it, and outlives them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "broker/redis_network.hpp"
#include "broker/redis_options.hpp"
#include "broker/redis_reply.hpp"

namespace paperboy::broker::redis {

/// Calls that can't be sent now: they are answered in the next turn of the
/// loop, since no handler is called during the call that took it. A worker that
/// is told to go waits for it.
class Refusals {
 public:
  explicit Refusals(Network& network)
      : alarm_(network.alarm([this] { answer(); }, true)) {}

  /// There is no connection for it.
  void refuse_down(ReplyHandler handler) {
    refuse(std::move(handler),
           {ErrorCode::unavailable, "Redis can't be reached now; try again"});
  }

  /// The answers that are owed already are too many.
  void refuse_full(ReplyHandler handler) {
    refuse(std::move(handler),
           {ErrorCode::unavailable,
            "too much waits for answers of Redis; try again"});
  }

 private:
  void refuse(ReplyHandler handler, const Error& error) {
    waiting_.emplace_back(std::move(handler), error);
    alarm_->set(0);
  }

  void answer() {
    for (const auto& [handler, error] : std::exchange(waiting_, {})) {
      handler(error);
    }
  }

  std::vector<std::pair<ReplyHandler, Error>> waiting_;
  std::unique_ptr<Alarm> alarm_;
};

/// Keeps a worker that is told to go while answers are owed.
class Hold {
 public:
  explicit Hold(Network& network)
      : alarm_(network.alarm([this] { alarm_->set(kLongMs); }, true)) {}

  void take() {
    if (owed_++ == 0) alarm_->set(kLongMs);
  }
  void give() {
    if (--owed_ == 0) alarm_->cancel();
  }

 private:
  static constexpr std::uint64_t kLongMs = 60'000;

  std::size_t owed_ = 0;
  std::unique_ptr<Alarm> alarm_;
};

struct Context {
  Network& network;
  const Options& options;
  Refusals& refusals;
};

}  // namespace paperboy::broker::redis
