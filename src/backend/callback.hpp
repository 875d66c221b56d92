// Where an embedded back end wants to be called: what it registers, read from
// the JSON of POST /subscribeTopic/<topic>, and how it is called.
//
//   {"restHostname":"app.example","restPort":8080,"restPath":"/callback"}
//
// Values and pure functions. Whether that address may be called at all is the
// configuration's to say, when it is registered and when it is connected to.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>

#include "backend/topic.hpp"
#include "base/bytes.hpp"
#include "base/result.hpp"

namespace paperboy::backend {

/// All topics: those of back ends, at their numbers, and behind them that of
/// requests.
inline constexpr std::array<Bytes, 4> kAllTopics{kTopics[0], kTopics[1],
                                                 kTopics[2], kRequests};
inline constexpr std::uint8_t kRequestsTopic = 3;

/// The number of a topic, or of none.
[[nodiscard]] std::optional<std::uint8_t> topic_number(Bytes name);

struct Callback {
  static constexpr std::size_t kMaxHost = 253;  // bytes
  static constexpr std::size_t kMaxPath = 512;

  std::uint8_t topic = kRequestsTopic;  // in kAllTopics
  std::string host{};                   // in lower case, without brackets
  std::uint16_t port = 0;
  std::string path{};

  friend bool operator==(const Callback&, const Callback&) = default;
};

/// Error: bad_request.
[[nodiscard]] Result<Callback> read_callback(std::uint8_t topic, Bytes body);

/// "http://app.example:8080/callback"; for logs.
[[nodiscard]] std::string url_of(const Callback& callback);

/// The POST of `body`, which is JSON.
[[nodiscard]] std::string post_request(const Callback& callback, Bytes token,
                                       Bytes body);

}  // namespace paperboy::backend
