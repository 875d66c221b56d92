// Numbers and strings as bytes, one after the other, for what the machines and
// workers of a service tell each other:
//
//   number = 8 bytes, the lowest first
//   string = number bytes
//
// Pure functions and borrowed bytes.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/bytes.hpp"

namespace paperboy {

void put(std::string& out, std::uint64_t number);
void put(std::string& out, Bytes text);

/// Reads what was put, in its order. After what isn't there all is empty or 0,
/// and not done().
class Unpacker {
 public:
  explicit Unpacker(Bytes rest) : rest_(rest) {}

  std::uint64_t number();
  /// Borrows from what is read.
  Bytes text() { return take(number()); }
  /// Strings behind their number.
  std::vector<std::string> texts();

  [[nodiscard]] bool at_end() const { return rest_.empty(); }
  [[nodiscard]] bool good() const { return good_; }
  [[nodiscard]] bool done() const { return good_ && rest_.empty(); }

 private:
  Bytes take(std::uint64_t size);

  Bytes rest_;
  bool good_ = true;
};

}  // namespace paperboy
