// A method of the HTTP API, asked from the command line.
#pragma once

#include <array>
#include <string>

#include "base/json.hpp"
#include "cli/arguments.hpp"
#include "cli/outcome.hpp"
#include "cli/server.hpp"

namespace paperboy::cli {

inline constexpr std::array kApiOptions{Option{"key-file"}, Option{"key-env"}};

/// The lines of --help for them.
inline constexpr Bytes kApiHelp =
    "  --key-file FILE    the key of the API is in FILE\n"
    "  --key-env NAME     it is in this variable of the environment\n";

struct ApiCall {
  Server server;
  std::string key;   // of the API; empty: none
  std::string body;  // JSON
};

/// To the server that the words name.
Outcome<ApiCall> read_call(const Arguments& arguments, Bytes method,
                           Json parameters);

/// The result that it is answered with.
Outcome<Json> ask(const ApiCall& call);

}  // namespace paperboy::cli
