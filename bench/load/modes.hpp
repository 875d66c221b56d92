// What can be measured: each mode runs its course and prints one object of JSON
// on standard output and one line for people on standard error.
#pragma once

#include "options.hpp"

namespace paperboy::load {

/// The process's status: 0 where nothing went wrong.
[[nodiscard]] int run_mode(const Options& options);

}  // namespace paperboy::load
