// Whether the signature of a token is a key's.
#pragma once

#include <cstddef>
#include <string>

#include "auth/key.hpp"
#include "base/bytes.hpp"

namespace paperboy::auth {

/// A token whose form and header have been checked: the three parts are
/// canonical base64url, the header names its algorithm once, and its `typ` is
/// known. The bytes belong to whoever passed the token.
struct SignedToken {
  Bytes whole;            // all three parts
  Bytes signed_part;      // header and payload: what the signature is over
  std::string signature;  // decoded
};

/// REQUIRES: the header's algorithm is the key's; `token.whole` is no larger
/// than kMaxTokenSize. Re-entrant.
[[nodiscard]] bool signature_matches(const SignedToken& token, const Key& key);

/// Whether any key of that algorithm makes signatures of `size` bytes: RSA's
/// are from 2048 to 16384 bits.
[[nodiscard]] bool can_be_signature(Algorithm algorithm, std::size_t size);

}  // namespace paperboy::auth
