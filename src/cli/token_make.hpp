// `paperboy-cli token make`: signs a token.
#pragma once

#include <cstdint>
#include <string>

#include "auth/key.hpp"
#include "cli/arguments.hpp"
#include "cli/outcome.hpp"

namespace paperboy::cli {

struct TokenMake {
  auth::Algorithm algorithm = auth::Algorithm::hs256;
  std::string key;
  std::string kid;     // empty: none
  std::string claims;  // the text of a JSON object
  bool expires = false;
};

/// `now`: seconds since 1970. REQUIRES: no --help among the words.
Outcome<TokenMake> read_token_make(Words words, std::int64_t now);

/// The token.
Outcome<std::string> make_token(const TokenMake& make);

Exit run_token_make(Words words);

}  // namespace paperboy::cli
