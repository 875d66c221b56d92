#include "auth/base64url.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>

#include "base/base64.hpp"

namespace paperboy::auth {

namespace {

// RFC 4648 section 5.
constexpr Bytes kAlphabet =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

// What each byte stands for; -1: not in the alphabet.
constexpr std::array<int, 256> kDigits = [] {
  std::array<int, 256> digits{};
  digits.fill(-1);
  for (std::size_t i = 0; i < kAlphabet.size(); ++i) {
    digits[static_cast<unsigned char>(kAlphabet[i])] = static_cast<int>(i);
  }
  return digits;
}();

}  // namespace

std::optional<std::string> base64url_decode(Bytes text) {
  if (text.size() % 4 == 1) {
    return std::nullopt;
  }
  std::string out(text.size() * 3 / 4, '\0');
  char* to = out.data();
  std::uint32_t bits = 0;
  unsigned count = 0;
  for (const char c : text) {
    const int value = kDigits[static_cast<unsigned char>(c)];
    if (value < 0) {
      return std::nullopt;
    }
    bits = (bits << 6) | static_cast<std::uint32_t>(value);
    count += 6;
    if (count >= 8) {
      count -= 8;
      *to++ = static_cast<char>(bits >> count);
      bits &= (1U << count) - 1;
    }
  }
  if (bits != 0) {
    return std::nullopt;
  }
  return out;
}

std::string base64url_encode(Bytes bytes) {
  std::string out;
  append_base64(out, bytes);
  out.resize(std::min(out.find('='), out.size()));
  std::ranges::replace(out, '+', '-');
  std::ranges::replace(out, '/', '_');
  return out;
}

}  // namespace paperboy::auth
