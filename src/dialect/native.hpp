// native: the Centrifugal client protocol in its JSON form, as bidirectional
// clients speak it (centrifugal/protocol, definitions/client.proto). Commands
// and replies are JSON objects, several in a message with newlines between
// them; what has no id is a push.
#pragma once

#include "dialect/dialect.hpp"

namespace paperboy::dialect {

class Native final : public Dialect {
 public:
  [[nodiscard]] LocationChannels location_channels() const override {
    return LocationChannels::optional;
  }
  [[nodiscard]] bool converses() const override { return true; }
  [[nodiscard]] Bytes subprotocol() const override { return "centrifuge-json"; }
  [[nodiscard]] Bytes foreign_subprotocol() const override {
    return "centrifuge-protobuf";
  }
  [[nodiscard]] std::optional<Message> heartbeat() const override {
    return Message{Kind::text, "{}"};
  }
  [[nodiscard]] Close closing(const Close& close) const override;
  [[nodiscard]] Decoded decode(std::optional<Message>& rest) const override;
  [[nodiscard]] Answer published(const Publish& command,
                                 const Result<Position>& outcome,
                                 std::string& scratch) const override;
  void reply(const Outcome& outcome, std::string& replies) const override;
  [[nodiscard]] Message publication(const Publication& publication,
                                    std::string& scratch) const override;
};

}  // namespace paperboy::dialect
