// A cluster: each master that has one of the buckets' slots is a shard, with a
// link of its own. Where slots are is asked (CLUSTER SLOTS) of any server that
// is known: at first, when one answers MOVED or lets go of a topic, when one is
// lost, while something is missing, and every half minute. One a worker, owned
// by its broker.
#pragma once

#include <array>
#include <bitset>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "broker/redis_asker.hpp"
#include "broker/redis_cluster_node.hpp"
#include "broker/redis_detours.hpp"
#include "broker/redis_engine.hpp"
#include "broker/redis_slots.hpp"

namespace paperboy::broker::redis {

class ClusterEngine final : public Engine,
                            private ClusterNodeEvents,
                            private AskerEvents,
                            private Map {
 public:
  /// REQUIRES: the options name a server. Both must outlive the engine.
  ClusterEngine(Network& network, const Options& options);

  void start(EngineEvents& events) override;

  [[nodiscard]] Shard shard_of(Bucket bucket) const override {
    return owners_[bucket];
  }
  /// Also a shard that never is up, while a bucket's server isn't known.
  [[nodiscard]] std::vector<Shard> shards() const override;
  [[nodiscard]] bool is_up(Shard shard) const override;
  [[nodiscard]] Bytes replication_id(Shard shard) const override;
  [[nodiscard]] Bytes redirected_to() const override {
    return detours_.redirected_to();
  }
  void refresh_identity(Shard shard) override;
  [[nodiscard]] bool is_clustered() const override { return true; }

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
  void read(bool on) override;
  void reconnect(Shard shard, Bytes why) override;

 private:
  static constexpr Shard kNobody = 0xffff;

  using Moves = std::vector<std::pair<Bucket, Shard>>;

  // Of nodes.
  void on_node_up(ClusterNode& node) override;
  void on_node_lost(ClusterNode& node) override;
  void on_listening(Bytes topic) override { events_->on_listening(topic); }
  void on_message(Bytes topic, Bytes message) override {
    events_->on_message(topic, message);
  }
  void on_topic_lost(ClusterNode& node, Bytes topic, Bytes why) override;

  // Of the detours.
  ClusterNode* node_of(Bucket bucket) override;
  void note_moved(const Redirection& to) override;
  ClusterNode* node_to_ask(const Server& server) override;

  // The topology.
  void refresh(const std::optional<Server>& first);
  void ask();
  std::string on_answers(const Server& server,
                         const std::vector<Reply>& answers) override;
  void on_nobody() override;
  void apply(const Topology& topology);
  void move(const Moves& moves);
  void come_and_go();
  void listen_anew();
  void log_moves(std::size_t moved) const;
  [[nodiscard]] bool is_whole() const;
  [[nodiscard]] ClusterNode* node_at(const Server& server);
  [[nodiscard]] ClusterNode* find(Shard shard) const;
  [[nodiscard]] std::optional<Bucket> bucket_of_topic(Bytes topic) const;

  Network& network_;
  const Options& options_;
  EngineEvents* events_ = nullptr;
  Refusals refusals_;
  std::array<Shard, kBuckets> owners_{};
  std::bitset<kBuckets> unheard_;  // the server let go of a topic of it
  std::vector<std::unique_ptr<ClusterNode>> nodes_;  // by their numbers
  std::vector<Server> known_;                        // that can be asked
  std::size_t next_ = 0;                             // the one of them to ask
  std::optional<Server> first_{};                    // before them
  std::uint64_t asked_ms_ = 0;  // when they were asked last
  bool again_ = false;          // they are to be asked again
  bool reading_ = true;
  bool full_ = false;  // of nodes; the log has said so
  Backoff backoff_;
  std::unique_ptr<Alarm> ask_;
  Asker asker_;
  Detours detours_;
};

}  // namespace paperboy::broker::redis
