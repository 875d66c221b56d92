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

}  // namespace paperboy::auth
