// SipHash-2-4 (Aumasson and Bernstein, 2012): clients choose the names of
// channels, so that a hash without a secret key would let them build chains.
#pragma once

#include <cstdint>

#include "base/bytes.hpp"

namespace paperboy::broker::shm {

[[nodiscard]] std::uint64_t siphash(const std::uint64_t (&key)[2], Bytes in);

/// A one-to-one mixing of 64 bits (the end of splitmix64).
[[nodiscard]] constexpr std::uint64_t mix(std::uint64_t x) {
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9U;
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebU;
  return x ^ (x >> 31);
}

}  // namespace paperboy::broker::shm
