// A client's frames (RFC 6455 sections 5.1 to 5.3), which are masked. For the
// command line; nothing that serves a request calls it. No state.
#pragma once

#include <array>
#include <string>

#include "base/bytes.hpp"
#include "base/close.hpp"
#include "ws/frame.hpp"

namespace paperboy::ws {

using MaskingKey = std::array<char, 4>;

/// Appends a complete frame. `key` is a fresh one for every frame, and can't
/// be foretold (section 5.3). REQUIRES: a control frame's payload is at most
/// kMaxControlPayload bytes.
void append_client_frame(std::string& out, Opcode opcode, Bytes payload,
                         const MaskingKey& key);

/// As append_close() (frame.hpp), masked.
void append_client_close(std::string& out, const Close& close,
                         const MaskingKey& key);

}  // namespace paperboy::ws
