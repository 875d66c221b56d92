// Bytes of WebSockets, HTTP answers, events and JSON, taken apart without a
// copy: views into what was read, good until more is read.
#pragma once

#include <optional>

#include "place.hpp"

namespace paperboy::fault {

/// One whole frame of a server's.
struct Frame {
  std::uint8_t opcode = 0;
  Bytes payload;
};

enum class Taken : std::uint8_t { whole, more, broken };

/// Takes a frame off the front. Servers neither mask nor, here, fragment.
[[nodiscard]] Taken take_frame(Bytes& bytes, Frame& frame);

/// A client's frame, masked with zeros.
void append_frame(std::string& out, std::uint8_t opcode, Bytes payload);

/// The header of an answer, without its empty line; false: more is needed.
[[nodiscard]] bool take_head(Bytes& bytes, Bytes& head);
[[nodiscard]] int status_of(Bytes head);
/// A field's value; empty where there is none. `name` is in lower case.
[[nodiscard]] Bytes field_of(Bytes head, Bytes name);
[[nodiscard]] std::size_t number_of(Bytes text);

/// The data of a chunk (RFC 9112 section 7.1); empty: it was the last.
[[nodiscard]] Taken take_chunk(Bytes& bytes, Bytes& data);

/// A member's value, as it stands there, of a JSON object; empty where it has
/// none. The text is taken for well-formed.
[[nodiscard]] Bytes json_member(Bytes object, Bytes name);
/// Takes the next element off the front of an array, whose "[" is gone.
[[nodiscard]] std::optional<Bytes> json_element(Bytes& rest);
/// What stands between the quotes.
[[nodiscard]] Bytes json_string(Bytes value);

/// A line without its end, and without it where it is the last.
[[nodiscard]] std::optional<Bytes> take_line(Bytes& text);

}  // namespace paperboy::fault
