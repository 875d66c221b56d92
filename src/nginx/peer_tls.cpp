#include "nginx/peer_tls.hpp"

#include <openssl/x509v3.h>

namespace paperboy::nginx {

namespace {

/// nginx compares names only.
bool is_for_address(ngx_connection_t& c, const Address& address) {
  X509* const certificate = SSL_get1_peer_certificate(c.ssl->connection);
  if (certificate == nullptr) return false;
  const auto& at = address.at;
  const bool v4 = at.sockaddr.sa_family == AF_INET;
  const auto* const ip =
      v4 ? reinterpret_cast<const unsigned char*>(&at.sockaddr_in.sin_addr)
         : at.sockaddr_in6.sin6_addr.s6_addr;
  const bool same = X509_check_ip(certificate, ip, v4 ? 4 : 16, 0) == 1;
  X509_free(certificate);
  return same;
}

bool is_for(ngx_connection_t& c, const std::string& name) {
  if (const auto address = literal_address(name)) {
    return is_for_address(c, *address);
  }
  ngx_str_t text = borrow(name);
  return ngx_ssl_check_host(&c, &text) == NGX_OK;
}

}  // namespace

bool begin_tls(ngx_connection_t& c, const RedisConf& conf,
               const std::string& name) {
  if (ngx_ssl_create_connection(conf.ssl, &c, NGX_SSL_CLIENT) != NGX_OK) {
    return false;
  }
  SSL* const ssl = c.ssl->connection;
  // What is left of a write may lie elsewhere when it is tried again.
  SSL_set_mode(
      ssl, SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | SSL_MODE_ENABLE_PARTIAL_WRITE);
  // RFC 6066 section 3: an address is no name.
  if (name.empty() || literal_address(name)) return true;
  return SSL_set_tlsext_host_name(ssl, name.c_str()) == 1;
}

std::string check_peer(ngx_connection_t& c, const RedisConf& conf,
                       const std::string& name) {
  if (!conf.ssl_verify) return {};
  const long result = SSL_get_verify_result(c.ssl->connection);
  if (result != X509_V_OK) {
    return std::string("its certificate isn't to be trusted: ") +
           X509_verify_cert_error_string(result);
  }
  if (!is_for(c, name)) return "its certificate isn't for \"" + name + "\"";
  return {};
}

void end_tls(ngx_connection_t& c) {
  if (c.ssl == nullptr) return;
  c.ssl->no_wait_shutdown = c.ssl->no_send_shutdown = 1;
  ngx_ssl_shutdown(&c);
}

}  // namespace paperboy::nginx
