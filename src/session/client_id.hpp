// The name of a connection: 32 hexadecimal digits at random. It tells one from
// another in presence, publications and logs, and protects nothing.
#pragma once

#include <array>
#include <cstdint>
#include <string>

namespace paperboy::session {

using ClientId = std::array<std::uint64_t, 2>;

[[nodiscard]] ClientId make_client_id();
[[nodiscard]] std::string client_text(const ClientId& id);

}  // namespace paperboy::session
