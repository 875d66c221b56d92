// Whether a token that is signed with a private key could ever be good. Pure.
#pragma once

#include "auth/key.hpp"
#include "base/bytes.hpp"
#include "cli/outcome.hpp"

namespace paperboy::cli {

/// The key that verifies what `pem`, a private key, signs: refused where the
/// server would refuse it (RSA below 2048 bits, EC on another curve), and
/// where it is encrypted.
Outcome<auth::Key> verifying_key(auth::Algorithm algorithm, Bytes pem);

}  // namespace paperboy::cli
