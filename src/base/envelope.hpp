// What is around the payload of a back end's message, so that who speaks its
// protocol gets the text that was sent, byte for byte, and all others the
// payload alone. It goes with a publication as its `extra`, and is UTF-8 if the
// message is.
//
//   envelope = 0x01 size ":" before after     before: of so many bytes
//            | 0x01 ":" text                  the message has no payload
//
// Pure functions and borrowed bytes.
#pragma once

#include <string>

#include "base/bytes.hpp"

namespace paperboy {

/// Of the `message` in which `payload` lies, as a part of its bytes; or which
/// has none, where that is empty. Empty: it would be too long for an `extra`.
[[nodiscard]] std::string make_envelope(Bytes message, Bytes payload);

[[nodiscard]] bool is_envelope(Bytes extra);

/// Appends the message that the envelope is of. REQUIRES: is_envelope.
void append_message(std::string& out, Bytes envelope, Bytes payload);

}  // namespace paperboy
