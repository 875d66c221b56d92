// What every connection has, whatever its framing: its session, limits to what
// waits for its client, its times, and how it ended. A framing derives from
// it: WebSocket, EventStream.
//
// Owned by the transport's owner, or a part of it, on one worker; its end is
// the transport's to announce. An idle one owns no buffers.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "base/wheel.hpp"
#include "session/session.hpp"
#include "session/transport.hpp"

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

class Link : protected Session, private Timer {
 public:
  ~Link() override;

  /// Before the client is answered: subscribes; an error refuses it.
  Result<Done> open(const Admission& admission);

  /// For the worker's wheel, whose timers are all of these.
  static void on_due(Timer& timer) { static_cast<Link&>(timer).on_timer(); }

  /// The client ended its half, or the transport failed.
  void lost();

  /// The transport tried to send; call after each such turn.
  void flushed(std::size_t sent);

  /// The server goes away.
  void shut_down() { end({close::kGoingAway, "the server goes away"}); }

  /// A back end's order, where it is meant. Not from within a fan-out.
  void obey(const hub::Order& order) {
    if (state_ == State::open) Session::obey(order);
  }
  void recheck() {
    if (state_ == State::open) Session::recheck();
  }

  /// The connection is over, or its client has said that it has all. Of what it
  /// was sent it hasn't got `unreceived` bytes. Not from within a fan-out.
  /// True: that was noted, for when it comes back.
  bool depart(std::size_t unreceived);

  /// Whether there is anything to note of its departure.
  [[nodiscard]] bool departs() const;

  [[nodiscard]] bool closing() const { return state_ != State::open; }
  using Session::settings;
  using Session::site;
  using Session::user;
  [[nodiscard]] virtual Summary summary() const;
  [[nodiscard]] std::string channels() const;

 protected:
  enum class State : std::uint8_t {
    open,
    closing,   // our last words are out, the client's are awaited
    finished,  // nothing is: the transport ends
  };

  /// Must outlive this.
  explicit Link(const Site& site) : Session(site) {}

  /// What carries its bytes: whoever derives from a framing knows where it is,
  /// so that none has to keep that. Outlives this; isn't asked for by its
  /// constructors and destructors.
  [[nodiscard]] virtual Transport& transport() = 0;

  // What framings differ in.

  /// Sends the last words. The state is `closing`.
  virtual void say_end(const Close& close) = 0;
  /// Milliseconds until `heartbeat` has something to do; none: nothing.
  [[nodiscard]] virtual std::optional<std::uint64_t> heartbeat_in() const = 0;
  virtual void heartbeat() = 0;
  /// A client that had a backlog has none any more.
  virtual void caught_up() {}

  // Outlet
  void end(const Close& close) override;
  bool admitted(Bytes user, std::int64_t expires) override;
  void marked(const auth::TokenMark& mark) override;
  bool limited(const auth::Allowance& limits, Bytes user) override;
  void rearm() override;
  void refused(const Error& why) override;
  void note(Bytes what) override { transport().note(what); }
  [[nodiscard]] Warden* warden() override { return transport().warden(); }

  /// Counts publications that are about to be sent; false: they can't be.
  bool passes(Bytes encoded, std::uint32_t count);
  /// Ends it where the client doesn't take that much.
  void send(Bytes bytes);
  void begin_end(const Close& close, Summary::Side side);
  void note_end(const Close& close, Summary::Side side);
  void drop(const Close& close);
  void note_last_words(std::size_t bytes);
  void finish();
  void arm();

  [[nodiscard]] State state() const { return state_; }
  /// It has a backlog.
  [[nodiscard]] bool stalling() const { return rare() && rare()->stall; }
  void note_message();

  // Times of the wheel are kept in its ticks: small, since all have them.
  [[nodiscard]] std::uint32_t now() const;
  [[nodiscard]] static std::uint32_t ticks(std::uint64_t ms);
  /// Milliseconds that are left of `ms`, which began at `since`.
  [[nodiscard]] std::uint64_t left(std::uint32_t since, std::uint64_t ms) const;

  // In the last word of Timer, which has room for it.
  std::uint32_t beat_ = 0;  // when the last heartbeat was, or the end began

 private:
  struct Ending {
    std::uint16_t code;
    Summary::Side side;
    std::string reason;
    std::string channels;                       // it was in when the end began
    std::unique_ptr<hub::Departure> departure;  // to be noted; null: nothing
    std::size_t last_words = 0;                 // bytes
  };

  struct Stall {
    std::uint64_t mark;   // the last byte of the oldest backlog
    std::uint32_t since;  // that it waits
  };

  /// What few connections have, or for a short time.
  struct Rare final : Papers::Extra {
    std::optional<Ending> ending;  // once the end has begun
    std::optional<Stall> stall;    // as long as there is a backlog
  };

  void on_timer();
  void leave_all();

  /// Null: nothing of the kind.
  [[nodiscard]] Rare* rare() const {
    return papers() ? static_cast<Rare*>(papers()->link.get()) : nullptr;
  }
  Rare& need_rare();
  void tidy();
  [[nodiscard]] Ending* ending() const {
    return rare() && rare()->ending ? &*rare()->ending : nullptr;
  }
  bool over_limit(std::size_t more);
  [[nodiscard]] std::uint64_t next_delay() const;

  std::uint64_t bytes_sent_ : 48 = 0;  // one word with what follows
  State state_ : 8 = State::open;
};

}  // namespace paperboy::session
