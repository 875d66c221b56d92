// One Redis: the first of several servers that is there and a primary, or the
// master that Sentinels name; a guide says which. A log line says what changes,
// not what is tried. One a worker, owned by its broker.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "broker/redis_backoff.hpp"
#include "broker/redis_context.hpp"
#include "broker/redis_engine.hpp"
#include "broker/redis_guide.hpp"
#include "broker/redis_link.hpp"
#include "broker/redis_outage.hpp"

namespace paperboy::broker::redis {

class SingleEngine final : public Engine,
                           private LinkEvents,
                           private GuideEvents {
 public:
  /// REQUIRES: the options name a server. Both must outlive the engine.
  SingleEngine(Network& network, const Options& options);
  SingleEngine(Network& network, const Options& options,
               std::unique_ptr<Guide> guide);

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
  void command_and_block(Bucket bucket, const std::vector<std::string>& words,
                         std::uint64_t block_ms, ReplyHandler handler) override;

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

  void on_named(const Server& server) override;
  void on_unknown() override;

  Network& network_;
  const Options& options_;
  EngineEvents* events_ = nullptr;
  Refusals refusals_;
  Backoff backoff_;
  Outage outage_;
  std::unique_ptr<Guide> guide_;
  Server server_;            // the last that was named
  bool open_ = false;        // the link is, to it or to the one before
  bool moves_ = false;       // it is to be opened to another at once
  bool was_up_ = false;      // and on_down is owed
  std::uint64_t up_ms_ = 0;  // since when
  std::unique_ptr<Alarm> retry_;
  Link link_;
};

}  // namespace paperboy::broker::redis
