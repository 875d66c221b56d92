// One WebSocket of `sub`, from its 101 on: what has come is handed to a reader,
// who knows what it means; what that one wants printed is printed, what it
// wants said is said, until one of the three ends it.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/publication.hpp"
#include "cli/connection.hpp"
#include "cli/outcome.hpp"
#include "cli/server.hpp"

namespace paperboy::cli {

/// What the messages of a connection mean.
class MessageReader {
 public:
  /// Nothing: it goes on. Done: it was to end here. A failure: it has to.
  using Verdict = std::optional<Outcome<Done>>;

  struct Output {
    std::string print;             // on stdout, as it stands
    std::vector<std::string> say;  // text messages
  };

  MessageReader() = default;
  MessageReader(const MessageReader&) = delete;
  MessageReader& operator=(const MessageReader&) = delete;
  virtual ~MessageReader() = default;

  /// Once, before any message.
  virtual void begin(Output&) {}

  virtual Verdict on_message(Kind kind, Bytes data, Output& out) = 0;

  /// How long the server may be silent from now on; nothing: for ever.
  [[nodiscard]] virtual std::optional<std::chrono::milliseconds> patience()
      const {
    return std::nullopt;
  }

  /// What may explain that the server closed with this code; empty: nothing.
  [[nodiscard]] virtual Bytes explain(std::uint16_t /*code*/) const {
    return {};
  }
};

/// Until the end. `in`: what has come after the head of the server's answer.
Exit listen(const Server& server, Connection& connection, MessageReader& reader,
            std::string in);

}  // namespace paperboy::cli
