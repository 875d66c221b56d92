// A worker's ear for orders: they go through a channel of our own to all
// workers, of all nodes. One a worker, on its event loop.
#pragma once

#include <string>
#include <vector>

#include "hub/ear.hpp"
#include "hub/hub.hpp"
#include "hub/order.hpp"

namespace paperboy::hub {

class Orders final {
 public:
  /// `hub` must outlive this.
  explicit Orders(Hub& hub)
      : hub_(hub),
        ear_(hub, std::string(kOrders), [](Bytes) { return true; }) {}

  /// From now on orders reach this worker. Does nothing where they do already.
  Result<Done> listen() { return ear_.listen(); }

  [[nodiscard]] bool listening() const { return ear_.listening(); }

  /// To all workers, this one too.
  void send(const Order& order, const PublishReply& reply);

  /// Those that came since, in their order.
  std::vector<Order> take();

  /// Whether some may be lost since it was asked; see Ear.
  bool lost() { return ear_.lost(); }

 private:
  Hub& hub_;
  Ear ear_;
};

}  // namespace paperboy::hub
