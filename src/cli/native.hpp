// The client's end of the native dialect (docs/protocols.md, "native"): its
// commands as text, and what the lines of a message say. Pure functions.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "base/bytes.hpp"

namespace paperboy::cli {

/// A channel, and how far it has been heard: the position of the last
/// publication that came, or that came before the subscription.
struct Heard {
  std::string channel;
  std::string epoch;  // empty: nothing is known yet
  std::uint64_t offset = 0;
};

/// An empty token: none.
[[nodiscard]] std::string connect_command(std::uint32_t id, Bytes token);
[[nodiscard]] std::string subscribe_command(std::uint32_t id,
                                            const Heard& channel, Bytes token);

namespace native {

/// Asks for a pong, which is the same text.
struct Ping {};
inline constexpr Bytes kPong = "{}";

/// The reply to `connect`.
struct Connected {
  std::uint64_t ping_s = 0;          // 0: no pings will come
  std::vector<Heard> subscriptions;  // of the server's own accord
};

/// The reply to `subscribe`.
struct Subscribed {
  std::uint32_t id = 0;
  std::string epoch;
  std::uint64_t offset = 0;
};

struct Failed {
  std::uint32_t id = 0;
  std::uint64_t code = 0;
  std::string message;
  bool temporary = false;
};

struct Publication {
  std::string channel;
  std::uint64_t offset = 0;
  Bytes data;  // JSON, as it stands in the line
};

/// The server ended a subscription.
struct Dropped {
  std::string channel;
  std::uint64_t code = 0;
  std::string reason;
};

/// Something that there is no need to know.
struct Other {};

using Event = std::variant<Ping, Connected, Subscribed, Failed, Publication,
                           Dropped, Other>;

}  // namespace native

/// What a line says. Nothing: it is not of the protocol.
[[nodiscard]] std::optional<native::Event> read_native(Bytes line);

/// What an error code means to whoever listens; empty: its message says it.
[[nodiscard]] Bytes explain_error(std::uint64_t code, bool has_token);

}  // namespace paperboy::cli
