#include "cli/tls.hpp"

#include <arpa/inet.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509_vfy.h>

#include <array>
#include <cerrno>
#include <cstring>

namespace paperboy::cli {

namespace {

Failure broken(const char* what) {
  return {Exit::network, std::string("TLS: ") + what};
}

bool is_address(const std::string& host) {
  std::array<unsigned char, sizeof(in6_addr)> address;
  return inet_pton(AF_INET, host.c_str(), address.data()) == 1 ||
         inet_pton(AF_INET6, host.c_str(), address.data()) == 1;
}

}  // namespace

void Tls::Free::operator()(ssl_st* ssl) const { SSL_free(ssl); }
void Tls::Free::operator()(ssl_ctx_st* context) const { SSL_CTX_free(context); }

Outcome<std::unique_ptr<Tls>> Tls::make(int socket, const std::string& host,
                                        const TlsOptions& options) {
  std::unique_ptr<Tls> tls(new Tls);
  tls->context_.reset(SSL_CTX_new(TLS_client_method()));
  if (!tls->context_) return broken("out of memory");
  SSL_CTX_set_min_proto_version(tls->context_.get(), TLS1_2_VERSION);
  SSL_CTX_set_mode(
      tls->context_.get(),
      SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  // Where HTTP or WebSocket say what is whole, an end without a farewell is
  // theirs to judge.
  SSL_CTX_set_options(tls->context_.get(), SSL_OP_IGNORE_UNEXPECTED_EOF);
  if (auto good = tls->trust(options); !good) return good.error();
  tls->ssl_.reset(SSL_new(tls->context_.get()));
  if (!tls->ssl_ || SSL_set_fd(tls->ssl_.get(), socket) != 1) {
    return broken("out of memory");
  }
  if (auto good = tls->expect(host); !good) return good.error();
  SSL_set_connect_state(tls->ssl_.get());
  return tls;
}

Outcome<Done> Tls::trust(const TlsOptions& options) {
  if (options.insecure) return Done{};
  SSL_CTX_set_verify(context_.get(), SSL_VERIFY_PEER, nullptr);
  if (options.ca_file.empty()) {
    SSL_CTX_set_default_verify_paths(context_.get());
  } else if (SSL_CTX_load_verify_locations(
                 context_.get(), options.ca_file.c_str(), nullptr) != 1) {
    return misused("--ca-file: no certificates in PEM can be read from " +
                   options.ca_file);
  }
  return Done{};
}

// RFC 6066 section 3: the name of the server is no address.
Outcome<Done> Tls::expect(const std::string& host) {
  const bool good =
      is_address(host)
          ? X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl_.get()),
                                          host.c_str()) == 1
          : SSL_set_tlsext_host_name(ssl_.get(), host.c_str()) == 1 &&
                SSL_set1_host(ssl_.get(), host.c_str()) == 1;
  if (!good) return broken("the host's name can't be checked");
  return Done{};
}

Step Tls::step(int result, std::size_t size) {
  if (result > 0) return {Step::State::done, size};
  switch (SSL_get_error(ssl_.get(), result)) {
    case SSL_ERROR_WANT_READ:
      return {Step::State::wants_read};
    case SSL_ERROR_WANT_WRITE:
      return {Step::State::wants_write};
    case SSL_ERROR_ZERO_RETURN:
      return {Step::State::ended};
    default:
      return {Step::State::failed};
  }
}

Step Tls::handshake() {
  ERR_clear_error();
  errno = 0;
  return step(SSL_do_handshake(ssl_.get()), 0);
}

Step Tls::read(std::span<char> out) {
  ERR_clear_error();
  errno = 0;
  std::size_t size = 0;
  const int result = SSL_read_ex(ssl_.get(), out.data(), out.size(), &size);
  return step(result, size);
}

Step Tls::write(Bytes in) {
  ERR_clear_error();
  errno = 0;
  std::size_t size = 0;
  const int result = SSL_write_ex(ssl_.get(), in.data(), in.size(), &size);
  return step(result, size);
}

void Tls::shut_down() {
  if (SSL_is_init_finished(ssl_.get()) != 0) SSL_shutdown(ssl_.get());
}

std::string Tls::failure_text() const {
  const int system = errno;
  const long verdict = SSL_get_verify_result(ssl_.get());
  if (verdict != X509_V_OK &&
      (SSL_get_verify_mode(ssl_.get()) & SSL_VERIFY_PEER) != 0) {
    return std::string("the server's certificate is not trusted: ") +
           X509_verify_cert_error_string(verdict) +
           "; --ca-file names who signed it, --insecure takes any";
  }
  const unsigned long error = ERR_peek_last_error();
  if (error != 0) {
    const char* const reason = ERR_reason_error_string(error);
    return std::string("TLS failed: ") +
           (reason != nullptr ? reason : "unknown reason");
  }
  return system != 0 ? std::strerror(system) : "the server hung up";
}

}  // namespace paperboy::cli
