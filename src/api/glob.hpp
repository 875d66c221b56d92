// Patterns of channels: `*` stands for any characters, `?` for one.
#pragma once

#include "base/bytes.hpp"

namespace paperboy::api {

/// Takes a time that grows with the product of the lengths at most.
[[nodiscard]] bool matches(Bytes pattern, Bytes text);

/// What everything that matches begins with.
[[nodiscard]] Bytes literal_prefix(Bytes pattern);

}  // namespace paperboy::api
