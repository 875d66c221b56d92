#include "broker/redis_engines.hpp"

#include "broker/redis_engine_cluster.hpp"
#include "broker/redis_engine_single.hpp"
#include "broker/redis_sentinels.hpp"

namespace paperboy::broker::redis {

std::unique_ptr<Engine> make_engine(Network& network, const Options& options) {
  switch (options.kind) {
    case Options::Kind::single:
      return std::make_unique<SingleEngine>(network, options);
    case Options::Kind::sentinel:
      return std::make_unique<SingleEngine>(
          network, options, std::make_unique<SentinelGuide>(network, options));
    case Options::Kind::cluster:
      return std::make_unique<ClusterEngine>(network, options);
  }
  return nullptr;
}

}  // namespace paperboy::broker::redis
