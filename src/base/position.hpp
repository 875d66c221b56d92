// Where a publication stands in its channel. Offsets of a channel grow by one
// a publication, from 1, within an epoch; a new epoch says that positions
// taken before mean nothing any more.
#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>

#include "base/bytes.hpp"

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

/// Nothing for what epoch_text doesn't write.
[[nodiscard]] std::optional<std::uint64_t> parse_epoch(Bytes text);

/// Of what clients say; of epoch 0, the channel's present one, where it is
/// empty, and of one that is never a channel's where it is none of ours.
[[nodiscard]] Position position_of(Bytes epoch, std::uint64_t offset);

/// "<epoch>:<offset>", the offset in decimal.
[[nodiscard]] std::string position_text(const Position& position);
[[nodiscard]] std::optional<Position> parse_position(Bytes text);

}  // namespace paperboy
