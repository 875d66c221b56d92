#include "hub/orders.hpp"

namespace paperboy::hub {

void Orders::send(const Order& order, const PublishReply& reply) {
  const std::string data = hub::encode(order);
  hub_.publish({.channel = kOrders, .kind = Kind::binary, .data = data}, reply);
}

/// What another build has written may be none.
std::vector<Order> Orders::take() {
  std::vector<Order> orders;
  for (const std::string& message : ear_.take()) {
    if (auto order = decode(message)) orders.push_back(std::move(*order));
  }
  return orders;
}

}  // namespace paperboy::hub
