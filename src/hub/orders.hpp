// A worker's ear for orders: it subscribes to the channel in which they go, and
// keeps what comes until the worker has a moment to obey. One a worker, on its
// event loop.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "base/encoder.hpp"
#include "hub/hub.hpp"
#include "hub/order.hpp"
#include "hub/subscription.hpp"

namespace paperboy::hub {

class Orders final : private Subscriber, private Encoder {
 public:
  /// `hub` must outlive this.
  explicit Orders(Hub& hub) : hub_(hub), subscription_(*this) {}

  /// From now on orders reach this worker. Does nothing where they do already.
  Result<Done> listen();

  [[nodiscard]] bool listening() const { return subscription_.active(); }

  /// To all workers, this one too.
  void send(const Order& order, const PublishReply& reply);

  /// Those that came since, in their order.
  std::vector<Order> take() { return std::exchange(orders_, {}); }

  /// Whether some were lost since it was asked: this worker was too slow.
  bool lost() { return std::exchange(lost_, false); }

 private:
  void encode(const Publication& publication, std::string& out) override;
  void deliver(const Subscription& to, Bytes run, std::uint32_t count) override;
  void gap(const Subscription&) override { lost_ = true; }

  Hub& hub_;
  Subscription subscription_;
  std::vector<Order> orders_;
  bool lost_ = false;
};

}  // namespace paperboy::hub
