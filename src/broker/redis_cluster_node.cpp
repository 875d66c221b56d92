#include "broker/redis_cluster_node.hpp"

#include <utility>

#include "broker/redis_url.hpp"

namespace paperboy::broker::redis {

ClusterNode::ClusterNode(const Context& context, Shard number, Server server,
                         ClusterNodeEvents& events)
    : context_(context),
      number_(number),
      server_(std::move(server)),
      events_(events),
      backoff_(context.network, context.options),
      outage_(context.network, "its channels' messages go to no other node"),
      retry_(context.network.alarm([this] { open(); })),
      link_(context, Topics::sharded, *this) {}

void ClusterNode::want() {
  if (std::exchange(wanted_, true)) return;
  hopeful_ = true;
  backoff_.reset();
  retry_->set(0);
}

void ClusterNode::leave() {
  wanted_ = false;
  hopeful_ = false;
  retry_->cancel();
  outage_.forget();
  link_.close("its slots are elsewhere");
}

void ClusterNode::open() {
  if (!wanted_ || open_) return;
  open_ = true;
  link_.open(server_);
}

void ClusterNode::on_link_up() {
  was_up_ = true;
  hopeful_ = false;
  up_ms_ = context_.network.clock().monotonic_ms();
  outage_.tell_up(name_of(server_), link_.identity().replication_id);
  events_.on_node_up(*this);
}

void ClusterNode::on_link_lost(Bytes why) {
  open_ = false;
  hopeful_ = false;
  const bool was_up = std::exchange(was_up_, false);
  events_.on_node_lost(*this);
  if (wanted_) {
    outage_.tell_lost(name_of(server_), why, was_up);
    const std::uint64_t now = context_.network.clock().monotonic_ms();
    if (was_up && now - up_ms_ > context_.options.max_retry_ms) {
      backoff_.reset();
    }
    retry_->set(backoff_.next_ms());
  }
}

}  // namespace paperboy::broker::redis
