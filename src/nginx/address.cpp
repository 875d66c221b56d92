#include "nginx/address.hpp"

#include <sys/un.h>

#include <array>

namespace paperboy::nginx {

Address Address::of(const sockaddr& at, socklen_t length) {
  Address address;
  ngx_memcpy(&address.at, &at, length);
  address.length = length;
  return address;
}

Address Address::with_port(in_port_t port) const {
  Address address = *this;
  ngx_inet_set_port(&address.at.sockaddr, port);
  return address;
}

std::string Address::text() const {
  std::array<u_char, NGX_SOCKADDR_STRLEN> text;
  const std::size_t n = ngx_sock_ntop(const_cast<sockaddr*>(&at.sockaddr),
                                      length, text.data(), text.size(), 1);
  return {reinterpret_cast<const char*>(text.data()), n};
}

std::optional<Address> literal_address(Bytes host) {
  if (host.starts_with('[') && host.ends_with(']')) {
    host = host.substr(1, host.size() - 2);
  }
  const ngx_str_t text = borrow(host);
  const in_addr_t v4 = ngx_inet_addr(text.data, text.len);
  if (v4 != INADDR_NONE) {
    sockaddr_in at{};
    at.sin_family = AF_INET;
    at.sin_addr.s_addr = v4;
    return Address::of(reinterpret_cast<const sockaddr&>(at), sizeof at);
  }
  sockaddr_in6 at{};
  at.sin6_family = AF_INET6;
  if (ngx_inet6_addr(text.data, text.len, at.sin6_addr.s6_addr) != NGX_OK) {
    return {};
  }
  return Address::of(reinterpret_cast<const sockaddr&>(at), sizeof at);
}

std::optional<Address> path_address(Bytes path) {
  sockaddr_un at{};
  if (path.empty() || path.size() >= sizeof at.sun_path) return {};
  at.sun_family = AF_UNIX;
  ngx_memcpy(at.sun_path, path.data(), path.size());
  return Address::of(reinterpret_cast<const sockaddr&>(at), sizeof at);
}

std::vector<Address> look_up(ngx_conf_t* cf, Bytes name) {
  std::vector<Address> found;
  ngx_url_t url{};
  url.url = copy(cf->pool, name);
  url.default_port = 1;
  if (url.url.data == nullptr || ngx_parse_url(cf->pool, &url) != NGX_OK) {
    return found;
  }
  for (ngx_uint_t i = 0; i < url.naddrs; ++i) {
    found.push_back(Address::of(*url.addrs[i].sockaddr, url.addrs[i].socklen));
  }
  return found;
}

}  // namespace paperboy::nginx
