// `paperboy-cli sub`: listens to a raw location, one message a line.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/publication.hpp"
#include "cli/arguments.hpp"
#include "cli/outcome.hpp"
#include "cli/server.hpp"

namespace paperboy::cli {

enum class Form : std::uint8_t {
  lines,   // text as it is, binary in base64; line breaks escaped
  json,    // {"text":"..."} or {"binary":"BASE64"}
  binary,  // the bytes, and nothing between them
};

struct Sub {
  Server server;
  Form form = Form::lines;
  std::optional<std::int64_t> count;  // then it is done
};

/// REQUIRES: no --help among the words.
Outcome<Sub> read_sub(Words words);

/// A message as it is printed. `terminal`: without what a terminal would obey.
[[nodiscard]] std::string format_message(Form form, Kind kind, Bytes data,
                                         bool terminal);

Exit run_sub(Words words);

}  // namespace paperboy::cli
