// JSON Web Tokens, verified (RFC 7515, 7519; RFC 8725's advice).
//
// The header is read here, strictly; the key is chosen by `kid`, and the
// algorithm must be the key's. Signatures are verified by OpenSSL, with keys
// parsed at load. The claims are read here.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "auth/allowance.hpp"
#include "auth/issuers.hpp"
#include "auth/permissions.hpp"
#include "base/bytes.hpp"
#include "base/result.hpp"

namespace paperboy::auth {

inline constexpr std::size_t kMaxTokenSize = 8192;  // bytes

/// A channel that the bearer is subscribed to as soon as it connects, where
/// its protocol has a word for that.
struct ServerSubscription {
  std::string channel;
  std::string data;  // JSON, for the client to have; empty: none
};

struct Token {
  std::string user;  // empty: the token names none

  /// The first second in which what the token admits ends: `exp` rounded up,
  /// plus the leeway, or `expire_at`, whose 0 is never. Nothing: never.
  std::optional<std::int64_t> expires;

  Grants grants;  // of the channel claims, `subs` and `caps`

  /// The names in `channels`, patterns apart, and in `subs`.
  std::vector<ServerSubscription> subscriptions;

  std::string info;         // `info`, JSON on one line, for others to see
  std::string channel;      // `channel`, where it is one name; empty: it isn't
  std::string id;           // `jti`; empty: none
  std::int64_t issued = 0;  // `iat`, rounded down; 0: none

  Allowance limits;  // where the rules name a claim for them

  std::uint64_t opaque = 0;  // of an opaque token: by which it is kept; 0: none
};

enum class TokenError : std::uint8_t {
  missing,
  malformed,
  too_large,
  unknown_key,
  algorithm,
  signature,
  expired,
  not_yet_valid,
  issuer,
  audience,
  claims,
  limits,   // those are no allowance
  no_keys,  // not yet: the set that has them couldn't be read so far
  revoked,
  unknown,         // an opaque one that is none, or is none any more
  unknown_so_far,  // it isn't known yet which there are
};

/// It was good, and is so no longer; of an opaque one nobody can tell.
[[nodiscard]] constexpr bool is_over(TokenError error) {
  return error == TokenError::expired || error == TokenError::revoked ||
         error == TokenError::unknown;
}

/// Whether it is good can't be known now: try again.
[[nodiscard]] constexpr bool is_undecided(TokenError error) {
  return error == TokenError::no_keys || error == TokenError::unknown_so_far;
}

/// Whether such a token is a guess, rather than one that was good once, or
/// will be.
[[nodiscard]] constexpr bool is_invented(TokenError error) {
  if (error == TokenError::unknown) return true;
  return error != TokenError::missing && !is_over(error) &&
         error != TokenError::not_yet_valid && !is_undecided(error);
}

/// The reason as a log line and a JSON answer give it: static, and never any
/// part of the token.
[[nodiscard]] Bytes token_error_text(TokenError error);

/// Whether `token` (without a scheme word: see token_source.hpp) was signed by
/// one of `keys` and is good at `now`, seconds since 1970. Re-entrant; bounded
/// by kMaxTokenSize and KeySet::kMaxUnnamed signatures.
Result<Token, TokenError> verify(Bytes token, const KeySet& keys,
                                 const TokenRules& rules, std::int64_t now);

/// The same by the keys and rules of the one of `issuers` that the token says
/// it is from; of nobody else is any key tried.
Result<Token, TokenError> verify(Bytes token, const Issuers& issuers,
                                 std::int64_t now);

}  // namespace paperboy::auth
