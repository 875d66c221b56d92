// A token against forged requests (csrf.hpp) in a message: a JSON object with a
// property `csrf`. Pure functions and borrowed bytes.
#pragma once

#include <optional>
#include <string>

#include "base/bytes.hpp"

namespace paperboy::auth {

/// Appends the object without its token, its other bytes as they are, and gives
/// the token back; none: it has none, or two, or is no object.
[[nodiscard]] std::optional<Bytes> take_csrf(Bytes object, std::string& rest);

}  // namespace paperboy::auth
