// Agreeing on permessage-deflate (RFC 7692 section 7.1): what the client
// offers against what the location is configured to do. Pure functions.
#pragma once

#include <optional>
#include <span>
#include <string>

#include "base/bytes.hpp"

namespace paperboy::ws {

/// zlib has no raw deflate with a window of 8 bits.
inline constexpr int kMinWindowBits = 9;
inline constexpr int kMaxWindowBits = 15;

/// What a location wants. Window bits: kMinWindowBits to kMaxWindowBits.
struct DeflateConfig {
  bool enabled = false;
  /// Keep the compressor's window from message to message: better ratios, but
  /// memory for each connection, and no frame shared by several of them.
  bool server_context_takeover = false;
  /// Let the client do so: an idle connection then keeps a window.
  bool client_context_takeover = false;
  int server_max_window_bits = kMaxWindowBits;
  int client_max_window_bits = kMaxWindowBits;
  int level = 6;  // zlib's, 1 to 9
};

/// What both sides do from the first frame on.
struct DeflateParams {
  bool server_no_context_takeover = true;
  bool client_no_context_takeover = true;
  int server_max_window_bits = kMaxWindowBits;  // 9 to 15
  int client_max_window_bits = kMaxWindowBits;  // 9 to 15
  bool answer_server_bits = false;              // the answer must name them
  bool answer_client_bits = false;

  friend bool operator==(const DeflateParams&, const DeflateParams&) = default;
};

/// The first offer that can be taken, in the order of the client. An offer
/// with an unknown or repeated parameter or a bad value is passed over
/// (section 7.1); so is server_max_window_bits=8. Empty: no compression.
/// `extensions`: the values of Sec-WebSocket-Extensions, in order. A value
/// that breaks the grammar offers nothing from there on; check_upgrade()
/// refuses such a request beforehand.
[[nodiscard]] std::optional<DeflateParams> negotiate(
    std::span<const Bytes> extensions, const DeflateConfig& config);

/// The value of Sec-WebSocket-Extensions that accepts.
[[nodiscard]] std::string answer(const DeflateParams& params);

}  // namespace paperboy::ws
