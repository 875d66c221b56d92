#include "base/pace.hpp"

#include <charconv>

namespace paperboy {

namespace {

/// Behind the digits, which are taken off; 0: it is no unit.
std::uint64_t take_unit(Bytes& text, Amount amount) {
  const char last =
      text.empty() || amount == Amount::number ? '0' : text.back();
  const std::uint64_t unit = last == 'k' || last == 'K'   ? 1024
                             : last == 'm' || last == 'M' ? 1024UL * 1024
                                                          : 1;
  if (unit != 1) text.remove_suffix(1);
  return unit;
}

}  // namespace

std::optional<std::uint32_t> parse_amount(Bytes text, Amount amount) {
  const std::uint64_t unit = take_unit(text, amount);
  std::uint32_t number = 0;
  const auto [end, error] =
      std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return {};
  const std::uint64_t all = number * unit;
  if (all < 1 || all > Pace::kLargest) return {};
  return static_cast<std::uint32_t>(all);
}

std::optional<Pace> parse_pace(Bytes text, Amount amount) {
  const std::size_t slash = text.rfind('/');
  if (slash == Bytes::npos) return {};
  const Bytes unit = text.substr(slash + 1);
  const auto number = parse_amount(text.substr(0, slash), amount);
  const std::uint32_t seconds = unit == "s"   ? 1
                                : unit == "m" ? 60
                                : unit == "h" ? 3600
                                              : 0;
  if (!number || seconds == 0) return {};
  return Pace{.number = *number, .seconds = seconds};
}

std::optional<std::uint32_t> parse_burst(Bytes text, Amount amount) {
  constexpr Bytes kName = "burst=";
  if (!text.starts_with(kName)) return {};
  return parse_amount(text.substr(kName.size()), amount);
}

}  // namespace paperboy
