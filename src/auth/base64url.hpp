// Base64 with the URL-safe alphabet, as tokens have it (RFC 7515 section 2:
// no padding, no line breaks, no white space).
#pragma once

#include <optional>
#include <string>

#include "base/bytes.hpp"

namespace paperboy::auth {

/// Nothing for what is not the one right text of some bytes: a byte outside of
/// the alphabet, an impossible length, bits left over that are not zero. So
/// two texts never decode to the same bytes.
[[nodiscard]] std::optional<std::string> base64url_decode(Bytes text);

[[nodiscard]] std::string base64url_encode(Bytes bytes);

}  // namespace paperboy::auth
