// The port to what the HTTP API tells of the node as a whole, and of the others
// that share its channels.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "api/active_channels.hpp"
#include "base/bytes.hpp"
#include "base/result.hpp"

namespace paperboy::api {

struct NodeInfo {
  std::string uid;   // at random, of this run of nginx
  std::string name;  // of the machine
  std::string version;
  std::uint64_t clients = 0;
  std::uint64_t subscriptions = 0;
  std::uint64_t channels = 0;
  std::uint64_t uptime_seconds = 0;
};

class Node {
 public:
  using InfoReply = std::function<void(const Result<std::vector<NodeInfo>>&)>;
  using ChannelsReply = std::function<void(const Result<ActiveChannels>&)>;

  Node() = default;
  Node(const Node&) = delete;
  Node& operator=(const Node&) = delete;
  virtual ~Node() = default;

  // Each answers once, during the call or later; of all nodes, or with an
  // error: unavailable, where one of them can't be asked.

  virtual void info(const InfoReply& reply) = 0;

  /// Error: too_large, too.
  virtual void channels(const ChannelsQuery& query,
                        const ChannelsReply& reply) = 0;
};

}  // namespace paperboy::api
