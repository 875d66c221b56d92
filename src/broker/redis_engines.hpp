// The engine that the options ask for.
#pragma once

#include <memory>

#include "broker/redis_engine.hpp"
#include "broker/redis_network.hpp"
#include "broker/redis_options.hpp"

namespace paperboy::broker::redis {

/// REQUIRES: the options name a server. Both must outlive the engine.
std::unique_ptr<Engine> make_engine(Network& network, const Options& options);

}  // namespace paperboy::broker::redis
