// HTTP/1.1 as a client needs it for one request (RFC 9112): the head of an
// answer, and where its body ends. Pure functions; sizes are bounded.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "cli/outcome.hpp"

namespace paperboy::cli {

inline constexpr std::size_t kMaxHead = 65536;
inline constexpr std::size_t kMaxBody = 1024UL * 1024;

struct Head {
  int status = 0;
  std::string reason;
  std::vector<std::pair<std::string, std::string>> headers;

  /// The value of the first header of that name, in any case; empty: none.
  [[nodiscard]] Bytes header(Bytes name) const;
};

using Headers = std::vector<std::pair<Bytes, Bytes>>;

/// The head of a request, with Host and User-Agent. REQUIRES: neither CR nor
/// LF in any part.
[[nodiscard]] std::string format_head(Bytes method, Bytes target, Bytes host,
                                      const Headers& headers);

/// Takes the head of an answer away from the start of `in`; nothing as long as
/// it isn't whole. Interim answers (1xx but 101) are passed over.
Outcome<std::optional<Head>> take_head(std::string& in);

/// The body of an answer to GET or POST, if `in` has all of it. `ended`: no
/// more comes, and what is still missing is a failure.
Outcome<std::optional<std::string>> body_of(const Head& head, Bytes in,
                                            bool ended);

/// What an answer that is no success says, for people: status, and what its
/// JSON or Location adds. Safe for a terminal.
[[nodiscard]] std::string refusal_text(const Head& head, Bytes body);

}  // namespace paperboy::cli
