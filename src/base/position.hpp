// Where a publication stands in its channel. Offsets of a channel grow by one
// a publication, from 1, within an epoch; a new epoch says that positions
// taken before mean nothing any more.
#pragma once

#include <compare>
#include <cstdint>
#include <string>

namespace paperboy {

struct Position {
  std::uint64_t epoch = 0;   // never 0 once a channel exists
  std::uint64_t offset = 0;  // of the last publication; 0: none yet

  // NOLINTNEXTLINE(modernize-use-nullptr): clang-tidy 14 misreads <=>
  friend auto operator<=>(const Position&, const Position&) = default;
};

/// The epoch as clients and publishers see it: lower-case hexadecimal, no
/// leading zeros, at most 16 characters.
[[nodiscard]] std::string epoch_text(std::uint64_t epoch);

}  // namespace paperboy
