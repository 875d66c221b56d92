// Signatures that libjwt doesn't make (see jwt_sign.hpp).
#pragma once

#include <optional>
#include <string>

#include "auth/key.hpp"
#include "base/bytes.hpp"

namespace paperboy::auth {

/// The signature of `text` under PS or EdDSA, as bytes. None: `pem` is no
/// private key, or not one for the algorithm.
[[nodiscard]] std::optional<std::string> openssl_signature(Algorithm algorithm,
                                                           Bytes pem,
                                                           Bytes text);

}  // namespace paperboy::auth
