#include "auth/token_source.hpp"

#include <algorithm>
#include <cctype>

namespace paperboy::auth {

namespace {

constexpr Bytes kBearer = "Bearer";
constexpr Bytes kSubprotocol = "bearer.";
constexpr Bytes kBlank = " \t";

Bytes trimmed(Bytes text) {
  const std::size_t first = text.find_first_not_of(kBlank);
  if (first == Bytes::npos) {
    return {};
  }
  return text.substr(first, text.find_last_not_of(kBlank) - first + 1);
}

bool equal_ignoring_case(Bytes a, Bytes b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](unsigned char x, unsigned char y) {
                      return std::tolower(x) == std::tolower(y);
                    });
}

}  // namespace

Bytes token_from_header(Bytes value) {
  value = trimmed(value);
  const auto* const blank =
      std::ranges::find_if(value, [](char c) { return c == ' ' || c == '\t'; });
  if (blank != value.end()) {
    return trimmed({blank, value.end()});
  }
  return equal_ignoring_case(value, kBearer) ? Bytes() : value;
}

Bytes subprotocol_token(Bytes offered) {
  while (!offered.empty()) {
    const std::size_t comma = offered.find(',');
    const Bytes one = trimmed(offered.substr(0, comma));
    if (one.size() > kSubprotocol.size() && one.starts_with(kSubprotocol)) {
      return one.substr(kSubprotocol.size());
    }
    offered.remove_prefix(comma == Bytes::npos ? offered.size() : comma + 1);
  }
  return {};
}

}  // namespace paperboy::auth
