#include "template.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <cstdio>

namespace paperboy::load {

namespace {

constexpr Bytes kPlaces = "icstnrlkP";
constexpr Bytes kEscapes = "nrt0";
constexpr Bytes kEscaped("\n\r\t\0", 4);

// Where it goes on.
char* put(char* at, Bytes text) {
  return std::copy(text.begin(), text.end(), at);
}
char* put(char* at, std::uint64_t number) {
  constexpr std::size_t kDigits = 20;
  return std::to_chars(at, at + kDigits, number).ptr;
}

// So that a number that was changed is none of these (splitmix64's last steps).
char* put_check(char* at, const Values& values) {
  constexpr Bytes kDigits = "0123456789abcdef";
  std::uint64_t mixed = values.sequence * 0x9E3779B97F4A7C15U +
                        values.channel * 0xD1B54A32D192ED03U + values.time;
  mixed = (mixed ^ (mixed >> 30)) * 0xBF58476D1CE4E5B9U;
  mixed = (mixed ^ (mixed >> 27)) * 0x94D049BB133111EBU;
  for (int shift = 60; shift >= 32; shift -= 4) {
    *at++ = kDigits[(mixed >> shift) & 15];
  }
  return at;
}

// Each message is filled in when it is published and when it first comes.
void append_payload(std::string& out, const Values& values, std::size_t size) {
  std::array<char, 96> marks;
  char* end = put(put(marks.data(), "#seq:"), values.sequence);
  end = put(put(end, "##ch:"), values.channel);
  end = put(put(end, "##ts:"), values.time);
  end = put(put_check(put(end, "##sum:"), values), "#");
  const auto had = static_cast<std::size_t>(end - marks.data());
  out.append(marks.data(), had);
  if (had >= size) return;
  out.append(size - had - 1, 'x');
  out += '.';
}

void append_number(std::string& out, std::uint64_t number, int width) {
  std::array<char, 64> text{};
  const int size = std::snprintf(text.data(), text.size(), "%0*llu", width,
                                 static_cast<unsigned long long>(number));
  out.append(text.data(), static_cast<std::size_t>(size));
}

std::uint64_t number_for(char place, const Values& values) {
  switch (place) {
    case 'i':
      return values.connection;
    case 'c':
      return values.channel;
    case 's':
      return values.sequence;
    case 't':
      return values.time;
    default:
      return values.number;
  }
}

char from_hex_digits(Bytes digits) {
  unsigned number = 0;
  std::from_chars(digits.data(), digits.data() + digits.size(), number, 16);
  return static_cast<char>(number);
}

}  // namespace

Template::Template(Bytes text) {
  std::string plain;
  while (!text.empty()) {
    if (text[0] == '%') {
      text.remove_prefix(take_place(text, plain));
    } else {
      plain += text[0];
      text.remove_prefix(1);
    }
  }
  if (!plain.empty()) pieces_.push_back({0, 0, plain});
}

// How much of the text it took; a % that begins no place is one.
std::size_t Template::take_place(Bytes text, std::string& before) {
  std::size_t at = 1;
  int width = 0;
  while (at < text.size() &&
         std::isdigit(static_cast<unsigned char>(text[at])) != 0) {
    width = width * 10 + (text[at++] - '0');
  }
  if (at == text.size() || kPlaces.find(text[at]) == Bytes::npos) {
    before += '%';
    return text.size() > 1 && text[1] == '%' ? 2 : 1;
  }
  if (!before.empty()) pieces_.push_back({0, 0, before});
  before.clear();
  pieces_.push_back({text[at], std::min(width, 40), {}});
  return at + 1;
}

void Template::append_to(std::string& out, const Values& values,
                         const Run& run) const {
  for (const Piece& piece : pieces_) {
    if (piece.kind == 0) {
      out += piece.text;
    } else if (piece.kind == 'r') {
      out += run.id;
    } else if (piece.kind == 'P') {
      append_payload(out, values, run.payload);
    } else if (piece.kind == 'k') {
      std::array<char, 8> check;
      out.append(check.data(), put_check(check.data(), values));
    } else if (piece.kind == 'l') {
      if (run.lines.empty()) continue;
      out += run.lines[values.line % run.lines.size()];
    } else {
      append_number(out, number_for(piece.kind, values), piece.width);
    }
  }
}

std::string Template::fill(const Values& values, const Run& run) const {
  std::string out;
  append_to(out, values, run);
  return out;
}

bool Template::has(char place) const {
  return std::ranges::any_of(
      pieces_, [place](const Piece& piece) { return piece.kind == place; });
}

std::string unescape(Bytes text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '\\' || i + 1 == text.size()) {
      out += text[i];
      continue;
    }
    const char c = text[++i];
    if (c == 'x') {
      out += from_hex_digits(text.substr(i + 1, 2));
      i += 2;
      continue;
    }
    const std::size_t at = kEscapes.find(c);
    out += at == Bytes::npos ? c : kEscaped[at];
  }
  return out;
}

std::string from_hex(Bytes text) {
  std::string digits;
  for (const char c : text) {
    if (std::isxdigit(static_cast<unsigned char>(c)) != 0) digits += c;
  }
  std::string out;
  for (std::size_t i = 0; i + 1 < digits.size(); i += 2) {
    out += from_hex_digits(Bytes(digits).substr(i, 2));
  }
  return out;
}

std::string literal(Bytes text) {
  std::string out;
  for (const char c : text) {
    out += c;
    if (c == '%') out += '%';
  }
  return out;
}

}  // namespace paperboy::load
