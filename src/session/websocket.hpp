// A WebSocket connection after its handshake: the corridor from bytes to the
// session and back. Frames in and out, heartbeats, limits, and the closing
// handshake (RFC 6455 sections 5.5 and 7).
//
// Its transport derives from it, or something that knows it. On one worker; its
// end is the transport's to announce. An idle one owns no buffers.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>

#include "session/link.hpp"
#include "ws/receiver.hpp"

namespace paperboy::session {

class WebSocket : public Link {
 public:
  /// `site` must outlive this. `deflate`: as negotiated.
  WebSocket(const Site& site, const std::optional<ws::DeflateParams>& deflate);
  ~WebSocket() override;

  /// After the 101: heartbeats begin.
  void start();

  /// What the client sent; unmasked in place.
  void receive(std::span<char> bytes);

  /// What the client sends may be compressed.
  [[nodiscard]] bool inflates() const { return compression() != nullptr; }

  [[nodiscard]] Summary summary() const override;
  [[nodiscard]] std::uint64_t messages_received() const {
    return messages_received_;
  }

 private:
  struct Compression;
  class Sink;

  // Outlet
  Encoder& encoder(bool events) override;
  void message(const dialect::Message& message) override;
  void run(const hub::Subscription& from, Bytes encoded,
           std::uint32_t count) override;
  void copied(const hub::Subscription& from, Bytes encoded,
              std::uint32_t count) override;
  void begins(const hub::Subscription& at, const Position& position) override;
  [[nodiscard]] bool tells_beginning() const override;
  void tell_gap(const hub::Subscription& at) override;

  // What the receiver makes of the client's bytes; see ws::MessageSink.
  void on_message(Kind kind, Bytes data);
  bool on_ping(Bytes payload);
  void on_close(const Close& close);

  // Link
  void say_end(const Close& close) override;
  [[nodiscard]] std::optional<std::uint64_t> heartbeat_in() const override;
  void heartbeat() override;
  void caught_up() override;

  /// Null: it wasn't negotiated.
  [[nodiscard]] Compression* compression() const;
  bool passes(Bytes encoded, std::uint32_t count);
  void end_silent();
  [[nodiscard]] ws::ReceiverOptions receiver_options();

  bool waiting_ = false;  // for a pong; in what Link leaves of its last word
  // The count lies in what the receiver leaves of its own.
  [[no_unique_address]] ws::Receiver receiver_;
  std::uint64_t messages_received_ : 48 = 0;
  std::uint64_t bytes_received_ : 48 = 0;
};

}  // namespace paperboy::session
