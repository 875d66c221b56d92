// TLS to a server, as nginx's upstreams have it.
#pragma once

#include "nginx/ngx.hpp"

#include <string>

#include "nginx/redis_conf.hpp"

namespace paperboy::nginx {

/// Makes the connection's TLS and names the server (SNI); it has yet to shake
/// hands. False: no memory.
bool begin_tls(ngx_connection_t& c, const RedisConf& conf,
               const std::string& name);

/// After the handshake: empty, or why this isn't the server that was meant.
std::string check_peer(ngx_connection_t& c, const RedisConf& conf,
                       const std::string& name);

/// Sends no farewell: what is lost is lost.
void end_tls(ngx_connection_t& c);

}  // namespace paperboy::nginx
