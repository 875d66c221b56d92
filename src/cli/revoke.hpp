// `paperboy-cli revoke`: tokens are made bad before their time, through the
// HTTP API.
#pragma once

#include <string>

#include "cli/arguments.hpp"
#include "cli/outcome.hpp"
#include "cli/server.hpp"

namespace paperboy::cli {

struct Revoke {
  Server server;
  std::string key;   // of the API; empty: none
  std::string body;  // JSON
};

/// Reads what the words name. REQUIRES: no --help among them.
Outcome<Revoke> read_revoke(Words words);

Exit run_revoke(Words words);

}  // namespace paperboy::cli
