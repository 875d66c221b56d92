#include "base/position.hpp"

#include <algorithm>
#include <charconv>
#include <iterator>

namespace paperboy {

namespace {

/// Digits and nothing else, without leading zeros.
std::optional<std::uint64_t> parse_number(Bytes text, int base) {
  std::uint64_t number = 0;
  const char* const end = text.data() + text.size();
  const auto read = std::from_chars(text.data(), end, number, base);
  if (read.ec != std::errc() || read.ptr != end) return {};
  if (text.size() > 1 && text.front() == '0') return {};
  return number;
}

}  // namespace

std::string epoch_text(std::uint64_t epoch) {
  char text[16];
  const auto end = std::to_chars(std::begin(text), std::end(text), epoch, 16);
  return {text, end.ptr};
}

std::optional<std::uint64_t> parse_epoch(Bytes text) {
  const auto lower = [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
  };
  if (text.size() > 16 || !std::ranges::all_of(text, lower)) return {};
  const auto epoch = parse_number(text, 16);
  if (!epoch || *epoch == 0) return {};
  return epoch;
}

Position position_of(Bytes epoch, std::uint64_t offset) {
  constexpr std::uint64_t kForeign = UINT64_MAX;
  if (epoch.empty()) return {0, offset};
  return {parse_epoch(epoch).value_or(kForeign), offset};
}

std::string position_text(const Position& position) {
  return epoch_text(position.epoch) + ":" + std::to_string(position.offset);
}

std::optional<Position> parse_position(Bytes text) {
  const auto colon = text.find(':');
  if (colon == Bytes::npos) return {};
  const auto epoch = parse_epoch(text.substr(0, colon));
  const auto offset = parse_number(text.substr(colon + 1), 10);
  if (!epoch || !offset) return {};
  return Position{*epoch, *offset};
}

}  // namespace paperboy
