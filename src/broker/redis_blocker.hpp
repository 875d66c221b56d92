// Commands that may block until there is something to answer, on a connection
// of their own, so that they hold up nobody else. The connection is made when
// it is first needed. A worker that is told to go doesn't wait for them.
//
// A part of a link.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "broker/redis_backoff.hpp"
#include "broker/redis_connection.hpp"
#include "broker/redis_context.hpp"

namespace paperboy::broker::redis {

class Blocker final : private ConnectionEvents {
 public:
  explicit Blocker(const Context& context);

  /// To another server, or the same one anew. REQUIRES: not within a handler's
  /// call.
  void move_to(const Server& server);

  /// May be answered `block_ms` later than others. Those that come together are
  /// sent one behind another.
  void command(const std::vector<std::string>& words, std::uint64_t block_ms,
               ReplyHandler handler);

  /// Loses the connection, in the next turn of the loop.
  void close(Bytes why);

 private:
  struct Call {
    std::string command;
    std::uint64_t block_ms;
    ReplyHandler handler;
  };

  void on_ready() override;
  bool on_push(const Reply& /*reply*/) override { return false; }
  void on_lost(Bytes why) override;

  [[nodiscard]] bool is_closed() const;
  void open();
  void send(Call call);

  const Context context_;
  Server server_;
  Backoff backoff_;
  std::uint64_t retry_ms_ = 0;  // not before then, by the clock
  std::vector<Call> waiting_;   // for the connection
  std::size_t owed_ = 0;        // answers
  std::unique_ptr<Alarm> open_;
  std::unique_ptr<Connection> connection_;
};

}  // namespace paperboy::broker::redis
