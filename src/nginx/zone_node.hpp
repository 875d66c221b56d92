// What the HTTP API tells of the node, from its zone.
#pragma once

#include "nginx/ngx.hpp"

#include "api/node.hpp"

namespace paperboy::nginx {

class Worker;

class ZoneNode final : public api::Node {
 public:
  /// `worker` must outlive this.
  explicit ZoneNode(Worker& worker) : worker_(worker) {}

  void info(const InfoReply& reply) override;
  void channels(const api::ChannelsQuery& query,
                const ChannelsReply& reply) override;

  [[nodiscard]] api::NodeInfo own_info() const;
  [[nodiscard]] Result<api::ActiveChannels> own_channels(
      const api::ChannelsQuery& query) const;

 private:
  Worker& worker_;
};

/// In the master, when it begins: `info` tells since when, and who.
void begin_node();

/// Who this node is: the same in all of its workers.
[[nodiscard]] const std::string& node_uid();

}  // namespace paperboy::nginx
