// What the Centrifugal client protocol and its server API have in common: how
// errors are numbered, and what a publication looks like in JSON.
#pragma once

#include <cstdint>
#include <string>

#include "base/bytes.hpp"
#include "base/error.hpp"
#include "base/publication.hpp"

namespace paperboy {

/// docs/server/codes.md of the protocol.
struct ProtocolError {
  int code;
  Bytes message;
  bool temporary = false;
};

[[nodiscard]] ProtocolError protocol_error(ErrorCode code);

/// JSON as it stands, on one line: a newline between its tokens is a space.
void append_json_line(std::string& out, Bytes json);

/// JSON as it stands, other text as a string, binary in base64.
void append_data(std::string& out, Kind kind, Bytes data);

/// A Publication; `extra`: see there. An offset of 0 is none.
void append_publication(std::string& out, Kind kind, Bytes data, Bytes extra,
                        std::uint64_t offset);

}  // namespace paperboy
