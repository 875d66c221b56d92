// One command of the native dialect, as text.
#pragma once

#include "dialect/dialect.hpp"

namespace paperboy::dialect {

/// NeedMore: a pong, which asks for nothing. What is malformed is a Close.
[[nodiscard]] Decoded read_native_command(Bytes text);

}  // namespace paperboy::dialect
