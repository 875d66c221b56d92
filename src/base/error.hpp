// The error of a request: a reply says it, and the connection goes on. What
// ends a connection is a Close (close.hpp).
#pragma once

#include <cstdint>

#include "base/bytes.hpp"

namespace paperboy {

enum class ErrorCode : std::uint8_t {
  bad_request,         // malformed: the request can never succeed
  unauthorized,        // no token, or one that isn't good
  forbidden,           // a good token, but not for this
  not_found,           // no such method or channel
  too_large,           // over a size limit
  channel_name,        // the channel's name is empty, too long or not UTF-8
  too_many_channels,   // the zone holds as many channels as it can
  subscription_limit,  // this connection has as many as it may
  log_full,            // the log is full of what workers have yet to read
  unavailable,         // the broker can't be reached now; try again
  internal,            // our fault
  token_expired,       // get a new one
  already_subscribed,  // a connection has one subscription to a channel
  no_method,           // the protocol's command is none of ours
  not_available,       // known, but not had here
  channel_full,        // it has as many subscribers as its rule allows
  zone_full,           // nothing may be forgotten to keep this
  unrecoverable,       // the position is not of the channel's present epoch
  not_replicated,      // published, but too few replicas have it
  rate_limited,        // too many in a short time; try again later
};

struct Error {
  ErrorCode code;
  Bytes message;  // static text: what is wrong and what to do
};

/// The HTTP status that answers `code`.
[[nodiscard]] int http_status(ErrorCode code);

/// The stable name of `code` in JSON answers: "bad_request", ...
[[nodiscard]] Bytes error_name(ErrorCode code);

}  // namespace paperboy
