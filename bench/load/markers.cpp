#include "markers.hpp"

#include <charconv>

namespace paperboy::load {

namespace {

constexpr Bytes kSequence = "#seq:";
constexpr Bytes kTime = "#ts:";

// The number after the mark, which is taken with it.
std::uint64_t take_number(Bytes& bytes, Bytes mark) {
  bytes.remove_prefix(mark.size());
  std::uint64_t number = 0;
  const char* end =
      std::from_chars(bytes.data(), bytes.data() + bytes.size(), number).ptr;
  bytes.remove_prefix(static_cast<std::size_t>(end - bytes.data()));
  if (!bytes.empty()) bytes.remove_prefix(1);
  return number;
}

void note_sequence(std::uint64_t number, std::uint64_t& last, Tally& tally) {
  ++tally.messages;
  if (last == 0 && number != 1) ++tally.late_first;
  if (last == 0 || number == last + 1) {
    last = number;
  } else if (number > last) {
    ++tally.gaps;
    tally.missing += number - last - 1;
    last = number;
  } else if (number == last) {
    ++tally.duplicates;
  } else {
    ++tally.reorders;
  }
}

}  // namespace

bool note_marks(Bytes bytes, std::uint64_t now_ns, std::uint64_t& last,
                Tally& tally) {
  bool any = false;
  while (true) {
    const std::size_t at = bytes.find('#');
    if (at == Bytes::npos) return any;
    bytes.remove_prefix(at);
    if (bytes.starts_with(kSequence)) {
      note_sequence(take_number(bytes, kSequence), last, tally);
      any = true;
    } else if (bytes.starts_with(kTime)) {
      const std::uint64_t then = take_number(bytes, kTime);
      if (then != 0 && now_ns > then) tally.latency.add(now_ns - then);
    } else {
      bytes.remove_prefix(1);
    }
  }
}

}  // namespace paperboy::load
