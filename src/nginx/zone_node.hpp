// What the HTTP API tells of the node, from its zone.
#pragma once

#include "nginx/ngx.hpp"

#include "api/node.hpp"
#include "nginx/worker.hpp"

namespace paperboy::nginx {

class ZoneNode final : public api::Node {
 public:
  /// `worker` must outlive this.
  explicit ZoneNode(Worker& worker) : worker_(worker) {}

  [[nodiscard]] api::NodeInfo info() override;
  Result<Done> channels(Bytes prefix, std::uint64_t& cursor,
                        std::vector<api::ActiveChannel>& found) override;

 private:
  Worker& worker_;
};

/// In the master, when it begins: `info` tells since when, and who.
void begin_node();

}  // namespace paperboy::nginx
