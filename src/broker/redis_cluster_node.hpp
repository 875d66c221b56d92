// A server of a cluster, and the connections to it while it has some of the
// buckets. Owned by the cluster's engine, which outlives it; there as long as
// that one, since its number means the same for so long.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "broker/redis_backoff.hpp"
#include "broker/redis_context.hpp"
#include "broker/redis_engine.hpp"
#include "broker/redis_link.hpp"
#include "broker/redis_outage.hpp"

namespace paperboy::broker::redis {

class ClusterNode;

class ClusterNodeEvents {
 public:
  ClusterNodeEvents() = default;
  ClusterNodeEvents(const ClusterNodeEvents&) = delete;
  ClusterNodeEvents& operator=(const ClusterNodeEvents&) = delete;
  virtual ~ClusterNodeEvents() = default;

  virtual void on_node_up(ClusterNode& node) = 0;
  /// Its connections are lost, or couldn't be made; it is tried again while it
  /// is wanted.
  virtual void on_node_lost(ClusterNode& node) = 0;
  virtual void on_listening(Bytes topic) = 0;
  virtual void on_message(Bytes topic, Bytes message) = 0;
  /// See ListenerEvents.
  virtual void on_topic_lost(ClusterNode& node, Bytes topic, Bytes why) = 0;
};

class ClusterNode final : private LinkEvents {
 public:
  ClusterNode(const Context& context, Shard number, Server server,
              ClusterNodeEvents& events);

  [[nodiscard]] Shard number() const { return number_; }
  [[nodiscard]] const Server& server() const { return server_; }
  [[nodiscard]] Link& link() { return link_; }
  [[nodiscard]] const Link& link() const { return link_; }

  /// It is connected to, in the next turn of the loop, and again when it is
  /// lost.
  void want();
  /// No longer: what there is is closed, in the next turn of the loop.
  void leave();

  /// It is being connected to, and didn't fail since it is wanted.
  [[nodiscard]] bool is_hopeful() const { return hopeful_; }

  // The engine's notes.
  std::uint32_t buckets = 0;
  std::uint64_t needed_ms = 0;  // when it was last, without a bucket of its own
  bool told_up = false;

 private:
  void on_link_up() override;
  void on_link_lost(Bytes why) override;
  void on_listening(Bytes topic) override { events_.on_listening(topic); }
  void on_message(Bytes topic, Bytes message) override {
    events_.on_message(topic, message);
  }
  void on_topic_lost(Bytes topic, Bytes why) override {
    events_.on_topic_lost(*this, topic, why);
  }
  void open();

  const Context context_;
  const Shard number_;
  const Server server_;
  ClusterNodeEvents& events_;
  Backoff backoff_;
  Outage outage_;
  bool wanted_ = false;
  bool hopeful_ = false;
  bool open_ = false;
  bool was_up_ = false;
  std::uint64_t up_ms_ = 0;  // since when
  std::unique_ptr<Alarm> retry_;
  Link link_;
};

}  // namespace paperboy::broker::redis
