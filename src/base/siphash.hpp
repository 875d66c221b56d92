// SipHash-2-4 (Aumasson and Bernstein, 2012): clients choose what is hashed, so
// that a hash without a secret key would let them build chains, or two texts of
// one number.
#pragma once

#include <cstdint>

#include "base/bytes.hpp"

namespace paperboy {

[[nodiscard]] std::uint64_t siphash(const std::uint64_t (&key)[2], Bytes in);

}  // namespace paperboy
