// notiflux: clients subscribe to topics by commands with a token each, and get
// what a source broadcasts. Spaces are around words, however many:
//
//   command = "/subscribe" SP topic SP token | "/unsubscribe" SP topic
//           | "/unsubscribe-all"
//
// What doesn't begin with a slash is ignored, and so is what is binary. Only a
// command that isn't understood is answered, since clients take any other
// message for one that was broadcast.
#pragma once

#include "dialect/dialect.hpp"

namespace paperboy::dialect {

class Notiflux : public Dialect {
 public:
  /// Its server pings every 15 s, and drops who was silent for 30. Tokens live
  /// for seconds, and clocks may differ by a minute.
  [[nodiscard]] Defaults defaults() const override {
    return {.ping_interval_ms = 15'000,
            .ping_timeout_ms = 15'000,
            .connect_timeout_ms = 0,
            .tokens_only_admit = true,
            .token_leeway_seconds = 60};
  }
  [[nodiscard]] LocationChannels location_channels() const override {
    return LocationChannels::unused;
  }
  [[nodiscard]] bool converses() const override { return true; }
  [[nodiscard]] bool connects() const override { return false; }
  [[nodiscard]] bool is_one_user() const override { return false; }
  [[nodiscard]] bool joins_replies() const override { return false; }
  [[nodiscard]] Bytes subprotocol() const override {
    return "paperboy.notiflux";
  }
  [[nodiscard]] const Dialect* agreed() const override;
  [[nodiscard]] Decoded decode(std::optional<Message>& rest) const override;
  [[nodiscard]] Answer published(const Publish& command,
                                 const Result<Position>& outcome,
                                 std::string& scratch) const override;
  [[nodiscard]] Message publication(const Publication& publication,
                                    std::string& scratch) const override;
};

/// The same for who asks to be told of refusals:
///
///   {"error":{"code":103,"message":"permission denied"}}
///
/// with the codes of the Centrifugal client protocol.
class ToldNotiflux final : public Notiflux {
 public:
  [[nodiscard]] const Dialect* agreed() const override { return nullptr; }
  void reply(const Outcome& outcome, std::string& replies) const override;
};

}  // namespace paperboy::dialect
