// The claims of a token whose signature is good: whether they hold now, and
// what they grant.
#pragma once

#include <cstdint>

#include "auth/jwt.hpp"
#include "base/json.hpp"
#include "base/result.hpp"

namespace paperboy::auth {

/// `claims` is a token's payload. A claim that is read and has the wrong type
/// (null too) is an error; others are somebody else's.
Result<Token, TokenError> read_claims(const Json& claims,
                                      const TokenRules& rules,
                                      std::int64_t now);

/// Adds what `caps` allow, an array of objects with `channels`, `match` and
/// `allow`; names no channels where there are none. False: it has another form.
[[nodiscard]] bool read_capabilities(const Json& caps, Bytes user,
                                     Grants& grants);

}  // namespace paperboy::auth
