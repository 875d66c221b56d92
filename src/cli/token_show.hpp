// `paperboy-cli token show`: what a token says; with a key, whether it is
// good.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "auth/key.hpp"
#include "cli/arguments.hpp"
#include "cli/outcome.hpp"

namespace paperboy::cli {

struct TokenShow {
  std::string token;                         // without a scheme word
  std::optional<auth::Algorithm> algorithm;  // then it is verified
  std::string key;
};

/// Reads the token, from standard input too. REQUIRES: no --help among the
/// words.
Outcome<TokenShow> read_token_show(Words words);

/// Header and claims, a line each. Nothing of it is verified.
Outcome<std::string> describe_token(Bytes token, std::int64_t now);

/// A sentence for a good token; why it is not good, or the key no key.
Outcome<std::string> verify_token(const TokenShow& show, std::int64_t now);

Exit run_token_show(Words words);

}  // namespace paperboy::cli
