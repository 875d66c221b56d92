// What is done in Redis as a whole or not at all: Lua scripts. Each is loaded
// once a connection and called by its SHA-1.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "base/bytes.hpp"

namespace paperboy::broker::redis {

enum class Script : std::uint8_t {
  publish,   // a message: its position, the stream, the topic
  signal,    // what has no position of its own: the topic alone
  position,  // where channels stand
  history,   // and what is kept of one
  remove,    // forgets what is kept
  check,     // what has changed in buckets; the probe of delivery
  attend,    // members who came and went
  lease,     // who lives: holders of members, nodes
  bury,      // members of a holder that doesn't
  last = bury,
};

inline constexpr std::size_t kScripts =
    static_cast<std::size_t>(Script::last) + 1;

/// Its first argument is the replication id of the server on which it is.
[[nodiscard]] constexpr bool is_told_its_server(Script script) {
  return script != Script::attend && script != Script::lease;
}

/// Its text, which says what keys and arguments it takes and what it answers.
[[nodiscard]] Bytes source(Script script);

}  // namespace paperboy::broker::redis
