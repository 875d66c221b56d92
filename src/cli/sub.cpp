// open, handshake, then listener.hpp's loop with the reader that was asked for.
#include "cli/sub.hpp"

#include <unistd.h>

#include <memory>

#include "base/json.hpp"
#include "base/utf8.hpp"
#include "cli/handshake.hpp"
#include "cli/input.hpp"
#include "cli/listener.hpp"
#include "cli/native_reader.hpp"
#include "cli/output.hpp"
#include "cli/words.hpp"

namespace paperboy::cli {

namespace {

constexpr Bytes kHelp =
    "usage: paperboy-cli sub [OPTION...] URL\n"
    "\n"
    "Prints what is published, one message a line, until Ctrl-C. Without "
    "--channel\n"
    "and --native the location is one with `paperboy raw`: line breaks in a "
    "message\n"
    "are printed as \\n and \\r, binary messages in base64. With one of them "
    "it is\n"
    "one with `paperboy native`: messages are printed as JSON.\n"
    "\n"
    "  --channel NAME     subscribe to this channel; may be repeated\n"
    "  --native           listen to the channels that the server gives, too\n"
    "  --count N          end after N messages\n"
    "  --json             print {\"text\":\"...\"} or "
    "{\"binary\":\"BASE64\"};\n"
    "                     natively channel, epoch, offset and data\n"
    "  --binary           print the bytes of messages, and nothing between; "
    "not\n"
    "                     natively\n"
    "  --channel-token-file FILE, --channel-token-env NAME\n"
    "                     the token of the one channel is there\n";

constexpr Bytes kExits =
    "\nExit code: 0 Ctrl-C or --count, 1 refused, 2 wrong usage, 3 no "
    "connection,\n4 ended and coming back makes sense, 5 ended and it makes "
    "none.\n";

std::vector<Option> known_options() {
  std::vector<Option> known(kServerOptions.begin(), kServerOptions.end());
  known.push_back({"count"});
  known.push_back({"json", Option::Takes::nothing});
  known.push_back({"binary", Option::Takes::nothing});
  known.push_back({"native", Option::Takes::nothing});
  known.push_back({"channel", Option::Takes::values});
  known.push_back({"channel-token-file"});
  known.push_back({"channel-token-env"});
  return known;
}

/// What a raw location says: each message is a publication.
class RawReader final : public MessageReader {
 public:
  RawReader(const Sub& sub, bool terminal)
      : form_(sub.form), terminal_(terminal), left_(sub.count.value_or(-1)) {}

  Verdict on_message(Kind kind, Bytes data, Output& out) override {
    out.print += format_message(form_, kind, data, terminal_);
    if (left_ > 0) --left_;
    if (left_ == 0) return Done{};
    return std::nullopt;
  }

 private:
  Form form_;
  bool terminal_;
  std::int64_t left_;  // messages; negative: no end
};

Exit no_websockets(const Head& head) {
  return fail_with({Exit::refused, "refused: " + refusal_text(head, {}) +
                                       ": this location takes no WebSockets"});
}

std::unique_ptr<MessageReader> reader_for(const Sub& sub) {
  const bool terminal = isatty(STDOUT_FILENO) != 0;
  if (sub.native) return std::make_unique<NativeReader>(sub, terminal);
  return std::make_unique<RawReader>(sub, terminal);
}

Exit subscribe(const Sub& sub) {
  const Deadline deadline = sub.server.deadline();
  auto connection = Connection::open(sub.server.url, sub.server.tls, deadline);
  if (!connection) return fail_with(connection.error());
  const std::string key = new_handshake_key();
  const Bytes protocol = sub.native ? kNativeProtocol : Bytes();
  const auto sent =
      (*connection)
          ->write(handshake_request(sub.server, key, protocol), deadline);
  if (!sent) return fail_with(sent.error());
  std::string in;
  const auto head = read_head(**connection, in, deadline);
  if (!head) return fail_with(head.error());
  if (head->status != 101) {
    if (head->status >= 200 && head->status < 300) return no_websockets(*head);
    const auto body = read_body(**connection, *head, in, deadline);
    return fail_with(refusal(sub.server, *head, body ? Bytes(*body) : Bytes()));
  }
  if (const auto why = why_no_websocket(*head, key, protocol)) {
    return fail_with(*why);
  }
  const auto reader = reader_for(sub);
  return listen(sub.server, **connection, *reader, std::move(in));
}

Outcome<Done> read_native_options(const Arguments& arguments, Sub& sub) {
  for (const Bytes name : arguments.values("channel")) {
    if (name.empty() || !is_utf8(name)) {
      return misused("--channel: a name in UTF-8 is needed");
    }
    sub.channels.emplace_back(name);
  }
  sub.native = arguments.has("native") || !sub.channels.empty();
  auto token = read_token(arguments, "channel-token");
  if (!token) return token.error();
  sub.channel_token = std::move(*token);
  if (sub.channel_token && sub.channels.size() != 1) {
    return misused("a channel's token is for one --channel");
  }
  if (sub.native && sub.form == Form::binary) {
    return misused("--binary: natively messages are JSON");
  }
  return Done{};
}

}  // namespace

Outcome<Sub> read_sub(Words words) {
  const auto arguments = Arguments::parse(words, known_options(), 1);
  if (!arguments) return arguments.error();
  auto server = read_server(*arguments);
  if (!server) return server.error();
  Sub sub;
  sub.server = std::move(*server);
  if (arguments->has("json") && arguments->has("binary")) {
    return misused("--json and --binary: give one of them");
  }
  if (arguments->has("json")) sub.form = Form::json;
  if (arguments->has("binary")) sub.form = Form::binary;
  if (const auto count = arguments->value("count")) {
    sub.count = number_of(*count);
    if (sub.count.value_or(0) == 0) {
      return misused("--count: a number from 1 on is needed");
    }
  }
  const auto native = read_native_options(*arguments, sub);
  if (!native) return native.error();
  return sub;
}

std::string format_message(Form form, Kind kind, Bytes data, bool terminal) {
  const bool text = kind == Kind::text;
  if (form == Form::binary) return std::string(data);
  const std::string shown = text ? std::string() : base64(data);
  if (form == Form::json) {
    return Json::object()
               .set(text ? "text" : "binary", Json::string(text ? data : shown))
               .dump() +
           "\n";
  }
  if (!text) return shown + "\n";
  return (terminal ? printable(data) : one_line(data)) + "\n";
}

Exit run_sub(Words words) {
  if (asks_for_help(words)) {
    print(kHelp);
    print(kServerHelp);
    print(kExits);
    return finished();
  }
  const auto sub = read_sub(words);
  return sub ? subscribe(*sub) : fail_with(sub.error());
}

}  // namespace paperboy::cli
