// open, handshake, then one loop: read, hand to the receiver, print, answer.
#include "cli/sub.hpp"

#include <unistd.h>

#include <algorithm>
#include <span>

#include "base/json.hpp"
#include "cli/advice.hpp"
#include "cli/handshake.hpp"
#include "cli/input.hpp"
#include "cli/interrupt.hpp"
#include "cli/output.hpp"
#include "cli/words.hpp"
#include "ws/receiver.hpp"

namespace paperboy::cli {

namespace {

constexpr Bytes kHelp =
    "usage: paperboy-cli sub [OPTION...] URL\n"
    "\n"
    "Listens to a location with `paperboy raw` and prints its messages, one a\n"
    "line, until Ctrl-C. Line breaks in a message are printed as \\n and \\r,\n"
    "binary messages in base64.\n"
    "\n"
    "  --count N          end after N messages\n"
    "  --json             print {\"text\":\"...\"} or {\"binary\":\"BASE64\"}\n"
    "  --binary           print the bytes of messages, and nothing between\n";

constexpr Bytes kExits =
    "\nExit code: 0 Ctrl-C or --count, 1 refused, 2 wrong usage, 3 no "
    "connection,\n4 ended and coming back makes sense, 5 ended and it makes "
    "none.\n";

constexpr std::chrono::milliseconds kFarewell{2000};

std::vector<Option> known_options() {
  std::vector<Option> known(kServerOptions.begin(), kServerOptions.end());
  known.push_back({"count"});
  known.push_back({"json", Option::Takes::nothing});
  known.push_back({"binary", Option::Takes::nothing});
  return known;
}

/// One subscription, from the 101 on.
class Listener : public ws::MessageSink {
 public:
  Listener(const Sub& sub, Connection& connection)
      : sub_(sub),
        connection_(connection),
        terminal_(isatty(STDOUT_FILENO) != 0),
        left_(sub.count.value_or(-1)) {}

  /// `in`: what has come after the head of the answer.
  Exit listen(std::string in) {
    while (true) {
      if (const auto exit = take(in)) return *exit;
      in.clear();
      const auto event = connection_.read(in, std::nullopt, &interrupt_);
      if (!event) return lost(event.error().text);
      if (*event == Connection::Event::end) return lost("the server hung up");
      if (*event == Connection::Event::interrupt) return say_goodbye();
    }
  }

  bool on_message(Kind kind, Bytes data) override {
    shown_.append(format_message(sub_.form, kind, data, terminal_));
    if (left_ > 0) --left_;
    return left_ != 0;
  }

  bool on_ping(Bytes payload) override {
    ws::append_client_frame(out_, ws::Opcode::pong, payload, new_masking_key());
    return true;
  }

  bool on_pong(Bytes) override { return true; }

  bool on_close(const Close& close) override {
    close_ = close.code;
    reason_ = close.reason;
    return false;
  }

 private:
  // The code to end with, where this was the end.
  std::optional<Exit> take(std::string& in) {
    const ws::ReceiverOptions options{.max_message_size = kMaxMessage,
                                      .sender = ws::Sender::server};
    const auto bad = receiver_.feed(std::span(in), *this, options);
    if (!write_through(shown_, interrupt_)) return say_goodbye();
    shown_.clear();
    if (bad) return broken(*bad);
    if (close_) return closed();
    if (left_ == 0) return say_goodbye();
    if (out_.empty()) return std::nullopt;
    const auto sent = connection_.write(out_, sub_.server.deadline());
    out_.clear();
    if (!sent) return lost(sent.error().text);
    return std::nullopt;
  }

  Exit closed() {
    goodbye({*close_, {}});
    std::string text = "closed by the server: " + std::to_string(*close_);
    if (!reason_.empty()) text += " " + printable(reason_);
    return end(*close_, text);
  }

  Exit lost(const std::string& why) {
    return end(close::kAbnormal, "the connection is lost: " + why);
  }

  static Exit end(std::uint16_t code, std::string text) {
    const Advice what = advice(code);
    text.append("; ").append(what.text);
    return fail_with({what.exit, text});
  }

  Exit broken(const Close& why) {
    goodbye(why);
    return fail_with({Exit::stay_away, "the server broke the protocol: " +
                                           std::string(why.reason)});
  }

  Exit say_goodbye() {
    goodbye({close::kNormal, {}});
    return finished();
  }

  // RFC 6455 section 7.1.1: the server ends the connection, we wait for it;
  // not for long.
  void goodbye(const Close& why) {
    const Deadline deadline = within(kFarewell);
    ws::append_client_close(out_, why, new_masking_key());
    if (!connection_.write(out_, deadline)) return;
    std::string rest;
    while (true) {
      const auto event = connection_.read(rest, deadline);
      if (!event || *event != Connection::Event::data) return;
      rest.clear();
    }
  }

  const Sub& sub_;
  Connection& connection_;
  Interrupt interrupt_;
  ws::Receiver receiver_;
  std::string out_;
  std::string shown_;  // messages that have come, as they are printed
  bool terminal_;
  std::int64_t left_;  // messages; negative: no end
  std::optional<std::uint16_t> close_;
  std::string reason_;
};

Exit no_websockets(const Head& head) {
  return fail_with({Exit::refused, "refused: " + refusal_text(head, {}) +
                                       ": this location takes no WebSockets"});
}

Exit subscribe(const Sub& sub) {
  const Deadline deadline = sub.server.deadline();
  auto connection = Connection::open(sub.server.url, sub.server.tls, deadline);
  if (!connection) return fail_with(connection.error());
  const std::string key = new_handshake_key();
  const auto sent =
      (*connection)->write(handshake_request(sub.server, key), deadline);
  if (!sent) return fail_with(sent.error());
  std::string in;
  const auto head = read_head(**connection, in, deadline);
  if (!head) return fail_with(head.error());
  if (head->status != 101) {
    if (head->status >= 200 && head->status < 300) return no_websockets(*head);
    const auto body = read_body(**connection, *head, in, deadline);
    return fail_with(refusal(sub.server, *head, body ? Bytes(*body) : Bytes()));
  }
  if (const auto why = why_no_websocket(*head, key)) return fail_with(*why);
  return Listener(sub, **connection).listen(std::move(in));
}

}  // namespace

Outcome<Sub> read_sub(Words words) {
  const auto arguments = Arguments::parse(words, known_options(), 1);
  if (!arguments) return arguments.error();
  auto server = read_server(*arguments);
  if (!server) return server.error();
  Sub sub{std::move(*server), Form::lines, std::nullopt};
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
