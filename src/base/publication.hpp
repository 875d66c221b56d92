// A message in a channel, as every room hands it on: borrowed bytes, valid for
// the duration of the call that carries it.
#pragma once

#include <cstdint>

#include "base/bytes.hpp"
#include "base/position.hpp"

namespace paperboy {

enum class Kind : std::uint8_t {
  text,    // valid UTF-8, checked once, when it was published
  binary,  // any bytes
};

struct Publication {
  Bytes channel;  // with its namespace, as the hub knows it
  Position position;
  Kind kind = Kind::text;
  Bytes data;
};

}  // namespace paperboy
