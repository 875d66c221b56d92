// The name of a connection: a random UUID (RFC 9562, version 4). It tells one
// from another in presence, publications and logs, and protects nothing.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>

#include "base/bytes.hpp"

namespace paperboy::session {

using ClientId = std::array<std::uint64_t, 2>;

[[nodiscard]] ClientId make_client_id();

/// Those of a worker's connections, of which each keeps its number only.
class ClientIds {
 public:
  ClientIds();

  [[nodiscard]] std::uint64_t next() { return ++last_; }

  /// The same whenever it is asked for, and nobody else's: who doesn't know
  /// this worker's key can't tell it from a random one.
  [[nodiscard]] ClientId of(std::uint64_t number) const;

 private:
  std::uint64_t key_[2];
  std::uint64_t last_ = 0;
};

/// 32 hexadecimal digits.
[[nodiscard]] std::string client_text(const ClientId& id);

/// The same with hyphens, as UUIDs are written.
[[nodiscard]] std::string uuid_text(const ClientId& id);
/// Nothing for what uuid_text doesn't write.
[[nodiscard]] std::optional<ClientId> parse_uuid(Bytes text);

}  // namespace paperboy::session
