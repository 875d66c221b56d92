// The contract of all brokers on Redis: workers of one machine, and of two.
#include <array>
#include <atomic>
#include <memory>
#include <string>

#include "broker/redis_broker.hpp"

#include "broker/contract.hpp"
#include "broker/contract_history.hpp"
#include "redis_machine.hpp"

#include "test.hpp"  // last: a macro of its own is called fail

namespace paperboy::broker::redis {
namespace {

/// A worker of a machine's. Its tick is the node's.
class Joined final : public hub::Broker {
 public:
  Joined(std::vector<Joined*>& all, Machine& machine)
      : all_(all),
        counters_(row_),
        broker_(machine.zone.zone, machine.zone.zone.claim_seat().value(),
                machine.rules, machine.options, machine.network,
                make_engine(machine.network, machine.options), counters_) {
    all_.push_back(this);
  }
  ~Joined() override { std::erase(all_, this); }

  Result<hub::Subscribed> subscribe(Bytes channel,
                                    std::uint64_t most) override {
    return broker_.subscribe(channel, most);
  }
  void unsubscribe(hub::ChannelRef ref) override { broker_.unsubscribe(ref); }
  void publish(const Draft& draft, const hub::PublishReply& reply) override {
    broker_.publish(draft, reply);
  }
  hub::Drained drain(hub::BrokerEvents& events) override {
    return broker_.drain(events);
  }
  Position position(hub::ChannelRef ref) override {
    return broker_.position(ref);
  }
  Bytes name(hub::ChannelRef ref) override { return broker_.name(ref); }
  void history(Bytes channel, const HistoryQuery& query,
               const hub::HistoryReply& reply) override {
    broker_.history(channel, query, reply);
  }
  void remove_history(Bytes channel, const hub::DoneReply& reply) override {
    broker_.remove_history(channel, reply);
  }

  void tick() { broker_.tick(); }
  [[nodiscard]] bool ready() const {
    return row_[static_cast<std::size_t>(Counter::redis_ready)] == 1;
  }

 private:
  std::vector<Joined*>& all_;
  std::array<std::atomic<std::uint64_t>, kCounters> row_{};
  Counters counters_;
  RedisBroker broker_;
};

/// Two machines on one Redis, which other nodes have used before.
class RedisNode final : public contract::Node {
 public:
  explicit RedisNode(const RedisServer& server)
      : options_(options_for_next(server)) {
    keep(contract::kHundred);
  }

  std::unique_ptr<hub::Broker> join() override { return join(here_); }
  std::unique_ptr<hub::Broker> join_elsewhere() override {
    return join(there_);
  }

  void turn() override {
    network_.turn(5);
    const std::uint64_t now = network_.clock().monotonic_ms();
    if (now - ticked_ < 100) return;
    ticked_ = now;
    tick();
  }
  void rest() override {
    const std::uint64_t end = network_.clock().monotonic_ms() + 100;
    while (network_.clock().monotonic_ms() < end) turn();
  }
  void keep(const Retention& keep) override {
    hub::Rule rule;
    rule.keep = keep;
    for (Machine* const machine : {&here_, &there_}) {
      machine->rules = {};
      assert_true(machine->rules.add("*", rule));
    }
  }
  [[nodiscard]] bool is_patient(int turns) override {
    const std::uint64_t now = network_.clock().monotonic_ms();
    if (turns == 0) patient_until_ = now + 30'000;
    return now < patient_until_;
  }
  [[nodiscard]] std::size_t too_large() const override { return 1 << 20; }

 private:
  std::unique_ptr<hub::Broker> join(Machine& machine) {
    auto made = std::make_unique<Joined>(all_, machine);
    tick();
    const Joined& joined = *made;
    contract::await(*this, [&] { return joined.ready(); });
    return made;
  }
  void tick() {
    for (Joined* const one : all_) one->tick();
  }

  static Options options_for_next(const RedisServer& server) {
    static int nodes = 0;
    Options options = impatient({server.address()});
    options.prefix = "node " + std::to_string(++nodes) + ":";
    options.timeout_ms = 20'000;  // no outage is in the contract
    return options;
  }
  static shm::Options memory() {
    shm::Options options = shm::small_options();
    options.log_size = 1 << 20;
    return options;
  }

  PollNetwork network_;
  Options options_;
  std::vector<Joined*> all_;
  Machine here_{network_, options_, memory()};
  Machine there_{network_, options_, memory()};
  std::uint64_t ticked_ = 0;
  std::uint64_t patient_until_ = 0;
};

}  // namespace
}  // namespace paperboy::broker::redis

int main() {
  using namespace paperboy::broker;
  const redis::RedisServer server;
  contract::make_node = [&server] {
    return std::make_unique<redis::RedisNode>(server);
  };
  return contract::run() + contract::run_history();
}
