// A connection to a server, with or without TLS. To its owner, one command, it
// blocks: until there is something, the time is over, or (where that is asked
// for) Ctrl-C.
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>

#include "cli/interrupt.hpp"
#include "cli/outcome.hpp"
#include "cli/tls.hpp"
#include "cli/url.hpp"

namespace paperboy::cli {

using Instant = std::chrono::steady_clock::time_point;

/// Nothing: as long as it takes.
using Deadline = std::optional<Instant>;

[[nodiscard]] Deadline within(std::chrono::milliseconds time);

/// The failure of a deadline that has passed.
Failure too_late();

class Connection {
 public:
  enum class Event { data, end, timeout, interrupt };

  /// Tries the addresses of the host in turn, until `deadline`.
  static Outcome<std::unique_ptr<Connection>> open(const Url& url,
                                                   const TlsOptions& options,
                                                   Deadline deadline);

  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;
  ~Connection();

  /// Appends what has come to `in`, at least a byte. `interrupt`, if not null,
  /// ends the waiting.
  Outcome<Event> read(std::string& in, Deadline deadline,
                      const Interrupt* interrupt = nullptr);

  /// All of it.
  Outcome<Done> write(Bytes out, Deadline deadline);

 private:
  explicit Connection(int socket) : socket_(socket) {}

  static Outcome<std::unique_ptr<Connection>> open_socket(const Url& url,
                                                          Deadline deadline);
  Outcome<Done> begin_tls(const Url& url, const TlsOptions& options,
                          Deadline deadline);
  Step read_some(std::span<char> out);
  Step write_some(Bytes in);
  Event wait(Step::State wanted, Deadline deadline,
             const Interrupt* interrupt) const;
  [[nodiscard]] std::string failure_text() const;

  int socket_;
  std::unique_ptr<Tls> tls_;
};

}  // namespace paperboy::cli
