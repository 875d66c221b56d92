#include "base/packing.hpp"

namespace paperboy {

namespace {

constexpr int kNumber = 8;  // bytes

}  // namespace

void put(std::string& out, std::uint64_t number) {
  for (int i = 0; i < kNumber; ++i, number >>= 8) {
    out += static_cast<char>(number & 0xff);
  }
}

void put(std::string& out, Bytes text) {
  put(out, text.size());
  out += text;
}

std::uint64_t Unpacker::number() {
  const Bytes bytes = take(kNumber);
  std::uint64_t number = 0;
  for (std::size_t i = bytes.size(); i > 0; --i) {
    number = number << 8 | static_cast<unsigned char>(bytes[i - 1]);
  }
  return number;
}

std::vector<std::string> Unpacker::texts() {
  std::vector<std::string> all;
  for (std::uint64_t n = number(); good_ && n > 0; --n) {
    all.emplace_back(text());
  }
  return all;
}

Bytes Unpacker::take(std::uint64_t size) {
  good_ = good_ && size <= rest_.size();
  if (!good_) return {};
  const Bytes taken = rest_.substr(0, size);
  rest_.remove_prefix(size);
  return taken;
}

}  // namespace paperboy
