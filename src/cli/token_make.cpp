#include "cli/token_make.hpp"

#include <algorithm>
#include <array>
#include <ctime>

#include "auth/jwt.hpp"
#include "auth/jwt_sign.hpp"
#include "base/json.hpp"
#include "base/utf8.hpp"
#include "cli/input.hpp"
#include "cli/output.hpp"
#include "cli/private_key.hpp"
#include "cli/token_options.hpp"
#include "cli/words.hpp"

namespace paperboy::cli {

namespace {

constexpr Bytes kHelp =
    "usage: paperboy-cli token make --alg ALG --key-file FILE [OPTION...]\n"
    "\n"
    "Prints a JSON Web Token.\n"
    "\n"
    "  --alg ALG          HS256, HS384, HS512, RS256, ... or EdDSA\n"
    "  --key-file FILE    the secret (HS), or a private key in PEM (RS, ES);\n"
    "                     - for standard input\n"
    "  --key-env NAME     the same from this variable of the environment\n"
    "  --kid KID          the key's name, into the header\n"
    "  --sub USER         whose token this is\n"
    "  --channel NAME     a channel it is for; may be repeated\n"
    "  --scope WORDS      subscribe,publish,history,presence: what it allows;\n"
    "                     a token without may subscribe\n"
    "  --exp TIME         it expires in TIME, as 90s, 10m, 8h or 30d\n"
    "  --exp-at N         it expires N seconds after 1970\n"
    "  --claim NAME=JSON  any other claim; may be repeated\n"
    "\n"
    "Exit code: 0 made, 2 wrong usage.\n";

constexpr std::array kKnown{Option{"alg"},
                            Option{"key-file"},
                            Option{"key-env"},
                            Option{"kid"},
                            Option{"sub"},
                            Option{"channel", Option::Takes::values},
                            Option{"scope", Option::Takes::values},
                            Option{"exp"},
                            Option{"exp-at"},
                            Option{"claim", Option::Takes::values}};

constexpr std::array<Bytes, 4> kScopes{"subscribe", "publish", "history",
                                       "presence"};

Outcome<Done> add_subject(const Arguments& arguments, Json& claims) {
  const auto subject = arguments.value("sub");
  if (!subject) return Done{};
  if (!is_utf8(*subject)) return misused("--sub: is not UTF-8");
  claims.set("sub", Json::string(*subject));
  return Done{};
}

Outcome<Done> add_channels(const Arguments& arguments, Json& claims) {
  const auto names = arguments.values("channel");
  if (names.empty()) return Done{};
  Json channels = Json::array();
  for (const Bytes name : names) {
    if (name.empty() || !is_utf8(name)) {
      return misused("--channel: is empty, or not UTF-8");
    }
    channels.append(Json::string(name));
  }
  claims.set("channels", std::move(channels));
  return Done{};
}

// "a,b" and "a b" alike; joined by spaces (RFC 6749 section 3.3).
Outcome<Done> add_scope(const Arguments& arguments, Json& claims) {
  if (!arguments.has("scope")) return Done{};
  std::string scope;
  for (Bytes words : arguments.values("scope")) {
    while (!words.empty()) {
      const std::size_t end = std::min(words.find_first_of(", "), words.size());
      const Bytes word = words.substr(0, end);
      words.remove_prefix(std::min(end + 1, words.size()));
      if (word.empty()) continue;
      if (std::ranges::find(kScopes, word) == kScopes.end()) {
        return misused(
            "--scope: words are subscribe, publish, history and presence");
      }
      scope.append(scope.empty() ? "" : " ").append(word);
    }
  }
  claims.set("scope", Json::string(scope));
  return Done{};
}

Outcome<Done> add_expiry(const Arguments& arguments, std::int64_t now,
                         Json& claims) {
  const auto in = arguments.value("exp");
  const auto at = arguments.value("exp-at");
  if (in && at) return misused("--exp and --exp-at: give one of them");
  if (in) {
    const auto seconds = seconds_of(*in);
    if (!seconds) {
      return misused("--exp: a time is needed, as 90s, 10m, 8h or 30d");
    }
    claims.set("exp", Json::integer(now + *seconds));
  } else if (at) {
    const auto second = number_of(*at);
    if (!second) return misused("--exp-at: seconds since 1970 are needed");
    claims.set("exp", Json::integer(*second));
  }
  return Done{};
}

Outcome<Done> add_others(const Arguments& arguments, Json& claims) {
  for (const Bytes claim : arguments.values("claim")) {
    const std::size_t equals = claim.find('=');
    if (equals == Bytes::npos || equals == 0) {
      return misused("--claim: NAME=JSON is needed");
    }
    const Bytes name = claim.substr(0, equals);
    auto value = Json::parse(claim.substr(equals + 1));
    if (!value) {
      return misused("--claim " + printable(name) +
                     ": the value is no JSON; a string has quotes, as "
                     "'name=\"text\"'");
    }
    if (!is_utf8(name) || claims.get(name)) {
      return misused("--claim " + printable(name) +
                     ": given twice, or not UTF-8");
    }
    claims.set(name, std::move(*value));
  }
  return Done{};
}

Outcome<std::string> claims_of(const Arguments& arguments, std::int64_t now) {
  Json claims = Json::object();
  for (const auto& add : {add_subject, add_channels, add_scope}) {
    if (auto good = add(arguments, claims); !good) return good.error();
  }
  if (auto good = add_expiry(arguments, now, claims); !good) {
    return good.error();
  }
  if (auto good = add_others(arguments, claims); !good) return good.error();
  return claims.dump();
}

// libjwt signs with keys that no server would take.
Outcome<auth::Key> verifying_key_of(const TokenMake& make) {
  if (!auth::is_hmac(make.algorithm)) {
    return verifying_key(make.algorithm, make.key);
  }
  auto key = auth::Key::load(make.algorithm, make.key);
  if (!key) return misused("the key: " + key.error());
  return std::move(*key);
}

// What is allowed, and yet seldom meant.
void warn(const TokenMake& make) {
  if (!make.expires) {
    complain("warning: this token never expires; --exp gives it an end");
  }
  const auto key = auth::Key::load(make.algorithm, make.key);
  if (key && key->weak()) {
    complain("warning: the secret is shorter than the algorithm's hash");
  }
}

}  // namespace

Outcome<TokenMake> read_token_make(Words words, std::int64_t now) {
  const auto arguments = Arguments::parse(words, kKnown, 0);
  if (!arguments) return arguments.error();
  const auto algorithm = read_algorithm(*arguments);
  if (!algorithm) return algorithm.error();
  if (!*algorithm) return misused("--alg: which algorithm? as HS256");
  auto key = read_key(*arguments);
  if (!key) return key.error();
  if (!*key) return misused("--key-file or --key-env: which key?");
  auto claims = claims_of(*arguments, now);
  if (!claims) return claims.error();
  TokenMake make;
  make.algorithm = **algorithm;
  make.key = std::move(**key);
  make.kid = arguments->value("kid").value_or(Bytes());
  make.claims = std::move(*claims);
  const auto json = Json::parse(make.claims);
  make.expires = json && json->get("exp");
  return make;
}

Outcome<std::string> make_token(const TokenMake& make) {
  const auto key = verifying_key_of(make);
  if (!key) return key.error();
  auto token = auth::sign(make.algorithm, make.key, make.claims, make.kid);
  if (!token) {
    return misused("no token can be made: " + token.error().text);
  }
  if (token->size() > auth::kMaxTokenSize) {
    return misused(
        "the token would be larger than the 8192 bytes that "
        "Paperboy reads: give it fewer claims");
  }
  return std::move(*token);
}

Exit run_token_make(Words words) {
  if (asks_for_help(words)) {
    print(kHelp);
    return finished();
  }
  const auto make = read_token_make(words, std::time(nullptr));
  if (!make) return fail_with(make.error());
  const auto token = make_token(*make);
  if (!token) return fail_with(token.error());
  warn(*make);
  print(*token + "\n");
  return finished();
}

}  // namespace paperboy::cli
