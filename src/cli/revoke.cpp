#include "cli/revoke.hpp"

#include <utility>

#include "base/json.hpp"
#include "base/utf8.hpp"
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
    "  --ttl TIME         it is remembered so long, as 1h30m\n";

constexpr Bytes kExits =
    "\nExit code: 0 revoked, 1 refused, 2 wrong usage, 3 no connection.\n";

std::vector<Option> known_options() {
  std::vector<Option> known(kServerOptions.begin(), kServerOptions.end());
  known.insert(known.end(), kApiOptions.begin(), kApiOptions.end());
  for (const Bytes name : {"jti", "sub", "channel", "issued-before", "ttl"}) {
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

Outcome<Json> read_parameters(const Arguments& arguments) {
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
  return what;
}

}  // namespace

Outcome<ApiCall> read_revoke(Words words) {
  const auto arguments = Arguments::parse(words, known_options(), 1);
  if (!arguments) return arguments.error();
  auto parameters = read_parameters(*arguments);
  if (!parameters) return parameters.error();
  return read_call(*arguments, "revoke", std::move(*parameters));
}

Exit run_revoke(Words words) {
  if (asks_for_help(words)) {
    print(kHelp);
    print(kApiHelp);
    print(kServerHelp);
    print(kExits);
    return finished();
  }
  const auto call = read_revoke(words);
  if (!call) return fail_with(call.error());
  const auto answer = ask(*call);
  return answer ? finished() : fail_with(answer.error());
}

}  // namespace paperboy::cli
