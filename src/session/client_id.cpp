#include "session/client_id.hpp"

#include <charconv>
#include <cstring>
#include <random>

#include "base/siphash.hpp"

namespace paperboy::session {

namespace {

// Where they are in the whole.
constexpr std::array<std::size_t, 4> kHyphens{8, 13, 18, 23};

std::uint64_t random_word() {
  // Made once: that costs more than what it is asked for.
  static std::random_device random;
  return std::uint64_t{random()} << 32 | random();
}

/// With the bits that say so.
ClientId as_uuid(std::uint64_t high, std::uint64_t low) {
  return {(high & ~std::uint64_t{0xF000}) | 0x4000,
          (low & ~(std::uint64_t{3} << 62)) | std::uint64_t{1} << 63};
}

}  // namespace

ClientId make_client_id() {
  const std::uint64_t high = random_word();
  return as_uuid(high, random_word());
}

ClientIds::ClientIds() : key_{random_word(), random_word()} {}

ClientId ClientIds::of(std::uint64_t number) const {
  const auto half = [&](char which) {
    std::array<char, sizeof number + 1> text{};
    std::memcpy(text.data(), &number, sizeof number);
    text.back() = which;
    return siphash(key_, {text.data(), text.size()});
  };
  return as_uuid(half('h'), half('l'));
}

std::string client_text(const ClientId& id) {
  static constexpr char kHex[] = "0123456789abcdef";
  std::string text;
  for (const std::uint64_t half : id) {
    for (int shift = 60; shift >= 0; shift -= 4) {
      text += kHex[half >> shift & 15];
    }
  }
  return text;
}

std::string uuid_text(const ClientId& id) {
  std::string text = client_text(id);
  for (const std::size_t at : kHyphens) text.insert(at, 1, '-');
  return text;
}

std::optional<ClientId> parse_uuid(Bytes text) {
  std::string digits(text);
  for (auto at = kHyphens.rbegin(); at != kHyphens.rend(); ++at) {
    if (digits.size() <= *at || digits[*at] != '-') return {};
    digits.erase(*at, 1);
  }
  if (digits.size() != 32) return {};
  ClientId id{};
  for (std::size_t i = 0; i < id.size(); ++i) {
    const char* const from = digits.data() + 16 * i;
    const auto read = std::from_chars(from, from + 16, id[i], 16);
    if (read.ec != std::errc() || read.ptr != from + 16) return {};
  }
  if (client_text(id) != digits) return {};
  return id;
}

}  // namespace paperboy::session
