// Where servers are: IPv4 addresses with a port.
#pragma once

#include <netinet/in.h>

#include <string>

#include "base.hpp"

namespace paperboy::load {

struct Endpoint {
  sockaddr_in address{};
  std::string host;  ///< "name:port", as it was given
};

/// Gives up where there is no such host.
[[nodiscard]] Endpoint resolve(const std::string& host);

[[nodiscard]] const sockaddr* generic(const sockaddr_in& address);

}  // namespace paperboy::load
