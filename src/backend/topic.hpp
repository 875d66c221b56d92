// What back ends of the classic protocol say, by topic: JSON objects to values.
// Borrowed bytes and pure functions; what is wrong is named, never shown.
//
//   paperboy-subscription-authorized  {"wsId","userId","channel"}
//   paperboy-subscription-close       {"userId","channel"}
//   paperboy-message                  {"userId","channel","payload",...}
//
// A member that is null is as one that isn't there; a userId may be an integer
// too. Others are nobody's.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>

#include "base/bytes.hpp"
#include "base/result.hpp"

namespace paperboy::backend {

enum class Topic : std::uint8_t { authorized, close, message };

inline constexpr Bytes kRequests = "paperboy-subscription-request";

inline constexpr std::array<Bytes, 3> kTopics{
    "paperboy-subscription-authorized", "paperboy-subscription-close",
    "paperboy-message"};

[[nodiscard]] inline Bytes name_of(Topic topic) {
  return kTopics[static_cast<std::size_t>(topic)];
}
[[nodiscard]] std::optional<Topic> topic_of(Bytes name);

struct Body {
  std::string client;   // of a subscription that is authorised
  std::string user;     // empty: none
  std::string channel;  // empty: none
  Bytes payload{};      // of a message, as it stands; empty: there is none
};

/// Error: bad_request. `text` must outlive the body.
[[nodiscard]] Result<Body> read_body(Topic topic, Bytes text);

/// Whether a message says when it was made: then another of the same text is
/// the same. REQUIRES: read_body() has read it.
[[nodiscard]] bool is_timed(Bytes text);

/// The body of a request to a back end.
[[nodiscard]] std::string request_body(Bytes client, Bytes token);

}  // namespace paperboy::backend
