// Tokens against forged requests from other sites (CSRF): a browser sends a
// cookie along whoever's page opens a WebSocket, but only a page of one's own
// can read such a token and show it beside ("double submit").
//
//   token  = hex "." expiry
//   hex    = 64 lower-case hexadecimal digits: HMAC-SHA-256(secret, user ";"
//            expiry)
//   expiry = 10 digits, seconds since 1970
//
// The application may make them itself, with the same secret.
#pragma once

#include <cstdint>
#include <string>

#include "auth/secret.hpp"
#include "base/bytes.hpp"

namespace paperboy::auth {

enum class CsrfCheck : std::uint8_t { good, missing, wrong, expired };

class CsrfSecret {
 public:
  CsrfSecret() = default;
  explicit CsrfSecret(Bytes secret) : secret_(secret) {}

  /// A token of `user`, good until before `expiry`, which has 10 digits.
  [[nodiscard]] std::string token(Bytes user, std::int64_t expiry) const;

  /// Expired is only what was good. Of nobody no token is good. Takes a time
  /// that tells nothing of the right one.
  [[nodiscard]] CsrfCheck check(Bytes user, Bytes token,
                                std::int64_t now) const;

 private:
  SecretBytes secret_;
};

}  // namespace paperboy::auth
