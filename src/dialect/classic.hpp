// classic: the protocol of the classic Paperboy server. A client sends bare
// texts:
//
//   "unsubscribe:" channel     where all of it is shorter than 100 characters
//   token                      any other text: it asks to be subscribed
//
// and is sent only what its client can take, since anything else makes that
// throw:
//
//   "subscribed:" channel      shorter than 100 characters too
//   {"userId":...,"channel":...,"payload":...,"timestamp":...}
//
// Characters are UTF-16's units. A back end's message is the text as it sent
// it (envelope.hpp); what others published is put into that form.
#pragma once

#include "dialect/dialect.hpp"

namespace paperboy::dialect {

class Classic : public Dialect {
 public:
  [[nodiscard]] Defaults defaults() const override;
  [[nodiscard]] LocationChannels location_channels() const override {
    return LocationChannels::unused;
  }
  [[nodiscard]] bool converses() const override { return true; }
  [[nodiscard]] bool connects() const override { return false; }
  [[nodiscard]] bool joins_replies() const override { return false; }
  [[nodiscard]] bool hears_user() const override { return true; }
  [[nodiscard]] Bytes subprotocol() const override {
    return "paperboy.classic";
  }
  [[nodiscard]] const Dialect* agreed() const override;
  [[nodiscard]] Decoded decode(std::optional<Message>& rest) const override;
  [[nodiscard]] Answer published(const Publish& command,
                                 const Result<Position>& outcome,
                                 std::string& scratch) const override;
  void reply(const Outcome& outcome, std::string& replies) const override;
  [[nodiscard]] Message publication(const Publication& publication,
                                    std::string& scratch) const override;
};

/// The same where the client offered our subprotocol: refusals are answered,
/// {"error":{"code":103,"message":"permission denied"}}, with native's codes.
class AnsweringClassic final : public Classic {
 public:
  [[nodiscard]] const Dialect* agreed() const override { return nullptr; }
  void reply(const Outcome& outcome, std::string& replies) const override;
};

}  // namespace paperboy::dialect
