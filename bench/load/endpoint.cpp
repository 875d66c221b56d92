#include "endpoint.hpp"

#include <netdb.h>

#include <cstring>

namespace paperboy::load {

Endpoint resolve(const std::string& host) {
  const std::size_t colon = host.rfind(':');
  if (colon == std::string::npos) give_up(host + ": expected HOST:PORT");
  Endpoint endpoint;
  endpoint.host = host;
  addrinfo hints{};
  hints.ai_family = AF_INET;
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  const int result =
      getaddrinfo(host.substr(0, colon).c_str(), host.substr(colon + 1).c_str(),
                  &hints, &found);
  if (result != 0) give_up(host + ": " + gai_strerror(result));
  std::memcpy(&endpoint.address, found->ai_addr, sizeof endpoint.address);
  freeaddrinfo(found);
  return endpoint;
}

const sockaddr* generic(const sockaddr_in& address) {
  return reinterpret_cast<const sockaddr*>(&address);
}

}  // namespace paperboy::load
