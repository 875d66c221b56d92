// The opening handshake as the server sees it (RFC 6455 section 4.2): is this
// request an upgrade to WebSocket, and what is its answer. Pure functions over
// borrowed headers; nothing here outlives the request.
#pragma once

#include <array>
#include <span>
#include <vector>

#include "base/bytes.hpp"
#include "base/result.hpp"

namespace paperboy::ws {

struct HeaderField {
  Bytes name;  // any case
  Bytes value;
};

/// Why a request is no upgrade. 405: not a GET. 426: not version 13; the
/// answer must carry `Sec-WebSocket-Version: 13` (RFC 6455 section 4.4).
/// 400: all else.
struct Refusal {
  int status;
  Bytes reason;  // static text
};

struct UpgradeRequest {
  Bytes method;
  int http_major;
  int http_minor;
  std::span<const HeaderField> headers;  // as received, repeated ones too
};

/// A good request. All of it is borrowed from the request's headers.
struct Upgrade {
  Bytes key;                      // for accept_value()
  std::vector<Bytes> protocols;   // offered subprotocols, the client's order
  std::vector<Bytes> extensions;  // values of Sec-WebSocket-Extensions
};

/// RFC 6455 section 4.2.1. Lists may be spread over several header lines.
/// Extensions that break the grammar refuse the request, as section 9.1 asks.
[[nodiscard]] Result<Upgrade, Refusal> check_upgrade(
    const UpgradeRequest& request);

/// The value of Sec-WebSocket-Accept for `key` (section 4.2.2, item 5.4).
[[nodiscard]] std::array<char, 28> accept_value(Bytes key);

}  // namespace paperboy::ws
