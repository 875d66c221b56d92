// What a close means to whoever was closed: whether coming back makes sense
// (docs/protocols.md, "Close codes").
#pragma once

#include <cstdint>

#include "cli/outcome.hpp"

namespace paperboy::cli {

struct Advice {
  Exit exit;   // come_back or stay_away
  Bytes text;  // "come back ...", for people
};

[[nodiscard]] Advice advice(std::uint16_t code);

}  // namespace paperboy::cli
