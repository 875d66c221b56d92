#include "hub/orders.hpp"

#include <cstring>

namespace paperboy::hub {

Result<Done> Orders::listen() {
  if (subscription_.active()) return Done{};
  const auto position = hub_.subscribe(subscription_, kOrders, *this);
  if (!position) return position.error();
  return Done{};
}

void Orders::send(const Order& order, const PublishReply& reply) {
  const std::string data = hub::encode(order);
  hub_.publish({.channel = kOrders, .kind = Kind::binary, .data = data}, reply);
}

/// A run is orders, each behind its size.
void Orders::encode(const Publication& publication, std::string& out) {
  const std::size_t size = publication.data.size();
  char bytes[sizeof size];
  std::memcpy(bytes, &size, sizeof size);
  out.append(bytes, sizeof bytes).append(publication.data);
}

void Orders::deliver(const Subscription&, Bytes run, std::uint32_t count) {
  for (; count > 0; --count) {
    std::size_t size = 0;
    std::memcpy(&size, run.data(), sizeof size);
    run.remove_prefix(sizeof size);
    // What another build has written may be none.
    if (auto order = decode(run.substr(0, size))) {
      orders_.push_back(std::move(*order));
    }
    run.remove_prefix(size);
  }
}

}  // namespace paperboy::hub
