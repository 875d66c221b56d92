#include "cli/words.hpp"

#include <openssl/evp.h>

#include <array>
#include <charconv>
#include <cstdlib>
#include <ctime>
#include <limits>

#include "base/utf8.hpp"

namespace paperboy::cli {

namespace {

struct Unit {
  char letter;
  std::int64_t seconds;
  Bytes name;
};

constexpr std::array kUnits{
    Unit{'w', 604800, "week"}, Unit{'d', 86400, "day"}, Unit{'h', 3600, "hour"},
    Unit{'m', 60, "minute"},   Unit{'s', 1, "second"},
};

constexpr std::int64_t kMaxSeconds = 100LL * 366 * 86400;

const Unit* unit_of(char letter) {
  for (const Unit& unit : kUnits) {
    if (unit.letter == letter) return &unit;
  }
  return nullptr;
}

void append_escaped(std::string& out, char c) {
  constexpr Bytes kHex = "0123456789abcdef";
  switch (c) {
    case '\n':
      out += "\\n";
      return;
    case '\r':
      out += "\\r";
      return;
    case '\t':
      out += "\\t";
      return;
    default:
      break;
  }
  const auto byte = static_cast<unsigned char>(c);
  out += "\\x";
  out += kHex[byte >> 4];
  out += kHex[byte & 15];
}

bool is_control(unsigned char c) { return c < 0x20 || c == 0x7f; }

// U+0080 to U+009F, which terminals obey as well: C2 80 to C2 9F.
bool is_c1(Bytes text, std::size_t at) {
  return static_cast<unsigned char>(text[at]) == 0xc2 && at + 1 < text.size() &&
         static_cast<unsigned char>(text[at + 1]) < 0xa0;
}

}  // namespace

std::optional<std::int64_t> number_of(Bytes text) {
  std::int64_t number = 0;
  const auto [end, error] =
      std::from_chars(text.data(), text.data() + text.size(), number);
  if (text.empty() || text[0] == '-' || error != std::errc() ||
      end != text.data() + text.size()) {
    return std::nullopt;
  }
  return number;
}

std::optional<std::int64_t> seconds_of(Bytes text) {
  if (const auto plain = number_of(text)) {
    return *plain <= kMaxSeconds ? plain : std::nullopt;
  }
  std::int64_t sum = 0;
  std::int64_t below = std::numeric_limits<std::int64_t>::max();
  while (!text.empty()) {
    const std::size_t digits = text.find_first_not_of("0123456789");
    if (digits == Bytes::npos) return std::nullopt;
    const auto number = number_of(text.substr(0, digits));
    const Unit* const unit = unit_of(text[digits]);
    if (!number || unit == nullptr || unit->seconds >= below ||
        *number > kMaxSeconds / unit->seconds) {
      return std::nullopt;
    }
    sum += *number * unit->seconds;
    below = unit->seconds;
    text.remove_prefix(digits + 1);
  }
  if (sum > kMaxSeconds || below == std::numeric_limits<std::int64_t>::max()) {
    return std::nullopt;
  }
  return sum;
}

std::string distance_text(std::int64_t seconds) {
  const bool past = seconds < 0;
  // The magnitude of the smallest integer is no int64_t.
  const auto size = past ? 0 - static_cast<std::uint64_t>(seconds)
                         : static_cast<std::uint64_t>(seconds);
  for (const Unit& unit : kUnits) {
    const std::uint64_t count = size / static_cast<std::uint64_t>(unit.seconds);
    if (count == 0) continue;
    std::string text = std::to_string(count) + " " + std::string(unit.name);
    if (count > 1) text += "s";
    return past ? text + " ago" : "in " + text;
  }
  return "now";
}

std::string utc_text(std::int64_t unix_seconds) {
  const std::time_t time = unix_seconds;
  std::tm parts{};
  std::array<char, 64> text{};
  if (gmtime_r(&time, &parts) == nullptr || parts.tm_year > 9999 - 1900 ||
      parts.tm_year < -1900) {
    return {};
  }
  const std::size_t size =
      std::strftime(text.data(), text.size(), "%Y-%m-%d %H:%M:%S UTC", &parts);
  return {text.data(), size};
}

std::string printable(Bytes text) {
  const bool utf8 = is_utf8(text);
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    if (utf8 && is_c1(text, i)) {
      append_escaped(out, text[++i]);
    } else if (is_control(byte) || (byte >= 0x80 && !utf8)) {
      append_escaped(out, text[i]);
    } else {
      out += text[i];
    }
  }
  return out;
}

std::string one_line(Bytes text) {
  std::string out;
  for (const char c : text) {
    if (c == '\n' || c == '\r') {
      append_escaped(out, c);
    } else {
      out += c;
    }
  }
  return out;
}

std::string base64(Bytes bytes) {
  std::string out((bytes.size() + 2) / 3 * 4 + 1, '\0');  // and a final NUL
  const int size =
      EVP_EncodeBlock(reinterpret_cast<unsigned char*>(out.data()),
                      reinterpret_cast<const unsigned char*>(bytes.data()),
                      static_cast<int>(bytes.size()));
  out.resize(static_cast<std::size_t>(size));
  return out;
}

}  // namespace paperboy::cli
