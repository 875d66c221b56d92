// Frames as they stand on the wire (RFC 6455 section 5.2): the server's are
// written, the headers of both sides are read. No state; bytes in, bytes out.
// client_frame.hpp writes the client's.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include "base/bytes.hpp"
#include "base/close.hpp"
#include "base/result.hpp"

namespace paperboy::ws {

enum class Opcode : std::uint8_t {
  continuation = 0,
  text = 1,
  binary = 2,
  close = 8,
  ping = 9,
  pong = 10,
};

/// Section 5.5: the opcodes of control frames have their top bit set.
[[nodiscard]] constexpr bool is_control(Opcode opcode) {
  return static_cast<std::uint8_t>(opcode) >= 8;
}

inline constexpr std::size_t kMaxServerHeader = 10;
inline constexpr std::size_t kMaxClientHeader = 14;
inline constexpr std::size_t kMaxControlPayload = 125;

/// Writes the unmasked header of a server's frame to `out`, which has room for
/// kMaxServerHeader. Returns its size. `length` is that of the payload.
std::size_t write_header(char* out, Opcode opcode, std::uint64_t length,
                         bool rsv1 = false, bool fin = true);

/// Appends a complete frame. REQUIRES: a control frame's payload is at most
/// kMaxControlPayload bytes.
void append_frame(std::string& out, Opcode opcode, Bytes payload,
                  bool rsv1 = false);

/// Appends a close frame. Codes that must not be on the wire (1005, 1006,
/// 1015; section 7.4.1) make an empty one. A reason that is too long is cut
/// between two characters.
void append_close(std::string& out, const Close& close);

/// Whose frames are read: a client's are masked, a server's are not
/// (section 5.1).
enum class Sender : std::uint8_t { client, server };

struct FrameHeader {
  Opcode opcode = Opcode::continuation;
  bool fin = false;
  bool rsv1 = false;
  std::uint8_t size = 0;       // of the header itself, in bytes
  std::array<char, 4> mask{};  // of a server's frame: zeros, which change none
  std::uint64_t length = 0;    // of the payload; below 2^63
};

/// Reads the header of a frame from the start of `in`. Empty: more bytes are
/// needed. A Close (1002) as soon as a byte breaks section 5.2: reserved bits
/// or opcodes, a client's without a mask or a server's with one, a length not
/// in its shortest form, a control frame that is fragmented or too long. RSV1
/// is for the first frame of a data message, and only where `deflate` was
/// negotiated (RFC 7692 section 6).
[[nodiscard]] Result<std::optional<FrameHeader>, Close> parse_header(
    Bytes in, bool deflate, Sender sender = Sender::client);

/// Section 5.3, in place. `offset`: how many bytes of the payload came before
/// `data`.
void unmask(char* data, std::size_t size, const std::array<char, 4>& mask,
            std::uint64_t offset);

}  // namespace paperboy::ws
