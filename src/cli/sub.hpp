// `paperboy-cli sub`: listens to a raw or a native location, one message a
// line.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/publication.hpp"
#include "cli/arguments.hpp"
#include "cli/outcome.hpp"
#include "cli/server.hpp"

namespace paperboy::cli {

enum class Form : std::uint8_t {
  lines,   // text as it is, binary in base64; line breaks escaped. native: data
  json,    // {"text":"..."} or {"binary":"BASE64"}. native: channel, epoch,
           // offset and data
  binary,  // the bytes, and nothing between them. Not native
};

struct Sub {
  Server server;
  Form form = Form::lines;
  std::optional<std::int64_t> count;  // then it is done
  bool native = false;
  std::vector<std::string> channels;         // native: to subscribe to
  std::optional<std::string> channel_token;  // native: of the one channel
};

/// REQUIRES: no --help among the words.
Outcome<Sub> read_sub(Words words);

/// A message of a raw location as it is printed. `terminal`: without what a
/// terminal would obey.
[[nodiscard]] std::string format_message(Form form, Kind kind, Bytes data,
                                         bool terminal);

Exit run_sub(Words words);

}  // namespace paperboy::cli
