// How Redis is reached and used, as the directives say it. A value; lives with
// its configuration.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "broker/redis_network.hpp"

namespace paperboy::broker::redis {

struct Options {
  enum class Kind : std::uint8_t { single, sentinel, cluster };

  Kind kind = Kind::single;
  std::vector<Server> servers;  // tried in their order; of a cluster or of
                                // Sentinels: where to ask
  std::string master;           // its name at the Sentinels
  std::string user;             // empty: the default user
  std::string password;         // empty: none
  std::string sentinel_user;
  std::string sentinel_password;
  std::uint32_t database = 0;
  std::string prefix = "paperboy:";
  std::uint64_t timeout_ms = 2000;    // of a command, and to connect
  std::uint64_t retry_ms = 100;       // the first wait before it connects again
  std::uint64_t max_retry_ms = 2000;  // and the longest
  std::uint64_t check_ms = 2000;      // between two looks at positions
  std::size_t max_queue = 16UL * 1024 * 1024;  // bytes of commands unanswered
  std::size_t max_reply = 64UL * 1024 * 1024;  // bytes
  std::uint32_t window = 1000;  // entries that every channel keeps for repair,
  std::uint64_t window_bytes = 1024UL * 1024;
  std::uint64_t window_ms = 60'000;
  std::uint64_t idle_ms = 30UL * 86'400'000;  // a channel's position is kept
  std::uint64_t linger_ms = 10'000;  // a topic is listened to after the last
                                     // subscriber of its channel has left
  bool inbox = false;                // back ends may publish by XADD
  bool scripts = true;               // they are loaded, to be called
  std::string cost = "nothing goes to other nodes";  // while it is away
  std::uint64_t inbox_idle_ms = 10'000;  // what somebody took from the inbox so
                                         // long ago is taken over
};

}  // namespace paperboy::broker::redis
