// Base64 with padding (RFC 4648 section 4), for bytes where only text goes.
#pragma once

#include <optional>
#include <string>

#include "base/bytes.hpp"

namespace paperboy {

void append_base64(std::string& out, Bytes bytes);

/// Nothing for what append_base64 doesn't write: a byte outside of the
/// alphabet, padding that is missing or too much, bits left over.
[[nodiscard]] std::optional<std::string> base64_decode(Bytes text);

}  // namespace paperboy
