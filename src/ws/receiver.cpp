// One function a state: header() until a frame's header is whole, payload()
// until its payload is. A frame that lies whole in the input is taken where it
// lies; of one that doesn't, what has arrived is kept in State.
#include "ws/receiver.hpp"

#include <algorithm>
#include <array>
#include <limits>
#include <string>
#include <utility>

#include "base/utf8.hpp"

namespace paperboy::ws {

namespace {

using Check = std::optional<Close>;

constexpr Close kNotUtf8{close::kInvalidPayload, "text is not UTF-8"};
constexpr Close kTooBig{close::kTooBig, "message too big"};

// Deflate may make a message longer: by an eighth where every literal takes
// nine bits, and by the heads of its blocks.
std::size_t compressed_limit(std::size_t limit) {
  const std::size_t more = limit / 8 + 64;
  return limit +
         std::min(more, std::numeric_limits<std::size_t>::max() - limit);
}

// Section 7.4: below 1000 nothing is defined; 1004, 1005, 1006 and 1015 are
// reserved; of the rest below 3000, IANA has named those up to 1014.
bool may_be_received(unsigned code) {
  if (code >= 3000) return code < 5000;
  return code >= 1000 && code <= 1014 && (code < 1004 || code > 1006);
}

Bytes to_bytes(std::span<const char> in) { return {in.data(), in.size()}; }

Kind kind_of(Opcode opcode) {
  return opcode == Opcode::text ? Kind::text : Kind::binary;
}

Check to_close(InflateResult result) {
  switch (result) {
    case InflateResult::ok:
      break;
    case InflateResult::too_big:
      return kTooBig;
    case InflateResult::invalid:
      return Close{close::kInvalidPayload, "message does not inflate"};
    case InflateResult::no_memory:
      return Close{close::kInternal, "no memory to inflate"};
  }
  return std::nullopt;
}

}  // namespace

struct Receiver::State {
  // A header of which a part has arrived.
  std::array<char, kMaxClientHeader> head;
  std::size_t head_size = 0;

  // The frame whose payload is arriving.
  bool in_frame = false;
  FrameHeader frame;
  std::uint64_t arrived = 0;
  std::string control;  // payload of a control frame

  // The message whose frames are arriving.
  bool in_message = false;
  Kind kind = Kind::text;
  bool compressed = false;
  Utf8 utf8;
  std::string message;

  std::unique_ptr<Inflater> inflater;  // with context takeover

  [[nodiscard]] bool idle() const {
    return head_size == 0 && !in_frame && !in_message;
  }
};

/// One call of feed().
class Receiver::Run {
 public:
  Run(Receiver& receiver, std::span<char> in, MessageSink& sink,
      const ReceiverOptions& options)
      : receiver_(receiver), in_(in), sink_(sink), options_(options) {}

  Check all() {
    while (!in_.empty() && !receiver_.closed_) {
      const bool in_frame = receiver_.state_ && receiver_.state_->in_frame;
      if (const Check bad = in_frame ? payload() : header()) return bad;
    }
    return std::nullopt;
  }

 private:
  State& state() {
    if (!receiver_.state_) receiver_.state_ = std::make_unique<State>();
    return *receiver_.state_;
  }

  [[nodiscard]] bool in_message() const {
    return receiver_.state_ && receiver_.state_->in_message;
  }

  std::span<char> take(std::size_t size) {
    const std::span<char> taken = in_.first(size);
    in_ = in_.subspan(size);
    return taken;
  }

  Check header() {
    if (receiver_.state_ && receiver_.state_->head_size > 0) {
      return rest_of_header();
    }
    const auto parsed =
        parse_header(to_bytes(in_), options_.deflate, options_.sender);
    if (!parsed) return parsed.error();
    if (*parsed) {
      take((*parsed)->size);
      return begin(**parsed);
    }
    return keep_head(in_.size());
  }

  // Byte by byte, since only the header itself says where it ends.
  Check rest_of_header() {
    State& state = this->state();
    while (!in_.empty()) {
      keep_head(1);
      const auto parsed = parse_header({state.head.data(), state.head_size},
                                       options_.deflate, options_.sender);
      if (!parsed) return parsed.error();
      if (!*parsed) continue;
      state.head_size = 0;
      return begin(**parsed);
    }
    return std::nullopt;
  }

  Check keep_head(std::size_t size) {
    State& state = this->state();
    const std::span<char> bytes = take(size);
    std::copy(bytes.begin(), bytes.end(), state.head.begin() + state.head_size);
    state.head_size += size;
    return std::nullopt;
  }

  Check begin(const FrameHeader& frame) {
    if (const Check bad = check_place(frame)) return bad;
    const bool whole = frame.length <= in_.size();
    const bool data = !is_control(frame.opcode);
    if (data && frame.opcode != Opcode::continuation) {
      if (whole && frame.fin) return whole_message(frame);
      open_message(frame);
    }
    if (whole) return piece(frame, frame.length, 0);
    State& state = this->state();
    state.in_frame = true;
    state.frame = frame;
    state.arrived = 0;
    return std::nullopt;
  }

  // Section 5.4, and the limit before anything is kept.
  Check check_place(const FrameHeader& frame) {
    if (is_control(frame.opcode)) return std::nullopt;
    const bool continues = frame.opcode == Opcode::continuation;
    if (continues && !in_message()) {
      return Close{close::kProtocolError, "continuation of no message"};
    }
    if (!continues && in_message()) {
      return Close{close::kProtocolError, "message within a message"};
    }
    const bool compressed =
        continues ? receiver_.state_->compressed : frame.rsv1;
    const std::size_t limit = compressed
                                  ? compressed_limit(options_.max_message_size)
                                  : options_.max_message_size;
    const std::size_t before = continues ? receiver_.state_->message.size() : 0;
    if (before > limit || frame.length > limit - before) return kTooBig;
    return std::nullopt;
  }

  void open_message(const FrameHeader& frame) {
    State& state = this->state();
    state.in_message = true;
    state.kind = kind_of(frame.opcode);
    state.compressed = frame.rsv1;
    state.utf8.reset();
  }

  Check payload() {
    State& state = *receiver_.state_;
    const std::uint64_t offset = state.arrived;
    const auto size = static_cast<std::size_t>(
        std::min<std::uint64_t>(in_.size(), state.frame.length - offset));
    state.arrived += size;
    state.in_frame = state.arrived < state.frame.length;
    return piece(state.frame, size, offset);
  }

  // The next `size` bytes of a frame's payload, before which came `offset`.
  Check piece(const FrameHeader& frame, std::size_t size,
              std::uint64_t offset) {
    const std::span<char> bytes = take(size);
    unmask(bytes.data(), size, frame.mask, offset);
    const bool last = offset + size == frame.length;
    return is_control(frame.opcode)
               ? control_piece(frame.opcode, to_bytes(bytes), last)
               : data_piece(to_bytes(bytes), frame.fin && last);
  }

  Check data_piece(Bytes bytes, bool last) {
    State& state = *receiver_.state_;
    const bool text = state.kind == Kind::text && !state.compressed;
    if (text && !state.utf8.feed(bytes)) return kNotUtf8;
    if (!last) {
      state.message.append(bytes);
      return std::nullopt;
    }
    if (text && !state.utf8.complete()) return kNotUtf8;
    state.in_message = false;
    if (state.message.empty()) return finish(bytes);
    state.message.append(bytes);
    const std::string message = std::exchange(state.message, {});
    return finish(message);
  }

  Check finish(Bytes data) {
    const State& state = *receiver_.state_;
    return state.compressed ? inflate(state.kind, data)
                            : hand(state.kind, data);
  }

  Check whole_message(const FrameHeader& frame) {
    const std::span<char> bytes = take(frame.length);
    unmask(bytes.data(), bytes.size(), frame.mask, 0);
    const Kind kind = kind_of(frame.opcode);
    if (frame.rsv1) return inflate(kind, to_bytes(bytes));
    if (kind == Kind::text && !is_utf8(to_bytes(bytes))) return kNotUtf8;
    return hand(kind, to_bytes(bytes));
  }

  Check inflate(Kind kind, Bytes data) {
    std::string message;
    const InflateResult result =
        inflater().inflate(data, options_.max_message_size, message);
    if (const Check bad = to_close(result)) return bad;
    if (kind == Kind::text && !is_utf8(message)) return kNotUtf8;
    return hand(kind, message);
  }

  Inflater& inflater() {
    if (options_.inflater != nullptr) {
      options_.inflater->reset();
      return *options_.inflater;
    }
    auto& own = state().inflater;
    if (!own) own = std::make_unique<Inflater>(options_.window_bits);
    return *own;
  }

  Check hand(Kind kind, Bytes data) {
    return after(sink_.on_message(kind, data));
  }

  Check after(bool goes_on) {
    receiver_.closed_ = !goes_on;
    return std::nullopt;
  }

  Check control_piece(Opcode opcode, Bytes bytes, bool last) {
    const bool begun = receiver_.state_ && !receiver_.state_->control.empty();
    if (last && !begun) return control(opcode, bytes);
    State& state = this->state();
    state.control.append(bytes);
    if (!last) return std::nullopt;
    const std::string whole = std::exchange(state.control, {});
    return control(opcode, whole);
  }

  Check control(Opcode opcode, Bytes data) {
    if (opcode == Opcode::ping) return after(sink_.on_ping(data));
    if (opcode == Opcode::pong) return after(sink_.on_pong(data));
    return closing(data);
  }

  // Section 5.5.1.
  Check closing(Bytes data) {
    Close close{close::kNoStatus, {}};
    if (data.size() == 1) {
      return Close{close::kProtocolError, "close frame of one byte"};
    }
    if (data.size() >= 2) {
      const auto high = static_cast<unsigned char>(data[0]);
      const auto low = static_cast<unsigned char>(data[1]);
      close = {static_cast<std::uint16_t>(high << 8 | low), data.substr(2)};
      if (!may_be_received(close.code)) {
        return Close{close::kProtocolError, "close code out of range"};
      }
      if (!is_utf8(close.reason)) {
        return Close{close::kInvalidPayload, "close reason is not UTF-8"};
      }
    }
    sink_.on_close(close);
    return after(false);
  }

  Receiver& receiver_;
  std::span<char> in_;
  MessageSink& sink_;
  const ReceiverOptions& options_;
};

Receiver::Receiver() = default;
Receiver::Receiver(Receiver&& other) noexcept = default;
Receiver& Receiver::operator=(Receiver&& other) noexcept = default;
Receiver::~Receiver() = default;

std::optional<Close> Receiver::feed(std::span<char> in, MessageSink& sink,
                                    const ReceiverOptions& options) {
  if (closed_) return std::nullopt;
  const Check bad = Run(*this, in, sink, options).all();
  if (bad) closed_ = true;
  const bool keep = state_ && (!state_->idle() || state_->inflater);
  if (closed_ || !keep) state_.reset();
  return bad;
}

bool Receiver::idle() const { return !state_ || state_->idle(); }

}  // namespace paperboy::ws
