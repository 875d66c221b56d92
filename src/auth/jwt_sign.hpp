// Making tokens: for the command line and the tests. Nothing that serves a
// request calls it.
#pragma once

#include <string>

#include "auth/key.hpp"
#include "base/bytes.hpp"
#include "base/result.hpp"

namespace paperboy::auth {

struct SignError {
  std::string text;
};

/// A token of `claims`, the text of a JSON object, made by libjwt, and where
/// it doesn't know the algorithm (PS, EdDSA) by OpenSSL. `key` is the secret
/// (HS) or a private key as PEM; `kid`, where not empty,
/// goes into the header.
Result<std::string, SignError> sign(Algorithm algorithm, Bytes key,
                                    Bytes claims, Bytes kid = {});

}  // namespace paperboy::auth
