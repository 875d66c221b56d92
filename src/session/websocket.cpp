// Heartbeats: every ping_interval a ping; a client from which nothing at all
// has come ping_timeout later is gone. A client with a backlog isn't read
// from, so it isn't judged by its silence, but by whether each byte leaves
// within send_timeout.
#include "session/websocket.hpp"

#include <algorithm>

#include "session/frame_encoder.hpp"

namespace paperboy::session {

namespace {

constexpr std::uint64_t kTick = Wheel::kTickMs;

constexpr std::uint32_t ticks(std::uint64_t ms) {
  return static_cast<std::uint32_t>((ms + kTick - 1) / kTick);
}

}  // namespace

/// What permessage-deflate asks a connection to remember.
struct WebSocket::Compression {
  ws::DeflateParams params;
  // With context takeover: the window of what was sent. Broadcasts come from
  // the shared compressor and pass it by; then it is of no use any more.
  std::unique_ptr<ws::Deflater> own;
  bool window_broken = false;
};

struct WebSocket::Ending {
  std::uint16_t code;
  Summary::Side side;
  std::string reason;
  std::string channels;  // it was in when the end began
};

std::string WebSocket::channels() const {
  return ending_ ? ending_->channels : session_.channels();
}

WebSocket::WebSocket(Context& context, const Settings& settings,
                     Transport& transport,
                     const std::optional<ws::DeflateParams>& deflate)
    : transport_(transport), session_(context, settings, *this) {
  if (!deflate) return;
  compression_ = std::make_unique<Compression>();
  compression_->params = *deflate;
  if (!deflate->server_no_context_takeover) {
    compression_->own = std::make_unique<ws::Deflater>(
        deflate->server_max_window_bits, settings.deflate.level);
  }
}

WebSocket::~WebSocket() = default;

Result<Done> WebSocket::open(const Admission& admission) {
  if (!admission.user.empty()) {
    user_ = std::make_unique<const std::string>(admission.user);
  }
  expires_ = admission.expires;
  return session_.open(admission);
}

void WebSocket::admitted(Bytes user, std::int64_t expires) {
  if (user.empty()) {
    user_.reset();
  } else if (user != this->user()) {
    user_ = std::make_unique<const std::string>(user);
  }
  expires_ = expires;
  pinged_ = now();
  arm();
}

void WebSocket::rearm() {
  if (state_ == State::open) arm();
}

void WebSocket::start() {
  heard_ = pinged_ = now();
  arm();
}

std::uint32_t WebSocket::now() const {
  return static_cast<std::uint32_t>(session_.context().clock.monotonic_ms() /
                                    kTick);
}

// ---- in --------------------------------------------------------------------

void WebSocket::receive(std::span<char> bytes) {
  bytes_received_ += bytes.size();
  session_.context().counters.add(Counter::bytes_received, bytes.size());
  if (state_ == State::finished) return;
  // The closing handshake has its time, however much the client says.
  if (state_ == State::open) heard_ = now();
  waiting_ = false;
  if (const auto violation = receiver_.feed(bytes, *this, receiver_options())) {
    // RFC 6455 section 7.1.7: fail the connection. The client isn't expected
    // to understand, so its close frame is not awaited.
    end(*violation);
    finish();
  }
}

ws::ReceiverOptions WebSocket::receiver_options() {
  ws::ReceiverOptions options;
  options.max_message_size = settings().max_message_size;
  if (compression_) {
    options.deflate = true;
    options.window_bits = compression_->params.client_max_window_bits;
    if (compression_->params.client_no_context_takeover) {
      options.inflater = &session_.context().codecs.inflater();
    }
  }
  return options;
}

bool WebSocket::on_message(Kind kind, Bytes data) {
  // After our close frame the client may still be talking: it is not heard.
  if (state_ != State::open) return true;
  ++messages_received_;
  session_.context().counters.add(Counter::messages_received);
  session_.receive({kind, data});
  return true;
}

bool WebSocket::on_ping(Bytes payload) {
  if (state_ != State::open) return true;
  std::string pong;
  ws::append_frame(pong, ws::Opcode::pong, payload);
  send(pong);
  return state_ != State::finished;
}

bool WebSocket::on_pong(Bytes) { return true; }

bool WebSocket::on_close(const Close& close) {
  note_end(close, Summary::Side::client);
  if (state_ == State::open) answer_close(close);
  finish();
  return false;
}

void WebSocket::lost() {
  note_end({close::kAbnormal, {}}, Summary::Side::client);
  state_ = State::finished;
  transport_.abort();
}

// ---- out -------------------------------------------------------------------

Encoder& WebSocket::encoder(bool events) {
  Variant variant{.dialect = settings().dialect, .events = events};
  if (compression_) {
    variant.window_bits = compression_->params.server_max_window_bits;
    variant.level = settings().deflate.level;
    variant.threshold = settings().deflate_threshold;
  }
  return session_.context().codecs.encoder(variant);
}

void WebSocket::message(const dialect::Message& message) {
  if (state_ != State::open) return;
  ws::Deflater* deflater = nullptr;
  if (compression_) {
    const auto& params = compression_->params;
    deflater = compression_->own ? compression_->own.get()
                                 : &session_.context().codecs.deflater(
                                       params.server_max_window_bits,
                                       settings().deflate.level);
    if (!compression_->own || compression_->window_broken) deflater->reset();
    compression_->window_broken = false;
  }
  std::string frame;
  append_message(frame, message, deflater, settings().deflate_threshold);
  ++messages_sent_;
  session_.context().counters.add(Counter::messages_sent);
  send(frame);
}

void WebSocket::run(const hub::Subscription&, Bytes encoded,
                    std::uint32_t count) {
  if (passes(encoded, count)) transport_.write_shared(encoded);
}

void WebSocket::copied(const hub::Subscription&, Bytes encoded,
                       std::uint32_t count) {
  if (passes(encoded, count)) transport_.write(encoded);
}

/// Counts publications that are about to be sent; false: they can't be.
bool WebSocket::passes(Bytes encoded, std::uint32_t count) {
  if (state_ != State::open) return false;
  if (over_limit(encoded.size())) {
    drop({close::kSlow, "the client reads too slowly"});
    return false;
  }
  messages_sent_ += count;
  session_.context().counters.add(Counter::messages_sent, count);
  if (compression_) compression_->window_broken = true;
  return true;
}

void WebSocket::gap(const hub::Subscription&) {
  end({close::kInsufficientState, "messages were lost: subscribe again"});
}

void WebSocket::send(Bytes frames) {
  if (over_limit(frames.size())) {
    drop({close::kSlow, "the client reads too slowly"});
  } else {
    transport_.write(frames);
  }
}

/// What has not been tried yet doesn't count: `flushed` judges what is left.
bool WebSocket::over_limit(std::size_t more) const {
  const std::size_t backlog = transport_.backlog();
  return backlog != 0 && backlog + more > settings().send_buffer;
}

void WebSocket::flushed(std::size_t sent) {
  bytes_sent_ += sent;
  session_.context().counters.add(Counter::bytes_sent, sent);
  const std::size_t backlog = transport_.backlog();
  // No fan-out is under way here.
  if (state_ != State::open) {
    session_.leave();
    return;
  }
  session_.settle();
  if (backlog == 0) {
    catch_up();
  } else if (!stalling_ || bytes_sent_ >= stall_mark_) {
    stalling_ = true;
    stalled_ = now();
    stall_mark_ = bytes_sent_ + backlog;
    arm();
  }
}

/// A client that has read on may just have come to a ping: now it has its time
/// to answer.
void WebSocket::catch_up() {
  if (stalling_ && waiting_) {
    pinged_ = now();
    stalling_ = false;
    arm();
  }
  stalling_ = false;
}

// ---- the end ---------------------------------------------------------------

void WebSocket::end(const Close& close) {
  if (state_ != State::open) return;
  const Close told = settings().dialect->closing(close);
  note_end(told, Summary::Side::server);
  answer_close(told);
}

void WebSocket::answer_close(const Close& close) {
  std::string frame;
  ws::append_close(frame, close);
  state_ = State::closing;
  transport_.write(frame);
  heard_ = now();
  arm();
}

void WebSocket::note_end(const Close& close, Summary::Side side) {
  if (ending_) return;
  ending_ = std::make_unique<Ending>(
      Ending{close.code, side, std::string(close.reason), session_.channels()});
}

/// Both close frames are out (RFC 6455 section 7.1.1: the server closes the
/// TCP connection first).
void WebSocket::finish() {
  if (state_ == State::finished) return;
  state_ = State::finished;
  transport_.finish();
}

/// For a client that doesn't take what it is sent, not even a close frame.
void WebSocket::drop(const Close& close) {
  note_end(settings().dialect->closing(close), Summary::Side::server);
  state_ = State::finished;
  transport_.abort();
}

Summary WebSocket::summary() const {
  Summary summary;
  if (ending_) {
    summary.code = ending_->code;
    summary.closed_by = ending_->side;
    summary.reason = ending_->reason;
  }
  summary.messages_received = messages_received_;
  summary.messages_sent = messages_sent_;
  summary.bytes_received = bytes_received_;
  summary.bytes_sent = bytes_sent_;
  return summary;
}

// ---- time ------------------------------------------------------------------

void WebSocket::on_timer() {
  const std::uint32_t at = now();
  if (state_ != State::open) {
    if (at - heard_ >= ticks(settings().close_timeout_ms)) {
      transport_.abort();
    } else {
      arm();
    }
    return;
  }
  if (expires_ != 0 && session_.context().clock.unix_seconds() >= expires_) {
    end({close::kExpired, "the token has expired"});
    return;
  }
  if (stalling_ && at - stalled_ >= ticks(settings().send_timeout_ms)) {
    drop({close::kSlow, "the client reads too slowly"});
    return;
  }
  session_.on_time();
  if (state_ == State::open) check_heartbeat(at);
  if (state_ == State::open) arm();
}

void WebSocket::check_heartbeat(std::uint32_t at) {
  if (!session_.connected()) return;
  if (waiting_ && !stalling_ &&
      at - pinged_ >= ticks(settings().ping_timeout_ms)) {
    end_silent();
    return;
  }
  if (waiting_ || at - pinged_ < ticks(settings().ping_interval_ms)) return;
  waiting_ = true;
  pinged_ = at;
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

void WebSocket::arm() {
  const Context& context = session_.context();
  context.wheel.arm(*this, context.clock.monotonic_ms(), next_delay());
}

std::uint64_t WebSocket::next_delay() const {
  const std::uint32_t at = now();
  const auto left = [at](std::uint32_t since, std::uint64_t ms) {
    const std::uint32_t gone = at - since;
    return gone >= ticks(ms) ? 0 : (ticks(ms) - gone) * kTick;
  };
  const Settings& limits = settings();
  if (state_ != State::open) return left(heard_, limits.close_timeout_ms);
  const auto due = session_.due_in();
  std::uint64_t delay = session_.connected()
                            ? left(pinged_, waiting_ ? limits.ping_timeout_ms
                                                     : limits.ping_interval_ms)
                            : limits.connect_timeout_ms;
  if (stalling_) {
    const std::uint64_t stall = left(stalled_, limits.send_timeout_ms);
    delay = waiting_ ? stall : std::min(delay, stall);
  }
  if (due) delay = std::min(delay, *due);
  if (expires_ != 0) {
    const auto seconds = expires_ - session_.context().clock.unix_seconds();
    delay = std::min<std::uint64_t>(
        delay, seconds <= 0 ? 0 : static_cast<std::uint64_t>(seconds) * 1000);
  }
  return delay;
}

}  // namespace paperboy::session
