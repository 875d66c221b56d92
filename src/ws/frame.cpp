//  0               1               2               3
// +-+-+-+-+-------+-+-------------+-------------------------------+
// |F|R|R|R| opcode|M| length (7)  |   extended length (16 or 64)  |
// |I|S|S|S|  (4)  |A|             |   if the length is 126 or 127 |
// |N|V|V|V|       |S|             |                               |
// | |1|2|3|       |K|             |   then the masking key (32)   |
// +-+-+-+-+-------+-+-------------+-------------------------------+
#include "ws/frame.hpp"

#include <cassert>
#include <cstring>

namespace paperboy::ws {

namespace {

constexpr std::uint8_t kFin = 0x80;
constexpr std::uint8_t kRsv1 = 0x40;
constexpr std::uint8_t kRsv23 = 0x30;
constexpr std::uint8_t kOpcode = 0x0F;
constexpr std::uint8_t kMask = 0x80;
constexpr std::uint8_t kLength = 0x7F;
constexpr std::uint8_t kLength16 = 126;
constexpr std::uint8_t kLength64 = 127;

using Check = std::optional<Close>;

Close violation(Bytes reason) { return {close::kProtocolError, reason}; }

std::uint8_t byte_at(Bytes in, std::size_t i) {
  return static_cast<std::uint8_t>(in[i]);
}

void write_number(char* out, std::uint64_t number, std::size_t bytes) {
  for (std::size_t i = bytes; i > 0; --i, number >>= 8) {
    out[i - 1] = static_cast<char>(number & 0xFF);
  }
}

std::uint64_t read_number(Bytes in) {
  std::uint64_t number = 0;
  for (std::size_t i = 0; i < in.size(); ++i) {
    number = number << 8 | byte_at(in, i);
  }
  return number;
}

bool is_known(std::uint8_t opcode) {
  return opcode <= 2 || (opcode >= 8 && opcode <= 10);
}

Check read_first(std::uint8_t first, bool deflate, FrameHeader& header) {
  header.fin = (first & kFin) != 0;
  header.rsv1 = (first & kRsv1) != 0;
  if ((first & kRsv23) != 0) return violation("reserved bit set");
  if (!is_known(first & kOpcode)) return violation("reserved opcode");
  header.opcode = static_cast<Opcode>(first & kOpcode);
  const bool may_compress =
      header.opcode == Opcode::text || header.opcode == Opcode::binary;
  if (header.rsv1 && !(deflate && may_compress)) {
    return violation("reserved bit set");
  }
  if (is_control(header.opcode) && !header.fin) {
    return violation("fragmented control frame");
  }
  return std::nullopt;
}

Check read_second(std::uint8_t second, Sender sender, FrameHeader& header) {
  const bool masked = (second & kMask) != 0;
  if (!masked && sender == Sender::client) return violation("frame not masked");
  if (masked && sender == Sender::server) return violation("frame masked");
  header.length = second & kLength;
  if (is_control(header.opcode) && header.length > kMaxControlPayload) {
    return violation("control frame too long");
  }
  return std::nullopt;
}

std::size_t extended_size(const FrameHeader& header) {
  if (header.length == kLength16) return 2;
  return header.length == kLength64 ? 8 : 0;
}

// Section 5.2: the shortest form, and the most significant bit is 0.
Check read_extended(Bytes bytes, FrameHeader& header) {
  const std::uint64_t length = read_number(bytes);
  const std::uint64_t least = bytes.size() == 2 ? kLength16 : 0x10000;
  if (length < least) return violation("length not in its shortest form");
  if (length >> 63 != 0) return violation("length out of range");
  header.length = length;
  return std::nullopt;
}

bool must_not_be_sent(std::uint16_t code) {
  return code == close::kNoStatus || code == close::kAbnormal || code == 1015;
}

// At most `size` bytes of `text`, not in the midst of a character.
Bytes cut(Bytes text, std::size_t size) {
  if (text.size() <= size) return text;
  while (size > 0 && (byte_at(text, size) & 0xC0) == 0x80) --size;
  return text.substr(0, size);
}

}  // namespace

std::size_t write_header(char* out, Opcode opcode, std::uint64_t length,
                         bool rsv1, bool fin) {
  const int flags = (fin ? kFin : 0) | (rsv1 ? kRsv1 : 0);
  out[0] = static_cast<char>(flags | static_cast<int>(opcode));
  if (length < kLength16) {
    out[1] = static_cast<char>(length);
    return 2;
  }
  const std::size_t bytes = length > 0xFFFF ? 8 : 2;
  out[1] = static_cast<char>(bytes == 2 ? kLength16 : kLength64);
  write_number(out + 2, length, bytes);
  return 2 + bytes;
}

void append_frame(std::string& out, Opcode opcode, Bytes payload, bool rsv1) {
  assert(!is_control(opcode) || payload.size() <= kMaxControlPayload);
  std::array<char, kMaxServerHeader> header;
  const std::size_t size =
      write_header(header.data(), opcode, payload.size(), rsv1);
  out.append(header.data(), size);
  out.append(payload);
}

void append_close(std::string& out, const Close& close) {
  if (must_not_be_sent(close.code)) {
    append_frame(out, Opcode::close, {});
    return;
  }
  std::array<char, kMaxControlPayload> payload;
  const Bytes reason = cut(close.reason, kMaxControlPayload - 2);
  write_number(payload.data(), close.code, 2);
  reason.copy(payload.data() + 2, reason.size());
  append_frame(out, Opcode::close, {payload.data(), 2 + reason.size()});
}

// Bytes are judged in the order in which they come, so that the verdict is
// the same however the stream is cut.
Result<std::optional<FrameHeader>, Close> parse_header(Bytes in, bool deflate,
                                                       Sender sender) {
  const std::optional<FrameHeader> need_more;
  FrameHeader header;
  if (in.empty()) return need_more;
  if (const Check bad = read_first(byte_at(in, 0), deflate, header)) {
    return *bad;
  }
  if (in.size() < 2) return need_more;
  if (const Check bad = read_second(byte_at(in, 1), sender, header)) {
    return *bad;
  }

  const std::size_t extended = extended_size(header);
  if (in.size() < 2 + extended) return need_more;
  if (extended != 0) {
    const Check bad = read_extended(in.substr(2, extended), header);
    if (bad) return *bad;
  }
  const std::size_t mask_at = 2 + extended;
  const std::size_t mask = sender == Sender::client ? header.mask.size() : 0;
  if (in.size() < mask_at + mask) return need_more;
  in.copy(header.mask.data(), mask, mask_at);
  header.size = static_cast<std::uint8_t>(mask_at + mask);
  return std::optional(header);
}

void unmask(char* data, std::size_t size, const std::array<char, 4>& mask,
            std::uint64_t offset) {
  std::array<char, 8> turned;
  for (std::size_t i = 0; i < turned.size(); ++i) {
    turned[i] = mask[(offset + i) % mask.size()];
  }
  std::uint64_t wide;
  std::memcpy(&wide, turned.data(), sizeof wide);
  std::size_t i = 0;
  for (; i + sizeof wide <= size; i += sizeof wide) {
    std::uint64_t word;
    std::memcpy(&word, data + i, sizeof word);
    word ^= wide;
    std::memcpy(data + i, &word, sizeof word);
  }
  for (; i < size; ++i) data[i] ^= turned[i % turned.size()];
}

}  // namespace paperboy::ws
