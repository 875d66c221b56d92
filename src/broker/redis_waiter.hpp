// Scripts whose answers wait for replicas, on a connection of their own, so
// that they hold up nobody else. Those that come together share one WAIT, and
// so do those that come while that is waited for. The connection is made when
// it is first needed.
//
// A part of a link.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "broker/redis_backoff.hpp"
#include "broker/redis_caller.hpp"

namespace paperboy::broker::redis {

class Waiter final : private CallerEvents {
 public:
  struct Call {
    Script script;
    std::vector<std::string> keys;
    std::vector<std::string> arguments;
    std::uint32_t replicas;
    std::uint64_t wait_ms;
    ReplyHandler handler;
    bool asking = false;  // see ASKING
  };

  explicit Waiter(const Context& context);

  /// To another server, or the same one anew. REQUIRES: not within a handler's
  /// call.
  void move_to(const Server& server);

  void call(Call call);

  /// Loses the connection, in the next turn of the loop.
  void close(Bytes why);

 private:
  // One that was sent: its answer is there, or isn't.
  struct Sent {
    Call call;
    std::optional<Reply> answer;
    bool done = false;
  };

  void on_caller_up() override;
  void on_caller_lost(Bytes why) override;

  [[nodiscard]] bool is_closed() const;
  void open();
  void send_scripts();
  void on_script(Sent& sent, const Result<Reply>& answer);
  void send_waits();
  void send_wait(std::uint32_t replicas, std::uint64_t wait_ms);
  void on_replicas(std::uint32_t wanted, const Result<Reply>& answer);
  void next();
  void answer(Sent& sent, const Result<Reply>& answer);

  const Context context_;
  Server server_;
  Backoff backoff_;
  std::uint64_t retry_ms_ = 0;  // not before then, by the clock
  std::vector<Call> waiting_;
  std::size_t bytes_ = 0;    // of those
  std::vector<Sent> sent_;   // each gets its answer before others are sent
  std::size_t scripts_ = 0;  // of them without an answer
  std::size_t waits_ = 0;    // WAITs without an answer
  Hold hold_;
  std::unique_ptr<Alarm> open_;
  std::unique_ptr<Alarm> flush_;
  std::unique_ptr<Caller> caller_;
};

}  // namespace paperboy::broker::redis
