// How much a token, or a back end, lets its bearer have: less than the
// configuration does, never more, since what that limits is limited all the
// same.
#pragma once

#include <cstdint>
#include <optional>

#include "base/json.hpp"
#include "base/pace.hpp"

namespace paperboy::auth {

/// What isn't said, or 0, is not limited.
struct Allowance {
  std::uint32_t connections = 0;    // of its user, at once
  std::uint32_t subscriptions = 0;  // of a connection
  Pace messages;                    // of a connection's client
  Pace bytes;

  bool operator==(const Allowance&) const = default;
  [[nodiscard]] bool empty() const { return *this == Allowance(); }
};

/// Of an object with any of `connections`, `subscriptions`, `messages` and
/// `bytes`. The first two are numbers from 1, the others the same, of a second,
/// or a text such as `100/m burst=20`. None: it is anything else; what is
/// misspelt would limit nothing, and nobody would know.
[[nodiscard]] std::optional<Allowance> read_allowance(const Json& claim);

/// What both allow.
[[nodiscard]] Allowance stricter(const Allowance& a, const Allowance& b);

}  // namespace paperboy::auth
