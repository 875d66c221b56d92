// The broker of many machines: Redis gives each publication its position and
// keeps it; this node's zone is what its workers read from. One a worker, made
// after the fork; gives its seat up when it is destroyed.
//
// It is the worker's ShmBroker (subscriptions, the log) with what Redis says on
// top of it: publishing and history go there, and what others publish comes by
// the node's relays (redis_relay.hpp).
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <unordered_map>

#include "base/counters.hpp"
#include "broker/redis_engine.hpp"
#include "broker/redis_evidence.hpp"
#include "broker/redis_inbox.hpp"
#include "broker/redis_network.hpp"
#include "broker/redis_options.hpp"
#include "broker/redis_reader.hpp"
#include "broker/redis_relay.hpp"
#include "broker/redis_store.hpp"
#include "broker/shm_broker.hpp"
#include "hub/broker.hpp"
#include "hub/order.hpp"
#include "hub/rule.hpp"

namespace paperboy::broker {

class RedisBroker final : public hub::Broker, private redis::EngineEvents {
 public:
  /// `seat`: claimed from `zone` by this worker. All that is borrowed must
  /// outlive this.
  RedisBroker(shm::Zone& zone, shm::SeatIndex seat, const hub::RuleSet& rules,
              const redis::Options& options, redis::Network& network,
              std::unique_ptr<redis::Engine> engine, Counters& counters);
  ~RedisBroker() override;

  Result<hub::Subscribed> subscribe(Bytes channel, std::uint64_t most) override;
  void unsubscribe(hub::ChannelRef ref) override { shm_.unsubscribe(ref); }
  void publish(const Draft& draft, const hub::PublishReply& reply) override;
  hub::Drained drain(hub::BrokerEvents& events) override;
  Position position(hub::ChannelRef ref) override { return shm_.position(ref); }
  Bytes name(hub::ChannelRef ref) override { return shm_.name(ref); }
  void history(Bytes channel, const HistoryQuery& query,
               const hub::HistoryReply& reply) override;
  void remove_history(Bytes channel, const hub::DoneReply& reply) override;

  /// Once a second.
  void tick();

  /// This worker is to go, and others of the node stay: it relays no longer
  /// than they need to take that over.
  void give_way();

  /// Called with each shard that is up again, after the relay.
  void on_shard_up(std::function<void(redis::Shard)> listener) {
    shard_up_ = std::move(listener);
  }

  /// Whether this worker does what one worker of the node has to do. For a
  /// moment it may be two, or none.
  [[nodiscard]] bool speaks_for_node() const {
    return relay_.owner(hub::kOrders) == seat_;
  }

  [[nodiscard]] redis::Engine& engine() { return *engine_; }
  [[nodiscard]] redis::Store& store() { return store_; }
  [[nodiscard]] const redis::Keys& keys() const { return store_.keys(); }

 private:
  class Listener;

  void on_up(redis::Shard shard) override;
  void on_down(redis::Shard shard) override;
  void on_moved(redis::Bucket bucket) override { relay_.on_moved(bucket); }
  void on_listening(Bytes topic) override { relay_.on_listening(topic); }
  void on_message(Bytes topic, Bytes message) override {
    relay_.on_message(topic, message);
  }

  void demand(Bytes channel);
  void anchored(Bytes channel);
  void publish_here(const Draft& draft, const hub::PublishReply& reply);
  void listen_for_demands();
  void ask_again();
  void show_readiness();

  shm::Zone& zone_;
  shm::SeatIndex seat_;
  redis::Network& network_;
  Counters& counters_;
  ShmBroker shm_;
  std::unique_ptr<redis::Engine> engine_;
  redis::Evidence evidence_;
  redis::Store store_;
  redis::Relay relay_;
  redis::Reader reader_;
  std::unique_ptr<redis::Inbox> inbox_;  // null: it is closed

  std::string demands_;  // the channel in which this worker hears of them
  std::optional<hub::ChannelRef> demands_ref_;
  // Channels that aren't anchored yet: when they were asked for last.
  std::unordered_map<std::string, std::uint64_t> wanted_;
  bool ready_ = false;
  std::function<void(redis::Shard)> shard_up_;
};

}  // namespace paperboy::broker
