// UTF-8 as RFC 3629 has it, checked as it streams: no overlong form, no
// surrogate, nothing above U+10FFFF.
#pragma once

#include <cstdint>

#include "base/bytes.hpp"

namespace paperboy {

class Utf8 {
 public:
  /// Takes the next bytes. False as soon as no continuation could make them
  /// valid (RFC 6455 section 8.1 asks for failing early); then stays false.
  bool feed(Bytes in);

  /// True between characters: what was fed is valid as it stands.
  [[nodiscard]] bool complete() const { return state_ == 0; }

  void reset() { state_ = 0; }

 private:
  std::uint8_t state_ = 0;
};

[[nodiscard]] bool is_utf8(Bytes text);

}  // namespace paperboy
