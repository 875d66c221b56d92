// A JSON Web Key Set (RFC 7517 section 5): the keys of an issuer, as it
// publishes them.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "auth/key.hpp"
#include "base/bytes.hpp"
#include "base/result.hpp"

namespace paperboy::auth {

struct JwksLimits {
  std::size_t size = 64UL * 1024;  // bytes of its text
  std::size_t keys = 32;           // that it holds, those passed over included
  bool secrets = false;            // keys that sign as well (oct) are taken
};

struct Jwks {
  std::vector<Key> keys;             // in its order; none twice
  std::vector<std::string> skipped;  // of each other one, which and why
};

/// A key that can't be used is passed over, since an issuer's set may have keys
/// for others (RFC 7517 section 5); text that is no key set, or over a limit,
/// is an error as a whole. A set without keys is one: all are withdrawn.
[[nodiscard]] Result<Jwks, std::string> read_jwks(Bytes text,
                                                  const JwksLimits& limits);

/// Of a set by which no token is good, why; empty: it has a key.
[[nodiscard]] std::string why_no_key(const Jwks& set);

}  // namespace paperboy::auth
