// The port to what the HTTP API tells of the node as a whole.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/bytes.hpp"
#include "base/result.hpp"

namespace paperboy::api {

struct NodeInfo {
  std::string uid;   // at random, of this run of nginx
  std::string name;  // of the machine
  std::uint64_t clients = 0;
  std::uint64_t subscriptions = 0;
  std::uint64_t channels = 0;
  std::uint64_t uptime_seconds = 0;
};

struct ActiveChannel {
  std::string key;
  std::uint64_t subscribers = 0;
};

class Node {
 public:
  Node() = default;
  Node(const Node&) = delete;
  Node& operator=(const Node&) = delete;
  virtual ~Node() = default;

  [[nodiscard]] virtual NodeInfo info() = 0;

  /// Adds those with subscribers whose keys begin with `prefix` and which come
  /// after `cursor` (0: from the first on), some at a time; moves the cursor
  /// on, to 0 at the end. In no order. Error: unavailable.
  virtual Result<Done> channels(Bytes prefix, std::uint64_t& cursor,
                                std::vector<ActiveChannel>& found) = 0;
};

}  // namespace paperboy::api
