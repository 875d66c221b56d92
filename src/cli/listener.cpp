// One loop: read, hand to the receiver, print, answer.
#include "cli/listener.hpp"

#include <span>

#include "cli/advice.hpp"
#include "cli/handshake.hpp"
#include "cli/input.hpp"
#include "cli/interrupt.hpp"
#include "cli/output.hpp"
#include "cli/words.hpp"
#include "ws/receiver.hpp"

namespace paperboy::cli {

namespace {

constexpr std::chrono::milliseconds kFarewell{2000};

class Listener : public ws::MessageSink {
 public:
  Listener(const Server& server, Connection& connection, MessageReader& reader)
      : server_(server), connection_(connection), reader_(reader) {}

  Exit listen(std::string in) {
    reader_.begin(output_);
    while (true) {
      if (const auto exit = take(in)) return *exit;
      in.clear();
      const auto event = connection_.read(in, patience(), &interrupt_);
      if (!event) return lost(event.error().text);
      if (*event == Connection::Event::end) return lost("the server hung up");
      if (*event == Connection::Event::timeout) return lost("it is silent");
      if (*event == Connection::Event::interrupt) return say_goodbye();
    }
  }

  bool on_message(Kind kind, Bytes data) override {
    verdict_ = reader_.on_message(kind, data, output_);
    return !verdict_;
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
    if (!write_through(output_.print, interrupt_)) return say_goodbye();
    output_.print.clear();
    if (bad) return broken(*bad);
    if (close_) return closed();
    if (verdict_) return *verdict_ ? say_goodbye() : give_up(verdict_->error());
    return answer();
  }

  std::optional<Exit> answer() {
    for (const std::string& text : output_.say) {
      ws::append_client_frame(out_, ws::Opcode::text, text, new_masking_key());
    }
    output_.say.clear();
    if (out_.empty()) return std::nullopt;
    const auto sent = connection_.write(out_, server_.deadline());
    out_.clear();
    if (!sent) return lost(sent.error().text);
    return std::nullopt;
  }

  [[nodiscard]] Deadline patience() const {
    const auto time = reader_.patience();
    return time ? within(*time) : std::nullopt;
  }

  Exit closed() {
    goodbye({*close_, {}});
    std::string text = "closed by the server: " + std::to_string(*close_);
    if (!reason_.empty()) text += " " + printable(reason_);
    if (const Bytes why = reader_.explain(*close_); !why.empty()) {
      text.append(": ").append(why);
    }
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

  Exit give_up(const Failure& why) {
    goodbye({close::kNormal, {}});
    return fail_with(why);
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

  const Server& server_;
  Connection& connection_;
  MessageReader& reader_;
  Interrupt interrupt_;
  ws::Receiver receiver_;
  MessageReader::Output output_;
  std::string out_;  // frames to be sent
  MessageReader::Verdict verdict_;
  std::optional<std::uint16_t> close_;
  std::string reason_;
};

}  // namespace

Exit listen(const Server& server, Connection& connection, MessageReader& reader,
            std::string in) {
  return Listener(server, connection, reader).listen(std::move(in));
}

}  // namespace paperboy::cli
