#include "link.hpp"

#include <openssl/err.h>
#include <sys/socket.h>

#include <cerrno>

namespace paperboy::load {

Link::Link(bool tls, std::size_t connections) {
  if (!tls) return;
  context_.reset(SSL_CTX_new(TLS_client_method()));
  if (!context_) give_up("OpenSSL doesn't begin");
  SSL_CTX_set_verify(context_.get(), SSL_VERIFY_NONE, nullptr);
  SSL_CTX_set_mode(context_.get(), SSL_MODE_RELEASE_BUFFERS);
  connections_.resize(connections);
}

Link::Shaken Link::shake_hands(std::size_t id, int fd) {
  if (!context_) return Shaken::yes;
  auto& ssl = connections_[id];
  if (!ssl) {
    ssl.reset(SSL_new(context_.get()));
    SSL_set_fd(ssl.get(), fd);
    SSL_set_connect_state(ssl.get());
  }
  ERR_clear_error();  // of other connections: SSL_get_error looks at them
  const int result = SSL_do_handshake(ssl.get());
  if (result == 1) return Shaken::yes;
  const int error = SSL_get_error(ssl.get(), result);
  return error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE
             ? Shaken::not_yet
             : Shaken::broken;
}

ssize_t Link::read(std::size_t id, int fd, char* to, std::size_t size) {
  if (!context_) return recv(fd, to, size, 0);
  SSL* ssl = connections_[id].get();
  ERR_clear_error();
  const int result = SSL_read(ssl, to, static_cast<int>(size));
  if (result > 0) return result;
  const int error = SSL_get_error(ssl, result);
  if (error == SSL_ERROR_ZERO_RETURN) return 0;
  const bool later =
      error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE;
  errno = later ? EAGAIN : ECONNRESET;
  return -1;
}

bool Link::write(std::size_t id, int fd, Bytes bytes) {
  const auto size = static_cast<ssize_t>(bytes.size());
  if (!context_) {
    return send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL) == size;
  }
  return SSL_write(connections_[id].get(), bytes.data(),
                   static_cast<int>(bytes.size())) == size;
}

void Link::forget(std::size_t id) {
  if (context_) connections_[id].reset();
}

}  // namespace paperboy::load
