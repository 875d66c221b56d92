#include "broker/redis_readiness.hpp"

namespace paperboy::broker::redis {

std::vector<Bytes> reasons_not_ready(const NodeHealth& health) {
  std::vector<Bytes> reasons;
  if (health.leaving) reasons.emplace_back("leaving");
  if (health.has_redis && health.relays == 0) {
    reasons.emplace_back("redis_no_relay");
  } else if (health.has_redis && health.proved < health.workers) {
    reasons.emplace_back("redis_delivery");
  }
  if (!health.knows_revocations) reasons.emplace_back("revocations");
  if (!health.knows_tokens) reasons.emplace_back("opaque_tokens");
  if (health.has_back_ends &&
      (health.askers == 0 || health.askers_ready < health.askers)) {
    reasons.emplace_back("classic_redis");
  }
  return reasons;
}

}  // namespace paperboy::broker::redis
