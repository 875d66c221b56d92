// The contract of presence on Redis.
#include <memory>

#include "broker/redis_presence_support.hpp"

#include "broker/contract_presence.hpp"
#include "broker/shm_attached.hpp"

namespace paperboy::broker {
namespace {

class Node final : public contract::PresenceNode {
 public:
  std::unique_ptr<hub::Broker> join() override { return node_.join(); }
  void turn() override { network_.turn(2); }
  [[nodiscard]] bool is_patient(int turns) override { return turns < 3000; }
  [[nodiscard]] std::size_t too_large() const override {
    return node_.too_large();
  }
  std::unique_ptr<hub::Presence> join_presence(hub::Broker& broker) override {
    auto joined = std::make_unique<redis::Attendant>(
        broker, network_, redis::presence_options(server_));
    assert_true(
        network_.turn_until([&] { return joined->presence().lease().held(); }));
    return joined;
  }

 private:
  redis::RedisServer server_;
  redis::PollNetwork network_;
  ShmNode node_;
};

}  // namespace
}  // namespace paperboy::broker

int main() {
  using namespace paperboy::broker;
  contract::make_presence_node = [] { return std::make_unique<Node>(); };
  return cmocka_run_group_tests_name("redis presence", contract::kPresenceTests,
                                     nullptr, nullptr);
}
