// What the directives of Redis say, as a worker uses it. Lives with its cycle.
#pragma once

#include "nginx/ngx.hpp"

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "broker/redis_options.hpp"
#include "nginx/address.hpp"

namespace paperboy::nginx {

/// The part that nginx's own slot functions fill in: standard layout.
struct RedisSlots {
  ngx_flag_t ssl_verify = NGX_CONF_UNSET;
  ngx_str_t ssl_trusted_certificate{};
  ngx_str_t ssl_name{};
  ngx_str_t ssl_certificate{};
  ngx_str_t ssl_certificate_key{};
  ngx_uint_t ssl_protocols = 0;  // 0: those of nginx
};

struct RedisConf {
  broker::redis::Options options;
  // Names are asked for when a worker connects; null: where there is no
  // resolver, they were when the configuration was read.
  ngx_resolver_t* resolver = nullptr;
  std::map<std::string, std::vector<Address>, std::less<>> addresses;
  ngx_ssl_t* ssl = nullptr;  // null: no server has TLS
  bool ssl_verify = true;
  std::string ssl_name;  // empty: the server's
  // Whether an address may be connected to; empty: any.
  std::function<bool(const broker::redis::Server&, const Address&)> allows;
};

}  // namespace paperboy::nginx
