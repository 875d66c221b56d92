// `paperboy-cli pub`: one message is POSTed to a location with
// paperboy_publish.
#pragma once

#include <string>

#include "cli/arguments.hpp"
#include "cli/outcome.hpp"
#include "cli/server.hpp"

namespace paperboy::cli {

struct Pub {
  Server server;
  bool binary = false;
  std::string message;
};

/// Reads what the words name, the message on standard input included. REQUIRES:
/// no --help among them.
Outcome<Pub> read_pub(Words words);

/// Whether an answer of success says that each channel has the message.
[[nodiscard]] bool all_published(Bytes answer);

Exit run_pub(Words words);

}  // namespace paperboy::cli
