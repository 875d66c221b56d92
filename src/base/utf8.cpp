// Table 3-7 of the Unicode standard as a machine: a state says which byte may
// come next. Runs of ASCII, by far the most common, go eight bytes a step.
#include "base/utf8.hpp"

#include <cstddef>
#include <cstring>

namespace paperboy {

namespace {

enum State : std::uint8_t {
  kStart,
  kTail1,    // one continuation byte to come
  kTail2,    // two
  kTail3,    // three
  kAfterE0,  // A0..BF, then one
  kAfterEd,  // 80..9F, then one
  kAfterF0,  // 90..BF, then two
  kAfterF4,  // 80..8F, then two
  kBad,
};

constexpr State after_start(unsigned char c) {
  if (c < 0x80) return kStart;
  if (c < 0xC2) return kBad;
  if (c < 0xE0) return kTail1;
  if (c == 0xE0) return kAfterE0;
  if (c == 0xED) return kAfterEd;
  if (c < 0xF0) return kTail2;
  if (c == 0xF0) return kAfterF0;
  if (c < 0xF4) return kTail3;
  return c == 0xF4 ? kAfterF4 : kBad;
}

constexpr State within(unsigned char c, unsigned char low, unsigned char high,
                       State next) {
  return c >= low && c <= high ? next : kBad;
}

constexpr State step(State state, unsigned char c) {
  switch (state) {
    case kStart:
      return after_start(c);
    case kTail1:
      return within(c, 0x80, 0xBF, kStart);
    case kTail2:
      return within(c, 0x80, 0xBF, kTail1);
    case kTail3:
      return within(c, 0x80, 0xBF, kTail2);
    case kAfterE0:
      return within(c, 0xA0, 0xBF, kTail1);
    case kAfterEd:
      return within(c, 0x80, 0x9F, kTail1);
    case kAfterF0:
      return within(c, 0x90, 0xBF, kTail2);
    case kAfterF4:
      return within(c, 0x80, 0x8F, kTail2);
    case kBad:
      break;
  }
  return kBad;
}

constexpr std::uint64_t kHighBits = 0x8080808080808080;

std::size_t ascii_run(const char* p, std::size_t n) {
  std::size_t i = 0;
  for (; i + 8 <= n; i += 8) {
    std::uint64_t word;
    std::memcpy(&word, p + i, sizeof word);
    if ((word & kHighBits) != 0) break;
  }
  return i;
}

}  // namespace

bool Utf8::feed(Bytes in) {
  auto state = static_cast<State>(state_);
  for (std::size_t i = 0; i < in.size() && state != kBad;) {
    if (state == kStart) {
      i += ascii_run(in.data() + i, in.size() - i);
      if (i == in.size()) break;
    }
    state = step(state, static_cast<unsigned char>(in[i++]));
  }
  state_ = state;
  return state != kBad;
}

bool is_utf8(Bytes text) {
  Utf8 utf8;
  return utf8.feed(text) && utf8.complete();
}

}  // namespace paperboy
