#include "api/glob.hpp"

#include <algorithm>

namespace paperboy::api {

namespace {

/// Bytes of the character at the front of `text`, which is UTF-8.
std::size_t character(Bytes text) {
  std::size_t size = 1;
  while (size < text.size() &&
         (static_cast<unsigned char>(text[size]) & 0xC0) == 0x80) {
    ++size;
  }
  return size;
}

}  // namespace

/// Where it doesn't go on, the last star takes one more character.
bool matches(Bytes pattern, Bytes text) {
  Bytes after_star = pattern;
  Bytes taken;
  bool star = false;
  while (!text.empty()) {
    if (!pattern.empty() && pattern.front() == '*') {
      pattern.remove_prefix(1);
      after_star = pattern;
      taken = text;
      star = true;
    } else if (!pattern.empty() && pattern.front() == '?') {
      pattern.remove_prefix(1);
      text.remove_prefix(character(text));
    } else if (!pattern.empty() && pattern.front() == text.front()) {
      pattern.remove_prefix(1);
      text.remove_prefix(1);
    } else if (star) {
      taken.remove_prefix(character(taken));
      pattern = after_star;
      text = taken;
    } else {
      return false;
    }
  }
  return pattern.find_first_not_of('*') == Bytes::npos;
}

Bytes literal_prefix(Bytes pattern) {
  return pattern.substr(0,
                        std::min(pattern.find_first_of("*?"), pattern.size()));
}

}  // namespace paperboy::api
