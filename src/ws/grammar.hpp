// The pieces of HTTP header values that the handshake is made of: tokens and
// comma-separated lists (RFC 9110 section 5.6), and the extensions of RFC 6455
// section 9.1. Pure functions; what they return is borrowed from their input.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/bytes.hpp"

namespace paperboy::ws {

[[nodiscard]] bool is_token(Bytes text);

/// ASCII only.
[[nodiscard]] bool equal_ignoring_case(Bytes a, Bytes b);

/// Without the spaces and tabs around it.
[[nodiscard]] Bytes trim(Bytes text);

/// Cuts the first member off a comma-separated list, trimmed; empty members
/// are for the caller to pass over. REQUIRES: !list.empty().
[[nodiscard]] Bytes next_member(Bytes& list);

struct Parameter {
  Bytes name;
  std::optional<std::string> value;  // without quotes and their escapes
};

struct Extension {
  Bytes name;
  std::vector<Parameter> parameters;
};

/// Appends the extensions of one header value to `out`. False: the value
/// breaks the grammar; `out` has those before that place.
bool parse_extensions(Bytes value, std::vector<Extension>& out);

}  // namespace paperboy::ws
