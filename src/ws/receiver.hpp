// From a peer's bytes to messages: frames are read, unmasked, put together,
// inflated and checked (RFC 6455 sections 5 to 8, RFC 7692 section 6.2).
//
// One a connection, owned by it, for its whole life on one worker. An idle one
// owns no memory: what is incomplete lies on the heap until it is complete,
// and grows with what has arrived, never with what a header announces. Only
// with client context takeover a window stays (from the first compressed
// message on).
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <span>

#include "base/bytes.hpp"
#include "base/close.hpp"
#include "base/publication.hpp"
#include "ws/deflate.hpp"
#include "ws/frame.hpp"

namespace paperboy::ws {

/// The same at every call for a connection, but for the limit.
struct ReceiverOptions {
  /// In bytes: of a message put together, and of what it inflates to.
  std::size_t max_message_size = 65536;
  /// Whose bytes are fed.
  Sender sender = Sender::client;
  /// permessage-deflate was negotiated.
  bool deflate = false;
  /// Inflates where client_no_context_takeover was agreed: one for all
  /// connections of a worker, with kMaxWindowBits. Null: the receiver makes
  /// one of its own at the first compressed message and keeps it.
  Inflater* inflater = nullptr;
  /// Of the receiver's own inflater: DeflateParams::client_max_window_bits.
  int window_bits = kMaxWindowBits;
};

/// Where messages go. Bytes are borrowed for the call. False: the connection
/// is over, nothing more is handed out. The receiver must outlive the call.
class MessageSink {
 public:
  MessageSink() = default;
  MessageSink(const MessageSink&) = delete;
  MessageSink& operator=(const MessageSink&) = delete;
  virtual ~MessageSink() = default;

  virtual bool on_message(Kind kind, Bytes data) = 0;  // text: is UTF-8
  virtual bool on_ping(Bytes payload) = 0;
  virtual bool on_pong(Bytes payload) = 0;
  /// The peer's close frame; kNoStatus where it was empty. What comes after
  /// it is ignored (section 5.5.1).
  virtual bool on_close(const Close& close) = 0;
};

class Receiver {
 public:
  Receiver();
  Receiver(Receiver&& other) noexcept;
  Receiver& operator=(Receiver&& other) noexcept;
  ~Receiver();

  /// Takes all of `in`, which is unmasked in place. A Close (with a static
  /// reason) when the peer broke the protocol: 1002, 1007 (not UTF-8, not
  /// deflate), 1009 (too big; from the frame's header on), 1011 (no memory to
  /// inflate). Whatever is fed after that is ignored.
  std::optional<Close> feed(std::span<char> in, MessageSink& sink,
                            const ReceiverOptions& options);

  /// True after a close frame, a violation, or a sink that returned false.
  [[nodiscard]] bool closed() const { return closed_; }

  /// True between messages.
  [[nodiscard]] bool idle() const;

 private:
  struct State;
  class Run;

  std::unique_ptr<State> state_;  // null while nothing is incomplete
  bool closed_ = false;
};

}  // namespace paperboy::ws
