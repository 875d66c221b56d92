// TLS over a socket that does not block. The only file that knows libssl. One
// a connection, owned by it.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>

#include "cli/outcome.hpp"

struct ssl_st;
struct ssl_ctx_st;

namespace paperboy::cli {

struct TlsOptions {
  bool insecure = false;  // whatever certificate the server has
  std::string ca_file;    // PEM; empty: the system's
};

/// What became of one try on a socket.
struct Step {
  enum class State { done, wants_read, wants_write, ended, failed };

  State state;
  std::size_t size = 0;  // bytes, where done
};

class Tls {
 public:
  /// `host` is whom the certificate has to name.
  static Outcome<std::unique_ptr<Tls>> make(int socket, const std::string& host,
                                            const TlsOptions& options);

  Step handshake();
  Step read(std::span<char> out);
  Step write(Bytes in);

  /// Tells the peer that no more comes, if the socket takes it at once.
  void shut_down();

  /// Why the last step failed, and what may be done about it.
  [[nodiscard]] std::string failure_text() const;

 private:
  struct Free {
    void operator()(ssl_st* ssl) const;
    void operator()(ssl_ctx_st* context) const;
  };

  Tls() = default;
  Outcome<Done> trust(const TlsOptions& options);
  Outcome<Done> expect(const std::string& host);
  Step step(int result, std::size_t size);

  std::unique_ptr<ssl_ctx_st, Free> context_;
  std::unique_ptr<ssl_st, Free> ssl_;
};

}  // namespace paperboy::cli
