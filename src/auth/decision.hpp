// What a back end says of a client that it lets in (paperboy_auth_request): who
// that is, until when, and what it may. Its answer is nobody's friend: it is
// read as strictly as a token's claims, and what it says wrongly is refused
// rather than passed over.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "auth/jwt.hpp"
#include "auth/permissions.hpp"
#include "base/bytes.hpp"
#include "base/result.hpp"

namespace paperboy::auth {

struct Decision {
  std::string user;                     // empty: it names none
  std::string info;                     // JSON on one line, for others to see
  std::optional<std::int64_t> expires;  // seconds since 1970; none: never

  /// Of `channels` and `caps`; none: it says nothing of channels.
  std::optional<Grants> grants;

  /// The channels of `channels`.
  std::vector<ServerSubscription> subscriptions;

  Allowance limits;  // of `limits`
};

/// The body of an answer: empty, or a JSON object with any of `user`,
/// `expire_at`, `info`, `channels`, `caps` and `limits`; other members are
/// somebody else's. The error is static text for a log.
[[nodiscard]] Result<Decision, Bytes> read_decision(Bytes body);

}  // namespace paperboy::auth
