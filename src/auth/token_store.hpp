// The port to opaque tokens, for whoever is shown one. On a worker's event
// loop; outlives its sessions.
#pragma once

#include <cstdint>

#include "auth/jwt.hpp"
#include "auth/opaque_table.hpp"
#include "base/bytes.hpp"
#include "base/result.hpp"

namespace paperboy::auth {

class TokenStore {
 public:
  TokenStore() = default;
  TokenStore(const TokenStore&) = delete;
  TokenStore& operator=(const TokenStore&) = delete;
  virtual ~TokenStore() = default;

  /// What a token in that namespace says, as if it were a JSON Web Token with
  /// these claims. One that slides never expires by itself. Prolongs nothing:
  /// it may yet be refused. REQUIRES: is_opaque(token).
  [[nodiscard]] virtual Result<Token, TokenError> find(
      Bytes name_space, Bytes token, const TokenRules& rules) = 0;

  /// It lets somebody in, or what it opened is still open: one that slides is
  /// prolonged. `number`: Token::opaque.
  virtual OpaqueTable::Standing keep(std::uint64_t number) = 0;
};

}  // namespace paperboy::auth
