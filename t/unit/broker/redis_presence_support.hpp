// Workers that have presence on a real Redis, in one process: each has an
// engine of its own, and may be left to itself as if it were killed.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "broker/poll_network.hpp"
#include "broker/redis_engines.hpp"
#include "broker/redis_evidence.hpp"
#include "broker/redis_member.hpp"
#include "broker/redis_presence.hpp"
#include "broker/redis_server.hpp"
#include "broker/redis_store.hpp"
#include "hub/broker.hpp"

namespace paperboy::broker::redis {

/// Impatient ones.
inline constexpr LeaseTimes kTestTimes{
    .lasts_ms = 700, .renew_ms = 100, .burial_ms = 700};

/// As directives might say it, but impatient.
inline Options presence_options(std::vector<Server> servers) {
  Options options;
  options.servers = std::move(servers);
  options.timeout_ms = 1000;
  options.retry_ms = 10;
  options.max_retry_ms = 50;
  return options;
}
inline Options presence_options(const RedisServer& server) {
  return presence_options(std::vector<Server>{server.address()});
}

/// A worker's presence, with all that it needs.
class Attendant final : public hub::Presence, private EngineEvents {
 public:
  Attendant(hub::Broker& broker, PollNetwork& network, const Options& options)
      : network_(network),
        options_(options),
        engine_(make_engine(network, options_)),
        store_(*engine_, network, options_, evidence_),
        presence_(std::make_unique<RedisPresence>(broker, *engine_, store_,
                                                  network, kTestTimes)) {
    engine_->start(*this);
  }
  /// What it says last arrives.
  ~Attendant() override {
    presence_.reset();
    for (int i = 0; i < 20; ++i) network_.turn(1);
  }

  Result<hub::MemberRef> enter(hub::ChannelRef ref, const Member& member,
                               bool announced) override {
    return presence_->enter(ref, member, announced);
  }
  void leave(hub::MemberRef ref) override { presence_->leave(ref); }
  void members(Bytes channel, const Members& reply) override {
    presence_->members(channel, reply);
  }
  void stats(Bytes channel, const Stats& reply) override {
    presence_->stats(channel, reply);
  }

  [[nodiscard]] RedisPresence& presence() { return *presence_; }
  [[nodiscard]] Engine& engine() { return *engine_; }

 private:
  void on_up(Shard shard) override {
    if (presence_) presence_->on_up(shard);
  }
  void on_down(Shard /*shard*/) override {}
  void on_moved(Bucket /*bucket*/) override {}
  void on_listening(Bytes /*topic*/) override {}
  void on_message(Bytes /*topic*/, Bytes /*message*/) override {}

  PollNetwork& network_;
  const Options options_;
  Evidence evidence_{nullptr};
  std::unique_ptr<Engine> engine_;
  Store store_;
  std::unique_ptr<RedisPresence> presence_;
};

/// Channels that have only names.
class Names final : public hub::Broker {
 public:
  Result<hub::Subscribed> subscribe(Bytes channel, std::uint64_t) override {
    names_.emplace_back(channel);
    return hub::Subscribed{hub::ChannelRef(names_.size() - 1), {}};
  }
  void unsubscribe(hub::ChannelRef) override {}
  void publish(const Draft&, const hub::PublishReply&) override {}
  hub::Drained drain(hub::BrokerEvents&) override { return hub::Drained::all; }
  Position position(hub::ChannelRef) override { return {}; }
  Bytes name(hub::ChannelRef ref) override {
    return names_.at(static_cast<std::size_t>(ref));
  }
  void history(Bytes, const HistoryQuery&, const hub::HistoryReply&) override {}
  void remove_history(Bytes, const hub::DoneReply&) override {}

 private:
  std::vector<std::string> names_;
};

}  // namespace paperboy::broker::redis
