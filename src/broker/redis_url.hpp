// Where a Redis is, as people write it. A value.
//
//   redis://[[user]:password@]host[:port][/database]
//   rediss://...                       the same, over TLS
//   unix:/path/to/socket[?db=database]
//
// An IPv6 address stands in brackets; in user, password and path %XX is a byte.
#pragma once

#include <cstdint>
#include <string>

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "broker/redis_network.hpp"

namespace paperboy::broker::redis {

struct Url {
  Server server;
  std::string user;      // empty: the default user
  std::string password;  // empty: none
  std::uint32_t database = 0;
};

/// Error: bad_request. It shows nothing of the URL, which may hold a password.
Result<Url> parse_url(Bytes text);

/// Whether it may be a server's name, or its address without brackets.
[[nodiscard]] bool is_host(Bytes text);

/// As a log shows it: host:port, or unix:path.
[[nodiscard]] std::string name_of(const Server& server);

}  // namespace paperboy::broker::redis
