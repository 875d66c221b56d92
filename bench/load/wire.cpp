#include "wire.hpp"

#include <openssl/evp.h>

#include <algorithm>
#include <array>
#include <cctype>

namespace paperboy::load {

namespace {

constexpr Bytes kGuid = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
constexpr std::uint64_t kMostOfControl = 125;  // section 5.5

std::string base64(const unsigned char* bytes, std::size_t size) {
  std::string out(4 * ((size + 2) / 3) + 1, '\0');
  const int length =
      EVP_EncodeBlock(reinterpret_cast<unsigned char*>(out.data()), bytes,
                      static_cast<int>(size));
  out.resize(static_cast<std::size_t>(length));
  return out;
}

void append_length(std::string& out, std::size_t size, int masked) {
  if (size < 126) {
    out += static_cast<char>(masked | static_cast<int>(size));
    return;
  }
  const int bytes = size < 65536 ? 2 : 8;
  out += static_cast<char>(masked | (bytes == 2 ? 126 : 127));
  for (int i = bytes - 1; i >= 0; --i) {
    out += static_cast<char>(static_cast<std::uint64_t>(size) >> (8 * i));
  }
}

std::uint64_t big_endian(Bytes bytes) {
  std::uint64_t number = 0;
  for (const char c : bytes) {
    number = number << 8 | static_cast<unsigned char>(c);
  }
  return number;
}

}  // namespace

std::optional<FrameHead> frame_head(Bytes bytes) {
  if (bytes.size() < 2) return std::nullopt;
  const auto first = static_cast<unsigned char>(bytes[0]);
  const auto second = static_cast<unsigned char>(bytes[1]);
  FrameHead head;
  head.opcode = first & 0x0F;
  head.final = (first & 0x80) != 0;
  head.compressed = (first & 0x40) != 0;
  head.reserved = (first & 0x30) != 0;
  head.masked = (second & 0x80) != 0;
  head.payload = second & 0x7F;
  const std::size_t extended = head.payload == 126   ? 2
                               : head.payload == 127 ? 8
                                                     : 0;
  head.size = 2 + extended;
  if (bytes.size() < head.size) return std::nullopt;
  if (extended != 0) head.payload = big_endian(bytes.substr(2, extended));
  return head;
}

Bytes fault_of(const FrameHead& head, bool deflate) {
  if (head.masked) return "a masked frame of the server";
  if (head.reserved) return "RSV2 or RSV3";
  if (head.compressed && !deflate) return "RSV1 without compression";
  if (head.compressed && head.opcode != kText && head.opcode != kBinary) {
    return "RSV1, and no message begins";
  }
  const bool control = head.opcode >= kClose;
  if (control && (!head.final || head.payload > kMostOfControl)) {
    return "a control frame that is large or a fragment";
  }
  return {};
}

void append_frame(std::string& out, std::uint8_t opcode, Bytes payload,
                  std::uint32_t mask) {
  out += static_cast<char>(0x80 | opcode);
  append_length(out, payload.size(), 0x80);
  std::array<char, 4> key{};
  for (std::size_t i = 0; i < key.size(); ++i) {
    key[i] = static_cast<char>(mask >> (8 * i));
  }
  out.append(key.data(), key.size());
  for (std::size_t i = 0; i < payload.size(); ++i) {
    out += static_cast<char>(payload[i] ^ key[i % key.size()]);
  }
}

void append_server_frame(std::string& out, std::uint8_t opcode, Bytes payload,
                         bool final) {
  out += static_cast<char>((final ? 0x80 : 0) | opcode);
  append_length(out, payload.size(), 0);
  out += payload;
}

std::string accept_for(Bytes key) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned size = 0;
  const std::string text = std::string(key).append(kGuid);
  EVP_Digest(text.data(), text.size(), digest.data(), &size, EVP_sha1(),
             nullptr);
  return base64(digest.data(), size);
}

Key make_key(Dice& dice) {
  std::array<unsigned char, 16> nonce{};
  for (auto& byte : nonce) byte = static_cast<unsigned char>(dice.roll());
  Key key;
  key.key = base64(nonce.data(), nonce.size());
  key.accept = accept_for(key.key);
  return key;
}

Bytes field_of(Bytes head, Bytes name) {
  for (std::size_t end = head.find("\r\n"); end != Bytes::npos;
       end = head.find("\r\n")) {
    head.remove_prefix(end + 2);
    if (head.size() <= name.size() || head[name.size()] != ':') continue;
    const bool same =
        std::equal(name.begin(), name.end(), head.begin(), [](char a, char b) {
          return a == std::tolower(static_cast<unsigned char>(b));
        });
    if (!same) continue;
    Bytes value = head.substr(name.size() + 1);
    value = value.substr(0, value.find("\r\n"));
    while (value.starts_with(' ')) value.remove_prefix(1);
    return value;
  }
  return {};
}

int status_of_upgrade(Bytes head, Bytes accept) {
  if (head.size() < 12) return 0;
  const auto status = static_cast<int>(number_of(head.substr(9, 3)));
  if (status != 101) return status == 0 ? -1 : status;
  return field_of(head, "sec-websocket-accept") == accept ? 101 : 0;
}

std::string mqtt_string(Bytes text) {
  std::string out{static_cast<char>(text.size() >> 8),
                  static_cast<char>(text.size())};
  return out.append(text);
}

std::string mqtt_packet(std::uint8_t type, Bytes body) {
  std::string out(1, static_cast<char>(type));
  std::size_t left = body.size();
  do {
    const std::size_t more = left / 128 != 0 ? 128 : 0;
    out += static_cast<char>(left % 128 | more);
    left /= 128;
  } while (left != 0);
  return out.append(body);
}

}  // namespace paperboy::load
