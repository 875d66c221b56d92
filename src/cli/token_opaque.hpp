// `paperboy-cli token create` and `token end`: opaque tokens, through the HTTP
// API.
#pragma once

#include "cli/api_call.hpp"
#include "cli/arguments.hpp"
#include "cli/outcome.hpp"

namespace paperboy::cli {

/// Each reads what the words name. REQUIRES: no --help among them.
Outcome<ApiCall> read_token_create(Words words);
Outcome<ApiCall> read_token_end(Words words);

Exit run_token_create(Words words);
Exit run_token_end(Words words);

}  // namespace paperboy::cli
