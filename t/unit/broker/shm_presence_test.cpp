// The contract of presence on the shared zone.
#include "broker/shm_presence.hpp"

#include <memory>

#include "broker/contract_presence.hpp"
#include "broker/shm_attached.hpp"

namespace paperboy::broker {
namespace {

class Node final : public contract::PresenceNode {
 public:
  std::unique_ptr<hub::Broker> join() override { return node_.join(); }
  [[nodiscard]] std::size_t too_large() const override {
    return node_.too_large();
  }
  std::unique_ptr<hub::Presence> join_presence(hub::Broker& broker) override {
    auto& worker = static_cast<Attached&>(broker);
    return std::make_unique<ShmPresence>(worker.zone(), worker.seat());
  }

 private:
  ShmNode node_;
};

}  // namespace
}  // namespace paperboy::broker

int main() {
  using namespace paperboy::broker;
  contract::make_presence_node = [] { return std::make_unique<Node>(); };
  return contract::run_presence();
}
