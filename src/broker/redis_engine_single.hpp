// One Redis, or the first of several servers that is there and a primary. A log
// line says what changes, not what is tried. One a worker, owned by its broker.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "broker/redis_backoff.hpp"
#include "broker/redis_context.hpp"
#include "broker/redis_engine.hpp"
#include "broker/redis_link.hpp"
#include "broker/redis_outage.hpp"

namespace paperboy::broker::redis {

class SingleEngine final : public Engine, private LinkEvents {
 public:
  /// REQUIRES: the options name a server. Both must outlive the engine.
  SingleEngine(Network& network, const Options& options);

  void start(EngineEvents& events) override;

  [[nodiscard]] Shard shard_of(Bucket /*bucket*/) const override { return 0; }
  [[nodiscard]] std::vector<Shard> shards() const override { return {0}; }
  [[nodiscard]] bool is_up(Shard /*shard*/) const override {
    return link_.is_up();
  }
  [[nodiscard]] Bytes replication_id(Shard shard) const override;
  void refresh_identity(Shard /*shard*/) override { link_.refresh_identity(); }
  [[nodiscard]] bool is_clustered() const override { return false; }

  void call(Bucket bucket, Script script, const std::vector<std::string>& keys,
            const std::vector<std::string>& arguments,
            ReplyHandler handler) override;
  void call_and_wait(Bucket bucket, Script script,
                     const std::vector<std::string>& keys,
                     const std::vector<std::string>& arguments,
                     std::uint32_t replicas, std::uint64_t wait_ms,
                     ReplyHandler handler) override;
  void command(Bucket bucket, const std::vector<std::string>& words,
               ReplyHandler handler) override;

  void listen(Bucket bucket, Bytes topic) override;
  void ignore(Bucket bucket, Bytes topic) override;
  void read(bool on) override { link_.read(on); }
  void reconnect(Shard shard, Bytes why) override;

 private:
  void on_link_up() override;
  void on_link_lost(Bytes why) override;
  void on_listening(Bytes topic) override { events_->on_listening(topic); }
  void on_message(Bytes topic, Bytes message) override {
    events_->on_message(topic, message);
  }
  void on_topic_lost(Bytes /*topic*/, Bytes /*why*/) override {}

  void open();
  [[nodiscard]] const Server& server() const;

  Network& network_;
  const Options& options_;
  EngineEvents* events_ = nullptr;
  Refusals refusals_;
  Backoff backoff_;
  Outage outage_;
  std::size_t next_ = 0;     // the server that is tried
  bool was_up_ = false;      // and on_down is owed
  std::uint64_t up_ms_ = 0;  // since when
  std::unique_ptr<Alarm> retry_;
  Link link_;
};

}  // namespace paperboy::broker::redis
