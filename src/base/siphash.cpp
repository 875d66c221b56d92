#include "base/siphash.hpp"

#include <bit>
#include <cstddef>
#include <cstring>

namespace paperboy {

namespace {

struct Sip {
  std::uint64_t a, b, c, d;

  void round() {
    a += b;
    b = std::rotl(b, 13) ^ a;
    a = std::rotl(a, 32);
    c += d;
    d = std::rotl(d, 16) ^ c;
    a += d;
    d = std::rotl(d, 21) ^ a;
    c += b;
    b = std::rotl(b, 17) ^ c;
    c = std::rotl(c, 32);
  }

  void word(std::uint64_t w) {
    d ^= w;
    round();
    round();
    a ^= w;
  }
};

}  // namespace

std::uint64_t siphash(const std::uint64_t (&key)[2], Bytes in) {
  Sip sip{key[0] ^ 0x736f6d6570736575U, key[1] ^ 0x646f72616e646f6dU,
          key[0] ^ 0x6c7967656e657261U, key[1] ^ 0x7465646279746573U};
  std::uint64_t last = std::uint64_t{in.size()} << 56;
  for (; in.size() >= 8; in.remove_prefix(8)) {
    std::uint64_t w = 0;
    std::memcpy(&w, in.data(), 8);
    sip.word(w);
  }
  for (std::size_t i = 0; i < in.size(); i++) {
    last |= std::uint64_t{static_cast<unsigned char>(in[i])} << (8 * i);
  }
  sip.word(last);
  sip.c ^= 0xff;
  for (int i = 0; i < 4; i++) {
    sip.round();
  }
  return sip.a ^ sip.b ^ sip.c ^ sip.d;
}

}  // namespace paperboy
