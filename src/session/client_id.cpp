#include "session/client_id.hpp"

#include <random>

namespace paperboy::session {

ClientId make_client_id() {
  // Made once: that costs more than what it is asked for.
  static std::random_device random;
  ClientId id{};
  for (std::uint64_t& half : id) {
    half = std::uint64_t{random()} << 32 | random();
  }
  return id;
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

}  // namespace paperboy::session
