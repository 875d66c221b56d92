// Where in a request a token stands. Everything returned is a part of what was
// passed, and lives as long.
#pragma once

#include "base/bytes.hpp"

namespace paperboy::auth {

/// The token in a value that may start with a scheme word, as the field
/// Authorization does (RFC 6750 section 2.1): "Bearer x", "bearer  x" and "x"
/// are all x. Empty for an empty value and for "Bearer" alone.
[[nodiscard]] Bytes token_from_header(Bytes value);

/// The token of the first subprotocol `bearer.<token>` in a value of
/// Sec-WebSocket-Protocol, one subprotocol or a list; empty: none is offered.
[[nodiscard]] Bytes subprotocol_token(Bytes offered);

}  // namespace paperboy::auth
