// One connection to one server: it logs in, sends commands one behind another,
// and hands their answers out in order. What listens gets pushed messages in
// between. Owned by what uses it, which outlives it and doesn't destroy it
// within one of its events; once lost, it is of no use.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <span>
#include <string>

#include "broker/redis_network.hpp"
#include "broker/redis_options.hpp"
#include "broker/redis_reply.hpp"

namespace paperboy::broker::redis {

class ConnectionEvents {
 public:
  ConnectionEvents() = default;
  ConnectionEvents(const ConnectionEvents&) = delete;
  ConnectionEvents& operator=(const ConnectionEvents&) = delete;
  virtual ~ConnectionEvents() = default;

  /// Logged in: commands go out.
  virtual void on_ready() = 0;
  /// False: the reply is no pushed message, but the next command's answer.
  virtual bool on_push(const Reply& reply) = 0;
  /// The last event; what had no answer has been told so.
  virtual void on_lost(Bytes why) = 0;
};

/// Who logs in, and where to.
struct Login {
  std::string user;
  std::string password;
  std::uint32_t database = 0;
};

class Connection final : private WireEvents {
 public:
  /// Begins to connect. All of it must outlive the connection but `login`.
  Connection(Network& network, const Options& options, const Server& server,
             const Login& login, ConnectionEvents& events);

  [[nodiscard]] bool is_ready() const { return state_ == State::ready; }
  [[nodiscard]] bool is_lost() const { return state_ == State::lost; }
  [[nodiscard]] bool is_idle() const { return owed_.empty(); }

  /// Sends a whole command. `handler` is called with each of its `answers`; an
  /// answer that is an error is the last one, and so is an Error. Where they
  /// aren't all there within the options' time and `more_ms`, the connection
  /// is lost. REQUIRES: is_ready().
  void send(Bytes command, ReplyHandler handler, std::size_t answers = 1,
            std::uint64_t more_ms = 0);

  /// Off: nothing is read, no event comes, and nothing is too late.
  void read(bool on);

  /// Loses the connection, in the next turn of the loop.
  void close(Bytes why);
  /// At once. Handlers are called: not for its owner's users.
  void lose(Bytes why);

 private:
  enum class State : std::uint8_t { opening, logging_in, ready, lost };

  struct Owed {
    ReplyHandler handler;
    std::size_t answers;
    std::uint64_t deadline;
  };

  void on_open() override;
  void on_bytes(Bytes bytes) override;
  void on_lost(Bytes why) override { lose(why); }

  void log_in();
  void step(std::span<const Bytes> words, ReplyHandler handler);
  void on_authenticated(const Result<Reply>& answer);
  void on_selected(const Result<Reply>& answer);
  void post(Bytes command, ReplyHandler handler, std::size_t answers,
            std::uint64_t more_ms);
  void take_replies();
  void on_reply(const Reply& reply);
  void on_deadline();
  void on_idle();
  void set_deadline();
  void grant(std::uint64_t ms);
  [[nodiscard]] std::uint64_t now() const;
  [[nodiscard]] std::uint64_t idle_ms() const;

  Network& network_;
  const Options& options_;
  ConnectionEvents& events_;
  Login login_;
  State state_ = State::opening;
  ReplyReader reader_;
  std::deque<Owed> owed_;        // in the order of the answers to come
  std::uint64_t heard_ms_;       // when something came last
  std::uint64_t pushed_ms_ = 0;  // when a message was pushed last
  std::uint64_t due_ms_ = 0;     // when the deadline's alarm rings
  bool excused_ = false;         // this worker was late, once since an answer
  bool reading_ = true;
  std::string why_;  // it is to be closed
  std::unique_ptr<Alarm> deadline_;
  std::unique_ptr<Alarm> idle_;
  std::unique_ptr<Alarm> resume_;  // what was read before is handed out
  std::unique_ptr<Alarm> close_;
  std::unique_ptr<Wire> wire_;
};

/// What a server gave, fit for a line of a log: so many bytes of it at most.
[[nodiscard]] std::string printable(Bytes text, std::size_t most = 200);

}  // namespace paperboy::broker::redis
