// Whether a node is ready: can what is published anywhere reach its clients,
// and can back ends let them in?
#pragma once

#include <cstddef>
#include <vector>

#include "base/bytes.hpp"

namespace paperboy::broker::redis {

struct NodeHealth {
  bool leaving = false;     // the worker that is asked takes no new clients
  bool has_redis = false;   // else the node is all there is
  std::size_t relays = 0;   // living workers that bring in what Redis delivers
  std::size_t workers = 0;  // that are to do so
  std::size_t proved = 0;   // those of them to whom it was proved lately
  bool knows_revocations = true;
  bool knows_tokens = true;  // opaque ones

  // Of back ends of the classic protocol, over a Redis of theirs.
  bool has_back_ends = false;
  std::size_t askers = 0;        // workers that are to ask and to hear them
  std::size_t askers_ready = 0;  // those of them that can
};

/// Static texts for a program to tell apart, "redis_delivery"; none: ready.
[[nodiscard]] std::vector<Bytes> reasons_not_ready(const NodeHealth& health);

}  // namespace paperboy::broker::redis
