#include "cli/pub.hpp"

#include "base/json.hpp"
#include "base/utf8.hpp"
#include "cli/input.hpp"
#include "cli/output.hpp"
#include "cli/words.hpp"

namespace paperboy::cli {

namespace {

constexpr Bytes kHelp =
    "usage: paperboy-cli pub [OPTION...] URL [MESSAGE|-]\n"
    "\n"
    "POSTs the message, or standard input, to a location with\n"
    "paperboy_publish, and prints its answer.\n"
    "\n"
    "  --channel NAME     add ?channel=NAME to the URL\n"
    "  --binary           the message is binary: any bytes, all of them; text\n"
    "                     from standard input loses one final line break\n";

constexpr Bytes kExits =
    "\nExit code: 0 published, 1 refused, 2 wrong usage, 3 no connection.\n";

std::vector<Option> known_options() {
  std::vector<Option> known(kServerOptions.begin(), kServerOptions.end());
  known.push_back({"channel"});
  known.push_back({"binary", Option::Takes::nothing});
  return known;
}

bool is_stdin(const Arguments& arguments) {
  return arguments.rest().size() < 2 || arguments.rest()[1] == "-";
}

Outcome<std::string> read_message(const Arguments& arguments, bool binary) {
  if (!is_stdin(arguments)) return std::string(arguments.rest()[1]);
  auto message = read_file("-", kMaxMessage);
  if (message && !binary && message->ends_with('\n')) {
    message->pop_back();
    if (message->ends_with('\r')) message->pop_back();
  }
  return message;
}

Outcome<Answer> post(const Pub& pub) {
  return post(
      pub.server,
      pub.binary ? "application/octet-stream" : "text/plain; charset=utf-8",
      pub.message, {});
}

Exit conclude(const Pub& pub, const Answer& answer) {
  const bool json = Json::parse(answer.body).ok();
  const bool good = answer.head.status >= 200 && answer.head.status < 300;
  if (json || good) {
    print(json ? Bytes(answer.body) : Bytes(printable(answer.body)));
    print("\n");
  }
  if (!good) return fail_with(refusal(pub.server, answer.head, answer.body));
  if (!all_published(answer.body)) {
    return fail_with({Exit::refused,
                      "not published to all channels: those with an \"error\" "
                      "in the answer don't have the message"});
  }
  return finished();
}

}  // namespace

Outcome<Pub> read_pub(Words words) {
  const auto arguments = Arguments::parse(words, known_options(), 2);
  if (!arguments) return arguments.error();
  if (arguments->value("token-file") == "-" && is_stdin(*arguments)) {
    return misused("standard input can't hold both token and message");
  }
  auto server = read_server(*arguments);
  if (!server) return server.error();
  Pub pub{std::move(*server), arguments->has("binary"), {}};
  if (const auto channel = arguments->value("channel")) {
    auto url = with_channel(std::move(pub.server.url), *channel);
    if (!url) return url.error();
    pub.server.url = std::move(*url);
  }
  auto message = read_message(*arguments, pub.binary);
  if (!message) return message.error();
  pub.message = std::move(*message);
  if (!pub.binary && !is_utf8(pub.message)) {
    return misused("the message is not UTF-8: --binary sends any bytes");
  }
  return pub;
}

bool all_published(Bytes answer) {
  const auto json = Json::parse(answer);
  if (!json || !json->is_array()) return true;
  for (std::size_t i = 0; i < json->size(); ++i) {
    if (json->at(i).get("error")) return false;
  }
  return true;
}

Exit run_pub(Words words) {
  if (asks_for_help(words)) {
    print(kHelp);
    print(kServerHelp);
    print(kExits);
    return finished();
  }
  const auto pub = read_pub(words);
  if (!pub) return fail_with(pub.error());
  const auto answer = post(*pub);
  if (!answer) return fail_with(answer.error());
  return conclude(*pub, *answer);
}

}  // namespace paperboy::cli
