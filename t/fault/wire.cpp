#include "wire.hpp"

#include <algorithm>
#include <cctype>
#include <charconv>

namespace paperboy::fault {

namespace {

std::uint64_t big_endian(Bytes bytes) {
  std::uint64_t number = 0;
  for (const char c : bytes) {
    number = number << 8 | static_cast<unsigned char>(c);
  }
  return number;
}

/// The end of the string whose quote stands at `at`.
std::size_t string_end(Bytes text, std::size_t at) {
  for (++at; at < text.size(); ++at) {
    at = text.find('"', at);
    if (at == Bytes::npos) return text.size();
    std::size_t slashes = 0;
    while (text[at - 1 - slashes] == '\\') ++slashes;
    if (slashes % 2 == 0) return at + 1;
  }
  return text.size();
}

/// The end of the value that begins at `at`: of what its depth is, before a
/// comma or a bracket that isn't its own.
std::size_t value_end(Bytes text, std::size_t at) {
  std::size_t depth = 0;
  while (at < text.size()) {
    const char c = text[at];
    if (c == '"') {
      at = string_end(text, at);
      continue;
    }
    if (c == '{' || c == '[') ++depth;
    if (c == '}' || c == ']') {
      if (depth == 0) return at;
      --depth;
    }
    if (c == ',' && depth == 0) return at;
    ++at;
  }
  return at;
}

}  // namespace

Taken take_frame(Bytes& bytes, Frame& frame) {
  if (bytes.size() < 2) return Taken::more;
  const auto first = static_cast<unsigned char>(bytes[0]);
  const auto second = static_cast<unsigned char>(bytes[1]);
  if ((first & 0xF0) != 0x80 || (second & 0x80) != 0) return Taken::broken;
  const std::size_t extended = second == 126 ? 2 : second == 127 ? 8 : 0;
  if (bytes.size() < 2 + extended) return Taken::more;
  const std::uint64_t size =
      extended == 0 ? second : big_endian(bytes.substr(2, extended));
  if (bytes.size() - 2 - extended < size) return Taken::more;
  frame = {static_cast<std::uint8_t>(first & 0x0F),
           bytes.substr(2 + extended, size)};
  bytes.remove_prefix(2 + extended + size);
  return Taken::whole;
}

void append_frame(std::string& out, std::uint8_t opcode, Bytes payload) {
  out += static_cast<char>(0x80 | opcode);
  if (payload.size() < 126) {
    out += static_cast<char>(0x80 | payload.size());
  } else {
    out += static_cast<char>(0x80 | 126);
    out += static_cast<char>(payload.size() >> 8);
    out += static_cast<char>(payload.size());
  }
  out.append(4, '\0').append(payload);
}

bool take_head(Bytes& bytes, Bytes& head) {
  const std::size_t end = bytes.find("\r\n\r\n");
  if (end == Bytes::npos) return false;
  head = bytes.substr(0, end);
  bytes.remove_prefix(end + 4);
  return true;
}

int status_of(Bytes head) {
  return head.size() < 12 ? 0 : static_cast<int>(number_of(head.substr(9, 3)));
}

Bytes field_of(Bytes head, Bytes name) {
  while (true) {
    const std::size_t end = head.find("\r\n");
    if (end == Bytes::npos) return {};
    head.remove_prefix(end + 2);
    const Bytes line = head.substr(0, head.find("\r\n"));
    const bool same =
        line.size() > name.size() && line[name.size()] == ':' &&
        std::equal(name.begin(), name.end(), line.begin(), [](char a, char b) {
          return a == std::tolower(static_cast<unsigned char>(b));
        });
    if (!same) continue;
    Bytes value = line.substr(name.size() + 1);
    while (value.starts_with(' ')) value.remove_prefix(1);
    return value;
  }
}

std::size_t number_of(Bytes text) {
  std::size_t number = 0;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

Taken take_chunk(Bytes& bytes, Bytes& data) {
  const std::size_t line = bytes.find("\r\n");
  if (line == Bytes::npos) return Taken::more;
  std::size_t size = 0;
  const auto [end, error] =
      std::from_chars(bytes.data(), bytes.data() + line, size, 16);
  if (error != std::errc{}) return Taken::broken;
  if (bytes.size() < line + 2 + size + 2) return Taken::more;
  data = bytes.substr(line + 2, size);
  bytes.remove_prefix(line + 2 + size + 2);
  return Taken::whole;
}

Bytes json_member(Bytes object, Bytes name) {
  if (!object.starts_with('{')) return {};
  std::size_t at = 1;
  while (at < object.size() && object[at] == '"') {
    const std::size_t name_end = string_end(object, at);
    const Bytes found = object.substr(at + 1, name_end - at - 2);
    const std::size_t value = name_end + 1;  // after the colon
    const std::size_t end = value_end(object, value);
    if (found == name) return object.substr(value, end - value);
    at = end + 1;
  }
  return {};
}

std::optional<Bytes> json_element(Bytes& rest) {
  const std::size_t end = value_end(rest, 0);
  if (end == 0) return {};
  const Bytes element = rest.substr(0, end);
  rest.remove_prefix(std::min(rest.size(), end + 1));
  return element;
}

Bytes json_string(Bytes value) {
  return value.size() < 2 ? Bytes{} : value.substr(1, value.size() - 2);
}

std::optional<Bytes> take_line(Bytes& text) {
  if (text.empty()) return {};
  const std::size_t end = text.find('\n');
  const Bytes line = text.substr(0, end);
  text.remove_prefix(end == Bytes::npos ? text.size() : end + 1);
  return line;
}

}  // namespace paperboy::fault
