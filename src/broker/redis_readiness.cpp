#include "broker/redis_readiness.hpp"

namespace paperboy::broker::redis {

std::vector<Bytes> reasons_not_ready(const NodeHealth& health) {
  std::vector<Bytes> reasons;
  if (health.leaving) reasons.emplace_back("leaving");
  if (!health.has_redis) return reasons;
  if (health.relays == 0) {
    reasons.emplace_back("redis_no_relay");
  } else if (health.proved < health.workers) {
    reasons.emplace_back("redis_delivery");
  }
  return reasons;
}

}  // namespace paperboy::broker::redis
