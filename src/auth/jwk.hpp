// One JSON Web Key (RFC 7517; its members for RSA, EC and secrets RFC 7518
// section 6, for Ed25519 and Ed448 RFC 8037) as a key that verifies.
#pragma once

#include <string>

#include "auth/key.hpp"
#include "base/json.hpp"
#include "base/result.hpp"

namespace paperboy::auth {

/// The key that `jwk` describes. Where it names no algorithm, RSA is for RS256
/// and a curve for the one that it has; a secret has to name it. `secrets`:
/// keys that sign as well are taken. The error says why this is none to verify
/// with, and shows nothing of the key but its names.
[[nodiscard]] Result<Key, std::string> read_jwk(const Json& jwk, bool secrets);

}  // namespace paperboy::auth
