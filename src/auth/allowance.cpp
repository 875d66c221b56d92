#include "auth/allowance.hpp"

#include <algorithm>

namespace paperboy::auth {

namespace {

bool read_count(const Json& value, std::uint32_t& out) {
  const auto number = value.as_integer();
  if (!number || *number < 1 || *number > Pace::kLargest) return false;
  out = static_cast<std::uint32_t>(*number);
  return true;
}

bool read_pace(const Json& value, Amount amount, Pace& out) {
  if (value.is_integer()) return read_count(value, out.number);
  const Bytes text = value.as_string();
  const std::size_t space = text.find(' ');
  const auto pace = parse_pace(text.substr(0, space), amount);
  if (!pace) return false;
  out = *pace;
  if (space == Bytes::npos) return true;
  const auto burst = parse_burst(text.substr(space + 1), amount);
  out.burst = burst.value_or(0);
  return burst.has_value();
}

/// Of two counts, of which 0 says nothing.
std::uint32_t fewer(std::uint32_t a, std::uint32_t b) {
  return a == 0 || b == 0 ? std::max(a, b) : std::min(a, b);
}

Pace slower(const Pace& a, const Pace& b) {
  if (a.number == 0 || b.number == 0) return a.number == 0 ? b : a;
  const bool first = std::uint64_t{a.number} * b.seconds <=
                     std::uint64_t{b.number} * a.seconds;
  Pace made = first ? a : b;
  made.burst = std::min(a.at_once(), b.at_once());
  return made;
}

}  // namespace

std::optional<Allowance> read_allowance(const Json& claim) {
  if (!claim.is_object()) return {};
  Allowance made;
  for (const auto& [name, value] : claim.members()) {
    const bool good =
        name == "connections"     ? read_count(value, made.connections)
        : name == "subscriptions" ? read_count(value, made.subscriptions)
        : name == "messages" ? read_pace(value, Amount::number, made.messages)
        : name == "bytes"    ? read_pace(value, Amount::size, made.bytes)
                             : false;
    if (!good) return {};
  }
  return made;
}

Allowance stricter(const Allowance& a, const Allowance& b) {
  return {.connections = fewer(a.connections, b.connections),
          .subscriptions = fewer(a.subscriptions, b.subscriptions),
          .messages = slower(a.messages, b.messages),
          .bytes = slower(a.bytes, b.bytes)};
}

}  // namespace paperboy::auth
