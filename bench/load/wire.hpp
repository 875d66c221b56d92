// Bytes of WebSockets (RFC 6455) and MQTT, made and taken apart. Shares no code
// with what it measures.
#pragma once

#include <optional>
#include <string>

#include "base.hpp"

namespace paperboy::load {

// Opcodes (section 5.2).
inline constexpr std::uint8_t kContinuation = 0;
inline constexpr std::uint8_t kText = 1;
inline constexpr std::uint8_t kBinary = 2;
inline constexpr std::uint8_t kClose = 8;
inline constexpr std::uint8_t kPing = 9;
inline constexpr std::uint8_t kPong = 10;

/// A frame's header (section 5.2).
struct FrameHead {
  std::uint8_t opcode = 0;
  bool compressed = false;  ///< RSV1 (RFC 7692 section 6)
  bool reserved = false;    ///< RSV2 or RSV3
  bool masked = false;
  bool final = true;     ///< no fragment comes after it (section 5.4)
  std::size_t size = 0;  ///< its own
  std::uint64_t payload = 0;
};

/// Nothing: more bytes are needed.
[[nodiscard]] std::optional<FrameHead> frame_head(Bytes bytes);

/// What a server mustn't send, in words; empty: it may. `deflate`: compression
/// was agreed upon.
[[nodiscard]] Bytes fault_of(const FrameHead& head, bool deflate);

/// A client's frame.
void append_frame(std::string& out, std::uint8_t opcode, Bytes payload,
                  std::uint32_t mask);
/// A server's; not final: a fragment goes on in the next one.
void append_server_frame(std::string& out, std::uint8_t opcode, Bytes payload,
                         bool final = true);

/// What an upgrade needs to be asked for and to be checked (section 4.1): one
/// key does for all connections of a run.
struct Key {
  std::string key;
  std::string accept;
};
[[nodiscard]] Key make_key(Dice& dice);
/// What a server answers to that key.
[[nodiscard]] std::string accept_for(Bytes key);

/// A field's value, empty where there is none; `name` in lower case.
[[nodiscard]] Bytes field_of(Bytes head, Bytes name);
/// 101 for an answer that accepts; 0: with a wrong key; else its status.
[[nodiscard]] int status_of_upgrade(Bytes head, Bytes accept);

[[nodiscard]] std::string mqtt_string(Bytes text);
[[nodiscard]] std::string mqtt_packet(std::uint8_t type, Bytes body);

}  // namespace paperboy::load
