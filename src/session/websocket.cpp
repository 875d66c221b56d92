// Heartbeats: every ping_interval a ping; a client from which nothing at all
// has come ping_timeout later is gone. A client with a backlog isn't read
// from, so it isn't judged by its silence, but by whether each byte leaves
// within send_timeout.
#include "session/websocket.hpp"

#include <utility>

#include "hub/key.hpp"
#include "session/frame_encoder.hpp"

namespace paperboy::session {

/// What permessage-deflate asks a connection to remember.
struct WebSocket::Compression final : Papers::Extra {
  ws::DeflateParams params;
  // With context takeover: the window of what was sent. Broadcasts come from
  // the shared compressor and pass it by; then it is of no use any more.
  std::unique_ptr<ws::Deflater> own;
  bool window_broken = false;
};

/// The receiver's way back, made for each call: who has to be found by it all
/// the time would keep its address.
class WebSocket::Sink final : public ws::MessageSink {
 public:
  explicit Sink(WebSocket& socket) : socket_(socket) {}

  bool on_message(Kind kind, Bytes data) override {
    socket_.on_message(kind, data);
    return true;
  }
  bool on_ping(Bytes payload) override { return socket_.on_ping(payload); }
  bool on_pong(Bytes) override { return true; }
  bool on_close(const Close& close) override {
    socket_.on_close(close);
    return false;
  }

 private:
  WebSocket& socket_;
};

WebSocket::WebSocket(const Site& site,
                     const std::optional<ws::DeflateParams>& deflate)
    : Link(site) {
  if (!deflate) return;
  auto compression = std::make_unique<Compression>();
  compression->params = *deflate;
  if (!deflate->server_no_context_takeover) {
    compression->own = std::make_unique<ws::Deflater>(
        deflate->server_max_window_bits, site.settings.deflate.level);
  }
  need_papers().framing = std::move(compression);
}

WebSocket::~WebSocket() = default;

WebSocket::Compression* WebSocket::compression() const {
  return papers() ? static_cast<Compression*>(papers()->framing.get())
                  : nullptr;
}

void WebSocket::start() {
  beat_ = now();
  arm();
  // It may have ended while its 101 waited for the socket.
  if (state() == State::open && connected()) announce();
}

// ---- in --------------------------------------------------------------------

void WebSocket::receive(std::span<char> bytes) {
  bytes_received_ += bytes.size();
  context().counters.add(Counter::bytes_received, bytes.size());
  if (state() == State::finished) return;
  // Where an answer has longer than a ping is away, the timer is late for that.
  const bool answered = std::exchange(waiting_, false);
  if (answered && settings().ping_timeout_ms > settings().ping_interval_ms) {
    arm();
  }
  Warden* const limits = state() == State::open ? warden() : nullptr;
  if (limits != nullptr && !limits->bytes(bytes.size())) {
    // What it sends is read no further, its close frame neither.
    end(kTooManyRequests);
    finish();
    return;
  }
  Sink sink(*this);
  if (const auto violation = receiver_.feed(bytes, sink, receiver_options())) {
    // RFC 6455 section 7.1.7: fail the connection. The client isn't expected
    // to understand, so its close frame is not awaited.
    end(*violation);
    finish();
  }
}

ws::ReceiverOptions WebSocket::receiver_options() {
  ws::ReceiverOptions options;
  options.max_message_size = settings().max_message_size;
  if (const auto* const compression = this->compression()) {
    options.deflate = true;
    options.window_bits = compression->params.client_max_window_bits;
    if (compression->params.client_no_context_takeover) {
      options.inflater = &context().codecs.inflater();
    }
  }
  return options;
}

void WebSocket::on_message(Kind kind, Bytes data) {
  // After our close frame the client may still be talking: it is not heard.
  if (state() != State::open) return;
  ++messages_received_;
  context().counters.add(Counter::messages_received);
  Session::receive({kind, data});
}

bool WebSocket::on_ping(Bytes payload) {
  if (state() != State::open) return true;
  std::string pong;
  ws::append_frame(pong, ws::Opcode::pong, payload);
  send(pong);
  return state() != State::finished;
}

/// One that answers ours has got all that came before it.
void WebSocket::on_close(const Close& close) {
  if (state() == State::open) {
    begin_end(close, Summary::Side::client);
  } else {
    depart(0);
  }
  finish();
}

// ---- out -------------------------------------------------------------------

Encoder& WebSocket::encoder(bool events) {
  Variant variant{.dialect = settings().dialect, .events = events};
  if (const auto* const compression = this->compression()) {
    variant.window_bits = compression->params.server_max_window_bits;
    variant.level = settings().deflate.level;
    variant.threshold = settings().deflate_threshold;
  }
  return context().codecs.encoder(variant);
}

void WebSocket::message(const dialect::Message& message) {
  if (state() != State::open) return;
  ws::Deflater* deflater = nullptr;
  if (auto* const compression = this->compression()) {
    const auto& params = compression->params;
    deflater = compression->own
                   ? compression->own.get()
                   : &context().codecs.deflater(params.server_max_window_bits,
                                                settings().deflate.level);
    if (!compression->own || compression->window_broken) deflater->reset();
    compression->window_broken = false;
  }
  std::string frame;
  append_message(frame, message, deflater, settings().deflate_threshold);
  note_message();
  send(frame);
}

void WebSocket::run(const hub::Subscription&, Bytes encoded,
                    std::uint32_t count) {
  if (passes(encoded, count)) transport().write_shared(encoded);
}

void WebSocket::copied(const hub::Subscription&, Bytes encoded,
                       std::uint32_t count) {
  if (passes(encoded, count)) transport().write(encoded);
}

bool WebSocket::passes(Bytes encoded, std::uint32_t count) {
  if (!Link::passes(encoded, count)) return false;
  if (auto* const compression = this->compression()) {
    compression->window_broken = true;
  }
  return true;
}

void WebSocket::begins(const hub::Subscription& at, const Position& position) {
  std::string scratch;
  const auto told = settings().dialect->beginning(
      hub::channel_name(at.channel_name()), position, scratch);
  if (told) message(*told);
}

bool WebSocket::tells_beginning() const {
  std::string scratch;
  return settings().dialect->beginning({}, {}, scratch).has_value();
}

void WebSocket::tell_gap(const hub::Subscription&) {
  end({close::kInsufficientState, "messages were lost: subscribe again"});
}

// ---- the end ---------------------------------------------------------------

void WebSocket::say_end(const Close& close) {
  std::string frame;
  ws::append_close(frame, close);
  note_last_words(frame.size());
  transport().write(frame);
}

Summary WebSocket::summary() const {
  Summary summary = Link::summary();
  summary.messages_received = messages_received_;
  summary.bytes_received = bytes_received_;
  return summary;
}

// ---- time ------------------------------------------------------------------

/// A client that has read on may just have come to a ping: now it has its time
/// to answer.
void WebSocket::caught_up() {
  if (!waiting_) return;
  beat_ = now();
  arm();
}

std::optional<std::uint64_t> WebSocket::heartbeat_in() const {
  if (!connected()) return {};
  if (!waiting_) return left(beat_, settings().ping_interval_ms);
  if (stalling()) return {};
  return left(beat_, settings().ping_timeout_ms);
}

void WebSocket::heartbeat() {
  if (!connected() || heartbeat_in() != 0U) return;
  if (waiting_ && !transport().unread()) {
    end_silent();
    return;
  }
  beat_ = now();
  // A worker that is behind may not have come to read the answer.
  if (std::exchange(waiting_, true)) return;
  std::string ping;
  if (const auto heartbeat = settings().dialect->heartbeat()) {
    append_message(ping, *heartbeat, nullptr, 0);
  } else {
    ws::append_frame(ping, ws::Opcode::ping, {});
  }
  send(ping);
}

/// A client that has to answer a message may be there and only not have done
/// so: it is told. One that leaves a WebSocket's own ping is not.
void WebSocket::end_silent() {
  const Close close{close::kNoPong, "no answer to a ping"};
  if (settings().dialect->heartbeat()) {
    end(close);
  } else {
    drop(close);
  }
}

}  // namespace paperboy::session
