// Numbers, times and foreign bytes, from and for people.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/bytes.hpp"

namespace paperboy::cli {

/// Decimal digits only.
[[nodiscard]] std::optional<std::int64_t> number_of(Bytes text);

/// "90", "10m", "1h30m": seconds; units s, m, h, d, w.
[[nodiscard]] std::optional<std::int64_t> seconds_of(Bytes text);

/// "in 9 minutes", "3 days ago", "now": the largest unit that fits.
[[nodiscard]] std::string distance_text(std::int64_t seconds);

/// "2026-01-31 12:00:00 UTC"; empty for years beyond 9999.
[[nodiscard]] std::string utc_text(std::int64_t unix_seconds);

/// Foreign bytes, safe for a terminal: control characters become \n, \t or
/// \x1b and so on, and what is no UTF-8 becomes \xff.
[[nodiscard]] std::string printable(Bytes text);

/// A message as one line of output: line breaks become \n and \r.
[[nodiscard]] std::string one_line(Bytes text);

/// With padding (RFC 4648 section 4).
[[nodiscard]] std::string base64(Bytes bytes);

}  // namespace paperboy::cli
