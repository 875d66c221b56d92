// What the HTTP API tells of all nodes that share a Redis: each writes its own
// info beside the leases of its workers; for the rest they are asked. One a
// worker, gone before what it borrows.
#pragma once

#include "nginx/ngx.hpp"

#include <string>

#include "api/node.hpp"
#include "broker/redis_broker.hpp"
#include "broker/redis_lease.hpp"
#include "hub/survey.hpp"
#include "nginx/zone_node.hpp"

namespace paperboy::nginx {

class RedisNode final : public api::Node {
 public:
  /// All must outlive it, `lease` too. `timeout_ms`: of another node's answer.
  RedisNode(Worker& worker, hub::Hub& hub, broker::RedisBroker& broker,
            broker::redis::Lease& lease, std::uint64_t timeout_ms);
  /// Where the whole node goes, it is taken off the list.
  ~RedisNode() override;

  void info(const InfoReply& reply) override;
  void channels(const api::ChannelsQuery& query,
                const ChannelsReply& reply) override;

  /// After a drain: what others ask, and answer.
  void look() { survey_.look(); }
  /// Once a second.
  void tick();

 private:
  [[nodiscard]] broker::redis::NodeState describe() const;
  std::optional<std::string> answer(Bytes question) const;
  void ask(const api::ChannelsQuery& query, const ChannelsReply& reply);

  Worker& worker_;
  broker::RedisBroker& broker_;
  broker::redis::Lease& lease_;
  const std::uint64_t timeout_ms_;
  ZoneNode own_;
  hub::Survey survey_;
};

}  // namespace paperboy::nginx
