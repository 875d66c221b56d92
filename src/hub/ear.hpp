// An ear of the worker's own in a channel of ours: it subscribes, and keeps
// what comes until the worker has a moment for it. On the worker's event loop.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "base/encoder.hpp"
#include "base/position.hpp"
#include "hub/hub.hpp"
#include "hub/subscription.hpp"

namespace paperboy::hub {

class Ear final : private Subscriber, private Encoder {
 public:
  /// Whether a message is to be obeyed before what was published after it is
  /// delivered to anybody: the drain ends with it.
  using Urgent = bool (*)(Bytes message);

  /// `hub` must outlive this. `urgent`: null: no message is.
  Ear(Hub& hub, std::string channel, Urgent urgent = nullptr)
      : hub_(hub),
        channel_(std::move(channel)),
        urgent_(urgent),
        subscription_(*this) {}

  /// From now on it hears. Does nothing where it does already.
  Result<Done> listen();
  [[nodiscard]] bool listening() const { return subscription_.active(); }

  [[nodiscard]] const std::string& channel() const { return channel_; }

  /// Up to where it has heard; of epoch 0: that isn't known yet. REQUIRES:
  /// listening().
  [[nodiscard]] Position position() const { return subscription_.position(); }

  /// The messages that came since, in their order.
  std::vector<std::string> take() { return std::exchange(messages_, {}); }

  /// Whether some may be lost since it was asked: this worker was too slow, or
  /// the broker has lost what came after those that were heard. Not where the
  /// channel began anew, nothing had been sent before, and all since was heard.
  bool lost();

 private:
  void encode(const Publication& publication, std::string& out) override;
  void deliver(const Subscription& to, Bytes run, std::uint32_t count) override;
  void gap(const Subscription& at) override;
  [[nodiscard]] Hub& hub() const override { return hub_; }

  Hub& hub_;
  const std::string channel_;
  const Urgent urgent_;
  Subscription subscription_;
  std::vector<std::string> messages_;
  Position at_;               // when it was asked last
  bool gap_ = false;          // since then
  std::uint64_t behind_ = 0;  // messages behind the gap
};

}  // namespace paperboy::hub
