// How the zone's tables are hashed: names by SipHash (siphash.hpp), what is a
// number of ours by a mixing of its bits.
#pragma once

#include <cstdint>

#include "base/siphash.hpp"

namespace paperboy::broker::shm {

/// A one-to-one mixing of 64 bits (the end of splitmix64).
[[nodiscard]] constexpr std::uint64_t mix(std::uint64_t x) {
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9U;
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebU;
  return x ^ (x >> 31);
}

}  // namespace paperboy::broker::shm
