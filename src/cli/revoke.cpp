#include "cli/revoke.hpp"

#include "base/json.hpp"
#include "base/utf8.hpp"
#include "cli/input.hpp"
#include "cli/output.hpp"
#include "cli/words.hpp"

namespace paperboy::cli {

namespace {

constexpr Bytes kHelp =
    "usage: paperboy-cli revoke [OPTION...] URL\n"
    "\n"
    "Makes tokens bad before their time: those that are all of what is named.\n"
    "URL is that of a location with paperboy_api.\n"
    "\n"
    "  --jti ID           their id\n"
    "  --sub USER         their user; '' for those without\n"
    "  --channel NAME     only this channel is taken from them\n"
    "  --issued-before N  issued before N, seconds since 1970; without it, "
    "and\n"
    "                     without --jti, up to now\n"
    "  --ttl TIME         it is remembered so long, as 1h30m\n"
    "  --key-file FILE    the key of the API is in FILE\n"
    "  --key-env NAME     it is in this variable of the environment\n";

constexpr Bytes kExits =
    "\nExit code: 0 revoked, 1 refused, 2 wrong usage, 3 no connection.\n";

std::vector<Option> known_options() {
  std::vector<Option> known(kServerOptions.begin(), kServerOptions.end());
  for (const Bytes name : {"jti", "sub", "channel", "issued-before", "ttl",
                           "key-file", "key-env"}) {
    known.push_back({name});
  }
  return known;
}

/// False: what is given is no text, or no time.
bool add_names(const Arguments& arguments, Json& what) {
  constexpr std::pair<Bytes, Bytes> kNames[] = {
      {"jti", "jti"}, {"sub", "user"}, {"channel", "channel"}};
  for (const auto& [option, name] : kNames) {
    const auto text = arguments.value(option);
    if (text && !is_utf8(*text)) return false;
    if (text) what.set(name, Json::string(*text));
  }
  return true;
}

Outcome<std::string> read_body(const Arguments& arguments) {
  Json what = Json::object();
  if (!add_names(arguments, what)) {
    return misused("--jti, --sub and --channel are UTF-8");
  }
  if (const auto before = arguments.value("issued-before")) {
    const auto seconds = number_of(*before);
    if (!seconds) {
      return misused("--issued-before: seconds since 1970 are needed");
    }
    what.set("issued_before", Json::integer(*seconds));
  }
  if (what.members().empty()) {
    return misused("which tokens? --jti, --sub, --channel or --issued-before");
  }
  if (const auto ttl = arguments.value("ttl")) {
    const auto seconds = seconds_of(*ttl);
    if (!seconds || *seconds == 0) {
      return misused("--ttl: a time is needed, as 1h30m");
    }
    what.set("ttl", Json::integer(*seconds));
  }
  Json command = Json::object();
  command.set("method", Json::string("revoke"));
  command.set("params", std::move(what));
  return command.dump();
}

Exit conclude(const Revoke& revoke, const Answer& answer) {
  if (answer.head.status != 200) {
    return fail_with(refusal(revoke.server, answer.head, answer.body));
  }
  const auto json = Json::parse(answer.body);
  if (json && json->get("result")) return finished();
  const Bytes why = json ? json->get("error").get("message").as_string()
                         : Bytes("the answer is none of the API");
  return fail_with({Exit::refused, "refused: " + printable(why)});
}

}  // namespace

Outcome<Revoke> read_revoke(Words words) {
  const auto arguments = Arguments::parse(words, known_options(), 1);
  if (!arguments) return arguments.error();
  auto server = read_server(*arguments);
  if (!server) return server.error();
  auto key = read_key(*arguments);
  if (!key) return key.error();
  auto body = read_body(*arguments);
  if (!body) return body.error();
  Revoke revoke{std::move(*server), key->value_or(std::string()),
                std::move(*body)};
  for (const char c : revoke.key) {
    if (c <= ' ' || c > '~') {
      return misused("the key is not of visible ASCII characters");
    }
  }
  return revoke;
}

Exit run_revoke(Words words) {
  if (asks_for_help(words)) {
    print(kHelp);
    print(kServerHelp);
    print(kExits);
    return finished();
  }
  const auto revoke = read_revoke(words);
  if (!revoke) return fail_with(revoke.error());
  Headers more;
  if (!revoke->key.empty()) more.emplace_back("X-API-Key", revoke->key);
  const auto answer =
      post(revoke->server, "application/json", revoke->body, more);
  if (!answer) return fail_with(answer.error());
  return conclude(*revoke, *answer);
}

}  // namespace paperboy::cli
