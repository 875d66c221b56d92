// What a source broadcasts through notiflux: its text, read. Pure.
#pragma once

#include <string>

#include "base/bytes.hpp"
#include "base/result.hpp"

namespace paperboy::api {

struct Broadcast {
  std::string topic;
  std::string message;
  std::string token;
};

/// `{"topic","message","token"}`: strings, each once; other members are passed
/// over. Errors: bad_request, with what is wrong.
[[nodiscard]] Result<Broadcast> read_broadcast(Bytes text);

}  // namespace paperboy::api
