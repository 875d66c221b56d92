#include "base/position.hpp"

#include <charconv>
#include <iterator>

namespace paperboy {

std::string epoch_text(std::uint64_t epoch) {
  char text[16];
  const auto end = std::to_chars(std::begin(text), std::end(text), epoch, 16);
  return {text, end.ptr};
}

}  // namespace paperboy
