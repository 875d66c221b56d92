// A channel's key: its name within its namespace, as the hub and the brokers
// know it. Namespaces keep virtual hosts apart; a name holds no NUL, so that
// none can reach into another namespace. What begins with a NUL is nobody's to
// name: there Paperboy's own channels are.
//
//   key = name | namespace NUL name | NUL own | NUL NUL own
//
// Of our own, those that begin with two NULs stay on the node: no broker
// carries them to others.
#pragma once

#include <string>

#include "base/bytes.hpp"
#include "base/result.hpp"

namespace paperboy::hub {

inline constexpr std::size_t kMaxNamespace = 256;  // bytes

/// Whether the two make a key. `max_length`: of `name`, in bytes.
[[nodiscard]] Result<Done> check_key(Bytes name_space, Bytes name,
                                     std::size_t max_length);

/// The key, in `room` where it isn't the name itself. REQUIRES: check_key.
[[nodiscard]] Bytes join_key(Bytes name_space, Bytes name, std::string& room);

/// Both.
[[nodiscard]] Result<std::string> channel_key(Bytes name_space, Bytes name,
                                              std::size_t max_length);

[[nodiscard]] inline bool stays_on_node(Bytes key) {
  return key.starts_with(Bytes("\0\0", 2));
}

/// The name within a key.
[[nodiscard]] Bytes channel_name(Bytes key);

/// The namespace within a key; empty: it is in none.
[[nodiscard]] Bytes channel_namespace(Bytes key);

}  // namespace paperboy::hub
