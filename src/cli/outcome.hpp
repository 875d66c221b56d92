// How a command ends: what scripts learn from its exit code, and what people
// read on stderr. docs/cli.md lists the codes.
#pragma once

#include <string>

#include "base/bytes.hpp"
#include "base/result.hpp"

namespace paperboy::cli {

enum class Exit : int {
  done = 0,
  refused = 1,    // the server said no, or the token is not good
  usage = 2,      // what was given can't be used; nothing was sent
  network = 3,    // no connection, or no sensible answer over it
  come_back = 4,  // the connection ended: connecting again makes sense
  stay_away = 5,  // the connection ended: connecting again does not help
};

/// `text` says what is wrong and what to do, and never shows a token or key.
struct Failure {
  Exit exit;
  std::string text;
};

template <typename T>
using Outcome = Result<T, Failure>;

inline Failure misused(std::string text) {
  return {Exit::usage, std::move(text)};
}

}  // namespace paperboy::cli
