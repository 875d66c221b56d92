// `paperboy-cli revoke`: tokens are made bad before their time, through the
// HTTP API.
#pragma once

#include "cli/api_call.hpp"
#include "cli/arguments.hpp"
#include "cli/outcome.hpp"

namespace paperboy::cli {

/// Reads what the words name. REQUIRES: no --help among them.
Outcome<ApiCall> read_revoke(Words words);

Exit run_revoke(Words words);

}  // namespace paperboy::cli
