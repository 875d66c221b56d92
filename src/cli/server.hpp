// What `pub` and `sub` have in common: which server, as whom, and the request
// that both begin with.
#pragma once

#include <array>
#include <chrono>
#include <optional>
#include <string>

#include "cli/arguments.hpp"
#include "cli/connection.hpp"
#include "cli/http.hpp"
#include "cli/tls.hpp"
#include "cli/url.hpp"

namespace paperboy::cli {

inline constexpr std::array kServerOptions{
    Option{"token-file"}, Option{"token-env"},
    Option{"origin"},     Option{"ca-file"},
    Option{"timeout"},    Option{"insecure", Option::Takes::nothing}};

/// The lines of --help for them.
inline constexpr Bytes kServerHelp =
    "  --token-file FILE  the token is in FILE (- for standard input)\n"
    "  --token-env NAME   the token is in this variable of the environment\n"
    "  --origin ORIGIN    send this Origin, as https://example.com\n"
    "  --ca-file FILE     trust the certificates in FILE, instead of the "
    "system's\n"
    "  --insecure         take any certificate\n"
    "  --timeout TIME     to connect and be answered, as 30s (10s)\n";

struct Server {
  Url url;
  TlsOptions tls;
  std::chrono::milliseconds timeout{};
  std::optional<std::string> token;
  std::string origin;  // empty: none

  /// Now, and the timeout from now.
  [[nodiscard]] Deadline deadline() const { return within(timeout); }
};

/// From kServerOptions and the first word, the URL.
Outcome<Server> read_server(const Arguments& arguments);

/// Adds Authorization and Origin, where there are any. Borrows from `server`
/// and from `bearer`, which it fills.
void add_credentials(const Server& server, std::string& bearer,
                     Headers& headers);

struct Answer {
  Head head;
  std::string body;
};

/// POSTs `body`, with credentials and `more` fields, and reads the answer.
Outcome<Answer> post(const Server& server, Bytes type, Bytes body,
                     const Headers& more);

/// Reads up to the end of an answer's head; what follows it stays in `in`.
Outcome<Head> read_head(Connection& connection, std::string& in,
                        Deadline deadline);

/// Then its body.
Outcome<std::string> read_body(Connection& connection, const Head& head,
                               std::string& in, Deadline deadline);

/// "refused: 401 ..., with what may help", as the server's answer has it.
Failure refusal(const Server& server, const Head& head, Bytes body);

}  // namespace paperboy::cli
