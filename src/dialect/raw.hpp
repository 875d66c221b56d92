// raw: five lines of plain WebSocket. A message is a publication, either way.
// Errors have no message of their own: what can't be done ends the connection,
// with a code and reason that say why.
#pragma once

#include "dialect/dialect.hpp"

namespace paperboy::dialect {

class Raw : public Dialect {
 public:
  [[nodiscard]] Bytes subprotocol() const override {
    return "paperboy.position";
  }
  [[nodiscard]] const Dialect* agreed() const override;
  [[nodiscard]] Decoded decode(std::optional<Message>& rest) const override;
  [[nodiscard]] Answer published(const Publish& command,
                                 const Result<Position>& outcome,
                                 std::string& scratch) const override;
  [[nodiscard]] Message publication(const Publication& publication,
                                    std::string& scratch) const override;
};

/// The same with positions, so that one who comes back can say where it was:
///
///   message = position SP channel LF data     a publication
///           | position SP channel             where the client begins
///
/// In a name a line's end is a space. What clients send is as before.
class PositionedRaw final : public Raw {
 public:
  [[nodiscard]] const Dialect* agreed() const override { return nullptr; }
  [[nodiscard]] std::optional<Message> beginning(
      Bytes channel, const Position& position,
      std::string& scratch) const override;
  [[nodiscard]] Message publication(const Publication& publication,
                                    std::string& scratch) const override;
};

}  // namespace paperboy::dialect
