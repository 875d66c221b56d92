// What the commands for tokens have in common.
#pragma once

#include <optional>

#include "auth/key.hpp"
#include "cli/arguments.hpp"
#include "cli/outcome.hpp"

namespace paperboy::cli {

/// --alg; nothing where it isn't given.
Outcome<std::optional<auth::Algorithm>> read_algorithm(
    const Arguments& arguments);

}  // namespace paperboy::cli
