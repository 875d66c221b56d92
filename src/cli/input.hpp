// What commands are fed: files, the environment, standard input. All of it is
// bounded; what is a secret stays out of the errors.
#pragma once

#include <optional>
#include <string>

#include "cli/arguments.hpp"
#include "cli/outcome.hpp"

namespace paperboy::cli {

inline constexpr std::size_t kMaxMessage = 16UL * 1024 * 1024;
inline constexpr std::size_t kMaxKey = 65536;

/// The bytes of a file; of standard input for "-".
Outcome<std::string> read_file(Bytes path, std::size_t limit);

/// What --key-file or --key-env names, without one final newline of a file, as
/// paperboy_jwt_key reads it; nothing where neither is given.
Outcome<std::optional<std::string>> read_key(const Arguments& arguments);

/// Likewise --token-file or --token-env (or another's of that name), without
/// white space at its end. Refuses what can't stand in a header.
Outcome<std::optional<std::string>> read_token(const Arguments& arguments,
                                               Bytes name = "token");

}  // namespace paperboy::cli
