#include "cli/token_opaque.hpp"

#include <utility>
#include <vector>

#include "base/utf8.hpp"
#include "cli/input.hpp"
#include "cli/output.hpp"
#include "cli/words.hpp"

namespace paperboy::cli {

namespace {

constexpr Bytes kCreateHelp =
    "usage: paperboy-cli token create --ttl TIME [OPTION...] URL\n"
    "\n"
    "Has a server make an opaque token, and prints it.\n"
    "URL is that of a location with paperboy_api.\n"
    "\n"
    "  --ttl TIME         it lives so long, as 1h30m\n"
    "  --sliding          after its last use\n"
    "  --sub USER         its user\n"
    "  --channel NAME     a channel; * at the end: all that begin so. Again "
    "for\n"
    "                     more\n"
    "  --scope SCOPES     for what, with commas between: subscribe (alone if "
    "not\n"
    "                     given), publish, history, presence\n"
    "  --info JSON        for others to see\n"
    "  --limits JSON      how much its bearer may, as {\"connections\":2}\n";

constexpr Bytes kEndHelp =
    "usage: paperboy-cli token end [OPTION...] URL\n"
    "\n"
    "Ends an opaque token, and what it opened.\n"
    "URL is that of a location with paperboy_api.\n"
    "\n"
    "  --id ID            the token with this id\n"
    "  --ended-file FILE  the one that is in FILE (- for standard input)\n"
    "  --ended-env NAME   the one in this variable of the environment\n";

constexpr Bytes kExits =
    "\nExit code: 0 done, 1 refused, 2 wrong usage, 3 no connection.\n";

std::vector<Option> known_options(std::vector<Option> own) {
  own.insert(own.end(), kServerOptions.begin(), kServerOptions.end());
  own.insert(own.end(), kApiOptions.begin(), kApiOptions.end());
  return own;
}

/// One is `channel`, for which a native client may show the token; several are
/// `channels`.
Outcome<Done> add_channels(const Arguments& arguments, Json& what) {
  const auto names = arguments.values("channel");
  Json all = Json::array();
  for (const Bytes name : names) {
    if (!is_utf8(name)) return misused("--channel: a name is UTF-8");
    all.append(Json::string(name));
  }
  if (names.size() == 1) what.set("channel", Json::string(names.front()));
  if (names.size() > 1) what.set("channels", std::move(all));
  return Done{};
}

/// With commas between.
Json words_of(Bytes text) {
  Json all = Json::array();
  while (!text.empty()) {
    const std::size_t comma = std::min(text.find(','), text.size());
    if (comma > 0) all.append(Json::string(text.substr(0, comma)));
    text.remove_prefix(std::min(comma + 1, text.size()));
  }
  return all;
}

Outcome<Done> add_json(const Arguments& arguments, Bytes name, Json& what) {
  const auto text = arguments.value(name);
  if (!text) return Done{};
  auto json = Json::parse(*text);
  if (!json) return misused("--" + std::string(name) + ": that is no JSON");
  what.set(name, std::move(*json));
  return Done{};
}

Outcome<Json> read_wish(const Arguments& arguments) {
  Json what = Json::object();
  const auto seconds = seconds_of(arguments.value("ttl").value_or(Bytes()));
  if (!seconds || *seconds == 0) {
    return misused("--ttl: a time is needed, as 1h30m");
  }
  what.set("ttl", Json::integer(*seconds));
  if (arguments.has("sliding")) what.set("sliding", Json::boolean(true));
  if (const auto user = arguments.value("sub")) {
    if (!is_utf8(*user)) return misused("--sub: a user is UTF-8");
    what.set("user", Json::string(*user));
  }
  if (const auto done = add_channels(arguments, what); !done) {
    return done.error();
  }
  if (const auto scope = arguments.value("scope")) {
    what.set("scope", words_of(*scope));
  }
  for (const Bytes name : {"info", "limits"}) {
    if (const auto done = add_json(arguments, name, what); !done) {
      return done.error();
    }
  }
  return what;
}

Exit help(Bytes text) {
  print(text);
  print(kApiHelp);
  print(kServerHelp);
  print(kExits);
  return finished();
}

}  // namespace

Outcome<ApiCall> read_token_create(Words words) {
  const auto known = known_options({{"ttl"},
                                    {"sliding", Option::Takes::nothing},
                                    {"sub"},
                                    {"channel", Option::Takes::values},
                                    {"scope"},
                                    {"info"},
                                    {"limits"}});
  const auto arguments = Arguments::parse(words, known, 1);
  if (!arguments) return arguments.error();
  auto wish = read_wish(*arguments);
  if (!wish) return wish.error();
  return read_call(*arguments, "token_create", std::move(*wish));
}

Outcome<ApiCall> read_token_end(Words words) {
  const auto known = known_options({{"id"}, {"ended-file"}, {"ended-env"}});
  const auto arguments = Arguments::parse(words, known, 1);
  if (!arguments) return arguments.error();
  const auto token = read_token(*arguments, "ended");
  if (!token) return token.error();
  const auto id = arguments->value("id");
  if (id.has_value() == token->has_value()) {
    return misused("which token? --id, --ended-file or --ended-env");
  }
  Json what = Json::object();
  if (id) what.set("id", Json::string(*id));
  if (*token) what.set("token", Json::string(**token));
  return read_call(*arguments, "token_end", std::move(what));
}

Exit run_token_create(Words words) {
  if (asks_for_help(words)) return help(kCreateHelp);
  const auto call = read_token_create(words);
  if (!call) return fail_with(call.error());
  const auto answer = ask(*call);
  if (!answer) return fail_with(answer.error());
  print(std::string(answer->get("token").as_string()) + "\n");
  return finished();
}

Exit run_token_end(Words words) {
  if (asks_for_help(words)) return help(kEndHelp);
  const auto call = read_token_end(words);
  if (!call) return fail_with(call.error());
  const auto answer = ask(*call);
  if (!answer) return fail_with(answer.error());
  if (answer->get("ended").as_boolean() == true) return finished();
  return fail_with({Exit::refused, "there is no such token, or none any more"});
}

}  // namespace paperboy::cli
