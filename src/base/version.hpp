// The version of this release; CHANGELOG.md says what is in it.
#pragma once

#include "base/bytes.hpp"

namespace paperboy {

inline constexpr Bytes kVersion = "0.1.0";

}  // namespace paperboy
