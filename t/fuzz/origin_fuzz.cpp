// Origins from strangers, against rules of every kind; and rules from the
// input itself. The input: an origin, a host and a rule, a newline between.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "auth/origin.hpp"

namespace {

using paperboy::Bytes;
using namespace paperboy::auth;

void require(bool holds) {
  if (!holds) std::abort();
}

Bytes next_line(Bytes& rest) {
  const std::size_t newline = std::min(rest.find('\n'), rest.size());
  const Bytes line = rest.substr(0, newline);
  rest.remove_prefix(std::min(newline + 1, rest.size()));
  return line;
}

bool matches(Bytes pattern, Bytes origin, const Self& self) {
  const auto rule = OriginRule::parse(pattern);
  require(rule.ok());
  return rule->matches(origin, self);
}

// What an origin says of itself holds for every rule that is made of it.
void check_parsed(Bytes text, const Origin& origin, const Self& self) {
  const std::string normal = origin.text();
  require(Origin::parse(normal) == origin);
  require(matches(text, normal, self));
  require(matches(normal, text, self));
  require(normal.find_first_of("/@?# \\%*", origin.scheme.size() + 3) ==
          std::string::npos);
  require(normal.find('\0') == std::string::npos);
  if (matches("https://*.example.com", text, self)) {
    require(origin.scheme == "https" && !origin.port.has_value());
    require(origin.host.ends_with(".example.com"));
  }
  const Self same{origin.scheme,
                  Bytes(normal).substr(origin.scheme.size() + 3)};
  require(matches("same", text, same));
}

}  // namespace

// NOLINTNEXTLINE(readability-identifier-naming): libFuzzer calls it so
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data,
                                      std::size_t size) {
  Bytes rest(reinterpret_cast<const char*>(data), size);
  const Bytes origin = next_line(rest);
  const Self self{"https", next_line(rest)};
  if (const auto parsed = Origin::parse(origin)) {
    check_parsed(origin, *parsed, self);
  } else {
    for (const Bytes pattern : {"same", "~.*", "https://*.example.com"}) {
      require(!matches(pattern, origin, self));
    }
  }
  if (const auto rule = OriginRule::parse(rest.substr(0, 256))) {
    (void)rule->matches(origin, self);
  } else {
    require(!rule.error().message.empty());
  }
  return 0;
}
