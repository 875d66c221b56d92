// How bytes come and go: over the socket, or through TLS on it. One of a
// thread's; certificates are not verified, since it is the server's cost that
// counts.
#pragma once

#include <openssl/ssl.h>
#include <sys/types.h>

#include <memory>
#include <vector>

#include "base.hpp"

namespace paperboy::load {

class Link {
 public:
  Link(bool tls, std::size_t connections);

  enum class Shaken : std::uint8_t { yes, not_yet, broken };

  /// Without TLS, at once.
  [[nodiscard]] Shaken shake_hands(std::size_t id, int fd);
  /// As recv(2): 0 at its end, -1 and EAGAIN where there is nothing.
  ssize_t read(std::size_t id, int fd, char* to, std::size_t size);
  /// Small writes on an empty socket: all of it, or it failed.
  bool write(std::size_t id, int fd, Bytes bytes);
  void forget(std::size_t id);

  /// More may be there than epoll knows of.
  [[nodiscard]] bool buffers() const { return context_ != nullptr; }

 private:
  struct Free {
    void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
    void operator()(SSL* ssl) const { SSL_free(ssl); }
  };

  std::unique_ptr<SSL_CTX, Free> context_;
  std::vector<std::unique_ptr<SSL, Free>> connections_;
};

}  // namespace paperboy::load
