// Addresses of servers that are not nginx's own: what connect(2) takes.
#pragma once

#include "nginx/ngx.hpp"

#include <optional>
#include <string>
#include <vector>

namespace paperboy::nginx {

struct Address {
  ngx_sockaddr_t at{};
  socklen_t length = 0;

  static Address of(const sockaddr& at, socklen_t length);
  /// With the port set; not of a path.
  [[nodiscard]] Address with_port(in_port_t port) const;
  /// "127.0.0.1:6379", "unix:/run/redis.sock"; for logs.
  [[nodiscard]] std::string text() const;
};

/// Of an IPv4 or IPv6 address, this with or without brackets; none: it is a
/// name.
std::optional<Address> literal_address(Bytes host);

/// Of a unix socket; none: the path is too long for one.
std::optional<Address> path_address(Bytes path);

/// What the system knows of the name now; blocks, for the configuration only.
/// Empty: nothing.
std::vector<Address> look_up(ngx_conf_t* cf, Bytes name);

}  // namespace paperboy::nginx
