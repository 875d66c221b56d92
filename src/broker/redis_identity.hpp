// Who a server is, as its INFO replication says. A value.
#pragma once

#include <optional>
#include <string>

#include "base/bytes.hpp"

namespace paperboy::broker::redis {

// Of the 40 hexadecimal digits of a replication id, so many are used.
inline constexpr std::size_t kReplicationIdDigits = 16;

struct Identity {
  bool master = false;
  std::string replication_id;  // the first of its digits

  friend bool operator==(const Identity&, const Identity&) = default;
};

/// Nothing: the text doesn't say it.
std::optional<Identity> parse_identity(Bytes info);

}  // namespace paperboy::broker::redis
