// A WebSocket connection after its handshake: the corridor from bytes to the
// session and back. Frames in and out, heartbeats, limits, and the closing
// handshake (RFC 6455 sections 5.5 and 7).
//
// Owned by the transport's owner, on one worker; its end is the transport's to
// announce. An idle one owns no buffers.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include "base/wheel.hpp"
#include "session/session.hpp"
#include "session/transport.hpp"
#include "ws/receiver.hpp"

namespace paperboy::session {

/// How a connection ended, and what it carried: for its log line.
struct Summary {
  enum class Side : std::uint8_t { nobody, client, server };

  std::uint16_t code = close::kAbnormal;
  Side closed_by = Side::nobody;  // whose close came first
  std::string reason;
  std::uint64_t messages_received = 0;
  std::uint64_t messages_sent = 0;
  std::uint64_t bytes_received = 0;  // on the wire, after TLS
  std::uint64_t bytes_sent = 0;
};

class WebSocket final : private Outlet, private ws::MessageSink, private Timer {
 public:
  /// `context`, `settings` and `transport` must outlive this. `deflate`: as
  /// negotiated.
  WebSocket(Context& context, const Settings& settings, Transport& transport,
            const std::optional<ws::DeflateParams>& deflate);
  ~WebSocket() override;

  /// Before the 101: subscribes; an error refuses the upgrade.
  Result<Done> open(const Admission& admission);

  /// After the 101: heartbeats begin.
  void start();

  /// What the client sent; unmasked in place.
  void receive(std::span<char> bytes);

  /// The client ended its half, or the socket failed.
  void lost();

  /// The transport tried to send; call after each such turn.
  void flushed(std::size_t sent);

  /// The server goes away.
  void shut_down() { end({close::kGoingAway, "the server goes away"}); }

  [[nodiscard]] bool closing() const { return state_ != State::open; }
  [[nodiscard]] const Settings& settings() const { return session_.settings(); }
  [[nodiscard]] Summary summary() const;
  [[nodiscard]] std::string channels() const;
  [[nodiscard]] Bytes user() const override {
    return user_ ? Bytes(*user_) : Bytes();
  }

 private:
  enum class State : std::uint8_t {
    open,
    closing,   // our close frame is out, the client's is awaited
    finished,  // both are: the socket ends
  };
  struct Compression;
  struct Ending;

  // Outlet
  Encoder& encoder(bool events) override;
  void message(const dialect::Message& message) override;
  void run(const hub::Subscription& from, Bytes encoded,
           std::uint32_t count) override;
  void copied(const hub::Subscription& from, Bytes encoded,
              std::uint32_t count) override;
  void gap(const hub::Subscription& at) override;
  void end(const Close& close) override;
  void admitted(Bytes user, std::int64_t expires) override;
  void rearm() override;

  // ws::MessageSink
  bool on_message(Kind kind, Bytes data) override;
  bool on_ping(Bytes payload) override;
  bool on_pong(Bytes payload) override;
  bool on_close(const Close& close) override;

  // Timer
  void on_timer() override;

  bool passes(Bytes encoded, std::uint32_t count);
  void send(Bytes frames);
  void answer_close(const Close& close);
  void note_end(const Close& close, Summary::Side side);
  void drop(const Close& close);
  void finish();
  void catch_up();
  void arm();
  [[nodiscard]] std::uint64_t next_delay() const;
  void check_heartbeat(std::uint32_t at);
  void end_silent();
  bool over_limit(std::size_t more) const;
  [[nodiscard]] ws::ReceiverOptions receiver_options();
  [[nodiscard]] std::uint32_t now() const;

  Transport& transport_;
  Session session_;
  ws::Receiver receiver_;
  std::unique_ptr<Compression> compression_;  // where it was negotiated
  std::unique_ptr<Ending> ending_;            // once the end has begun
  std::unique_ptr<const std::string> user_;   // null: nobody in particular
  std::int64_t expires_ = 0;

  std::uint64_t messages_received_ = 0;
  std::uint64_t messages_sent_ = 0;
  std::uint64_t bytes_received_ = 0;
  std::uint64_t bytes_sent_ = 0;
  std::uint64_t stall_mark_ = 0;  // the last byte of the oldest backlog
  // In ticks of the wheel: small, since every connection has them.
  std::uint32_t heard_ = 0;    // when the client last sent anything
  std::uint32_t pinged_ = 0;   // when it was last pinged, or connected
  std::uint32_t stalled_ = 0;  // since when `stall_mark_` waits
  State state_ = State::open;
  bool waiting_ = false;   // for a pong
  bool stalling_ = false;  // there is a backlog
};

}  // namespace paperboy::session
