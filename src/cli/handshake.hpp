// The opening handshake as the client sees it (RFC 6455 section 4.1). Pure but
// for randomness.
#pragma once

#include <optional>
#include <string>

#include "cli/http.hpp"
#include "cli/server.hpp"
#include "ws/client_frame.hpp"

namespace paperboy::cli {

/// Nobody can foretell them; the process ends where there is no randomness.
[[nodiscard]] ws::MaskingKey new_masking_key();
[[nodiscard]] std::string new_handshake_key();

/// The subprotocol of native locations.
inline constexpr Bytes kNativeProtocol = "centrifuge-json";

/// `protocol`: the subprotocol to offer; empty: none.
[[nodiscard]] std::string handshake_request(const Server& server, Bytes key,
                                            Bytes protocol);

/// What is wrong with a 101 to `key` and `protocol`; nothing: it opens a
/// WebSocket.
[[nodiscard]] std::optional<Failure> why_no_websocket(const Head& head,
                                                      Bytes key,
                                                      Bytes protocol);

}  // namespace paperboy::cli
