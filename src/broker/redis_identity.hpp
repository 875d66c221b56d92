// Who a server is, as its INFO replication says. A value.
#pragma once

#include <optional>
#include <string>

#include "base/bytes.hpp"

namespace paperboy::broker::redis {

struct Identity {
  bool master = false;
  std::string replication_id;  // the first 16 hexadecimal digits

  friend bool operator==(const Identity&, const Identity&) = default;
};

/// Nothing: the text doesn't say it.
std::optional<Identity> parse_identity(Bytes info);

}  // namespace paperboy::broker::redis
