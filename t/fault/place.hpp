// The words of the fault test: what a publication says of itself, and where it
// stands. The engine shares no code with what it tests.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace paperboy::fault {

using Bytes = std::string_view;

/// A position: an epoch of 0 is none.
struct Place {
  std::uint64_t epoch = 0;
  std::uint64_t offset = 0;

  friend bool operator==(const Place&, const Place&) = default;
};

/// Up to 16 hexadecimal digits; 0 where it is none.
[[nodiscard]] std::uint64_t parse_epoch(Bytes text);
[[nodiscard]] std::string epoch_text(std::uint64_t epoch);

/// "<epoch>:<offset>"; an epoch of 0 where it is none.
[[nodiscard]] Place parse_place(Bytes text);
[[nodiscard]] std::string place_text(const Place& place);

/// What a publisher writes into each message: the `number` goes up by one with
/// each that it publishes in this channel, from 1 on.
struct Stamp {
  std::uint32_t publisher = 0;
  std::uint32_t channel = 0;
  std::uint32_t number = 0;
  std::uint64_t hash = 0;  ///< of all its bytes
};

/// A message of about this size.
[[nodiscard]] std::string stamped(const Stamp& stamp, std::size_t size);

/// What a message says; a number of 0 where it is none of ours.
[[nodiscard]] Stamp read_stamp(Bytes message);

[[nodiscard]] std::uint64_t hash_of(Bytes bytes);

}  // namespace paperboy::fault
