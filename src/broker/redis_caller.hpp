// The connection for commands to one server, which is a master: it loads the
// scripts, calls them by their SHA-1, and loads them again when the server has
// forgotten them. What it can't send is refused at once, and what waits for
// answers is bounded.
//
// Owned by a link or a waiter, which outlives it and doesn't destroy it within
// one of its events.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "broker/redis_connection.hpp"
#include "broker/redis_context.hpp"
#include "broker/redis_identity.hpp"
#include "broker/redis_scripts.hpp"

namespace paperboy::broker::redis {

class CallerEvents {
 public:
  CallerEvents() = default;
  CallerEvents(const CallerEvents&) = delete;
  CallerEvents& operator=(const CallerEvents&) = delete;
  virtual ~CallerEvents() = default;

  /// The scripts are there, and the identity is known.
  virtual void on_caller_up() = 0;
  /// The last event; calls that had no answer have been told so.
  virtual void on_caller_lost(Bytes why) = 0;
};

class Caller final : private ConnectionEvents {
 public:
  Caller(const Context& context, const Server& server, CallerEvents& events);

  [[nodiscard]] bool is_up() const {
    return state_ == State::up && connection_.is_ready();
  }
  [[nodiscard]] bool is_lost() const { return state_ == State::lost; }
  /// REQUIRES: it was up.
  [[nodiscard]] const Identity& identity() const { return identity_; }

  void call(Script script, std::span<const std::string> keys,
            std::span<const std::string> arguments, ReplyHandler handler);
  /// May be answered `more_ms` later than others.
  void command(std::span<const std::string> words, ReplyHandler handler,
               std::uint64_t more_ms = 0);

  /// Asks again; what is no master any more is lost.
  void refresh_identity();

  /// Loses the connection, in the next turn of the loop.
  void close(Bytes why) { connection_.close(why); }
  /// At once. REQUIRES: not within one of its events.
  void lose(Bytes why) { connection_.lose(why); }

 private:
  enum class State : std::uint8_t { opening, up, lost };

  struct Call {
    std::string command;
    ReplyHandler handler;
    std::uint64_t more_ms;
    bool again;  // sent for the second time
  };

  void on_ready() override;
  bool on_push(const Reply& /*reply*/) override { return false; }
  void on_lost(Bytes why) override;

  void ask_identity();
  void on_identity(const Result<Reply>& answer);
  void load_scripts();
  void on_loaded(std::size_t script, const Result<Reply>& answer);
  void take(Call call);
  void send(Call call);
  void on_answer(const Result<Reply>& answer);
  void send_again(Call call);
  void go_on();
  void finish(const Call& call, const Result<Reply>& answer);
  void log_change(const Identity& identity);

  const Context context_;
  const std::string name_;  // of the server, for the log
  CallerEvents& events_;
  State state_ = State::opening;
  Identity identity_;
  std::array<std::string, kScripts> hashes_;  // by script; empty: not yet
  std::size_t loading_ = 0;  // scripts whose hash hasn't come yet
  bool holding_ = false;     // calls aren't sent now but held
  std::size_t bytes_ = 0;    // of all calls that have no answer
  std::deque<Call> sent_;    // in the order of their answers
  std::deque<Call> again_;   // the server didn't know the script
  std::deque<Call> held_;
  Hold hold_;
  Connection connection_;
};

}  // namespace paperboy::broker::redis
