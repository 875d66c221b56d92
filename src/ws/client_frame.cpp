#include "ws/client_frame.hpp"

#include <cassert>

namespace paperboy::ws {

namespace {

constexpr int kMaskBit = 0x80;

}  // namespace

void append_client_frame(std::string& out, Opcode opcode, Bytes payload,
                         const MaskingKey& key) {
  assert(!is_control(opcode) || payload.size() <= kMaxControlPayload);
  std::array<char, kMaxServerHeader> header;
  const std::size_t size = write_header(header.data(), opcode, payload.size());
  header[1] = static_cast<char>(header[1] | kMaskBit);
  out.append(header.data(), size);
  out.append(key.data(), key.size());
  const std::size_t start = out.size();
  out.append(payload);
  unmask(out.data() + start, payload.size(), key, 0);  // masks as well
}

void append_client_close(std::string& out, const Close& close,
                         const MaskingKey& key) {
  std::string frame;
  append_close(frame, close);
  append_client_frame(out, Opcode::close, Bytes(frame).substr(2), key);
}

}  // namespace paperboy::ws
