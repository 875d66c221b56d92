#include "cli/token_show.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <ctime>

#include "auth/base64url.hpp"
#include "auth/jwt.hpp"
#include "base/json.hpp"
#include "cli/input.hpp"
#include "cli/output.hpp"
#include "cli/token_options.hpp"
#include "cli/words.hpp"

namespace paperboy::cli {

namespace {

constexpr Bytes kHelp =
    "usage: paperboy-cli token show [OPTION...] [TOKEN|-]\n"
    "\n"
    "Prints what a token says, from standard input where none is given "
    "(others\n"
    "can read the command line). With a key it also says whether it is good.\n"
    "\n"
    "  --alg ALG          HS256, HS384, HS512, RS256, ... or EdDSA\n"
    "  --key-file FILE    the secret (HS), or a public key or certificate in\n"
    "                     PEM (RS, ES)\n"
    "  --key-env NAME     the same from this variable of the environment\n"
    "\n"
    "Exit code: 0 shown (and good, with a key), 1 malformed or not good,\n"
    "2 wrong usage.\n";

constexpr std::array kKnown{Option{"alg"}, Option{"key-file"},
                            Option{"key-env"}};

constexpr JsonLimits kLimits{.depth = 16, .size = auth::kMaxTokenSize};

// A double holds every second up to this one.
constexpr double kMaxTime = 1e15;

Failure no_token(const std::string& why) {
  return {Exit::refused, "this is no token: " + why};
}

Outcome<Json> read_part(Bytes part, const char* name) {
  const auto text = auth::base64url_decode(part);
  if (!text) return no_token(std::string(name) + " is not base64url");
  auto json = Json::parse(*text, kLimits);
  if (!json || !json->is_object()) {
    return no_token(std::string(name) + " is no JSON object");
  }
  return std::move(*json);
}

// RFC 7519 sections 4.1.4 to 4.1.6.
bool is_time(Bytes claim) {
  return claim == "exp" || claim == "nbf" || claim == "iat";
}

std::string time_text(Bytes claim, const Json& value, std::int64_t now) {
  const auto number = value.as_number();
  if (!number || std::abs(*number) > kMaxTime) return {};
  const auto second = static_cast<std::int64_t>(std::ceil(*number));
  const std::string distance = distance_text(second - now);
  std::string text = "  (" + utc_text(second) + ", ";
  if (claim == "exp") {
    text += second > now ? "expires " + distance : "expired " + distance;
  } else {
    text += distance;
  }
  return text + ")";
}

std::string lines_of(const Json& object, std::int64_t now) {
  const auto members = object.members();
  std::size_t width = 0;
  for (const auto& [name, value] : members) {
    width = std::max(width, printable(name).size());
  }
  std::string text;
  for (const auto& [name, value] : members) {
    std::string shown = printable(name);
    shown.resize(width, ' ');
    text.append("  ").append(shown).append("  ");
    text.append(printable(value.dump()));
    if (is_time(name)) text.append(time_text(name, value, now));
    text.append("\n");
  }
  return text;
}

std::string expiry_sentence(const Json& claims) {
  return claims.get("exp") ? "" : "it never expires\n";
}

Outcome<std::string> read_given_token(const Arguments& arguments) {
  const bool given = !arguments.rest().empty() && arguments.rest()[0] != "-";
  auto token = given ? Outcome<std::string>(std::string(arguments.rest()[0]))
                     : read_file("-", kMaxKey);
  if (!token) return token;
  const auto graphic = [](char c) { return c > 0x20 && c < 0x7f; };
  while (!token->empty() && !graphic(token->back())) token->pop_back();
  // "Authorization: Bearer TOKEN", copied.
  const std::size_t word = token->find_last_of(" \t\n");
  if (word != std::string::npos) token->erase(0, word + 1);
  return token;
}

// A key that its owner names for this token is the one that its kid means.
std::string kid_of(Bytes token) {
  const auto header = read_part(token.substr(0, token.find('.')), "header");
  if (!header) return {};
  return std::string(header->get("kid").as_string());
}

}  // namespace

Outcome<TokenShow> read_token_show(Words words) {
  const auto arguments = Arguments::parse(words, kKnown, 1);
  if (!arguments) return arguments.error();
  TokenShow show;
  const auto algorithm = read_algorithm(*arguments);
  if (!algorithm) return algorithm.error();
  if (arguments->value("key-file") == "-") {
    return misused("--key-file: the key can't come from standard input here");
  }
  auto key = read_key(*arguments);
  if (!key) return key.error();
  if (algorithm->has_value() != key->has_value()) {
    return misused(
        "to verify, --alg and a key (--key-file or --key-env) are "
        "needed, both");
  }
  auto token = read_given_token(*arguments);
  if (!token) return token.error();
  show.token = std::move(*token);
  show.algorithm = *algorithm;
  if (*key) show.key = std::move(**key);
  return show;
}

Outcome<std::string> describe_token(Bytes token, std::int64_t now) {
  const std::size_t first = token.find('.');
  const std::size_t second = token.find('.', first + 1);
  if (token.empty()) return no_token("it is empty");
  if (token.size() > auth::kMaxTokenSize) {
    return no_token("it is larger than 8192 bytes");
  }
  if (first == Bytes::npos || second == Bytes::npos ||
      token.find('.', second + 1) != Bytes::npos) {
    return no_token("it has not three parts with dots between them");
  }
  const auto header = read_part(token.substr(0, first), "its header");
  if (!header) return header.error();
  const auto claims =
      read_part(token.substr(first + 1, second - first - 1), "its payload");
  if (!claims) return claims.error();
  return "header\n" + lines_of(*header, now) + "claims\n" +
         lines_of(*claims, now) + expiry_sentence(*claims);
}

Outcome<std::string> verify_token(const TokenShow& show, std::int64_t now) {
  auto key = auth::Key::load(*show.algorithm, show.key, kid_of(show.token));
  if (!key) return misused("the key: " + key.error());
  auth::KeySet keys;
  if (auto added = keys.add(std::move(*key)); !added) {
    return misused("the key: " + added.error());
  }
  const auto token = auth::verify(show.token, keys, {}, now);
  if (!token) {
    return Failure{
        Exit::refused,
        "not good: " + std::string(auth::token_error_text(token.error()))};
  }
  return std::string(
      "good: signed with this key, and its times fit; issuer and audience are "
      "for the server to compare\n");
}

Exit run_token_show(Words words) {
  if (asks_for_help(words)) {
    print(kHelp);
    return finished();
  }
  const auto show = read_token_show(words);
  if (!show) return fail_with(show.error());
  const std::int64_t now = std::time(nullptr);
  const auto text = describe_token(show->token, now);
  if (!text) return fail_with(text.error());
  print(*text);
  if (!show->algorithm) {
    print("the signature was not checked: --alg and --key-file do that\n");
    return finished();
  }
  const auto good = verify_token(*show, now);
  if (!good) return fail_with(good.error());
  print(*good);
  return finished();
}

}  // namespace paperboy::cli
