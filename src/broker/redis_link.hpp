// All connections to one server that has some of the buckets: for commands, for
// topics, for what waits for replicas, and for what may block. An engine owns
// one a shard, says when it is opened and where to, and outlives it. While the
// engine lives, a link is destroyed in a later turn of the loop than that in
// which it is lost.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "broker/redis_blocker.hpp"
#include "broker/redis_caller.hpp"
#include "broker/redis_listener.hpp"
#include "broker/redis_waiter.hpp"

namespace paperboy::broker::redis {

class LinkEvents {
 public:
  LinkEvents() = default;
  LinkEvents(const LinkEvents&) = delete;
  LinkEvents& operator=(const LinkEvents&) = delete;
  virtual ~LinkEvents() = default;

  /// There are both connections, for commands and for topics.
  virtual void on_link_up() = 0;
  /// It couldn't be opened, or is lost; once for each `open`.
  virtual void on_link_lost(Bytes why) = 0;
  virtual void on_listening(Bytes topic) = 0;
  virtual void on_message(Bytes topic, Bytes message) = 0;
  /// Of a cluster alone: see ListenerEvents.
  virtual void on_topic_lost(Bytes topic, Bytes why) = 0;
};

class Link final : private CallerEvents, private ListenerEvents {
 public:
  Link(const Context& context, Topics topics, LinkEvents& events);

  /// REQUIRES: it was never opened, or is lost, and it isn't called within an
  /// event of it.
  void open(const Server& server);

  [[nodiscard]] bool is_up() const {
    return up_ && caller_->is_up() && listener_->is_up();
  }
  /// REQUIRES: is_up().
  [[nodiscard]] const Identity& identity() const { return caller_->identity(); }
  void refresh_identity();

  /// As the engine's; where it isn't up, they are refused.
  void call(Script script, const std::vector<std::string>& keys,
            const std::vector<std::string>& arguments, ReplyHandler handler);
  void call_and_wait(Waiter::Call call);
  void command(const std::vector<std::string>& words, ReplyHandler handler);
  void command_and_block(const std::vector<std::string>& words,
                         std::uint64_t block_ms, ReplyHandler handler);
  void listen(Bucket bucket, Bytes topic);
  void ignore(Bucket bucket, Bytes topic);

  /// Holds for its listeners to come as well.
  void read(bool on);

  /// It is lost, in the next turn of the loop.
  void close(Bytes why);

 private:
  void on_caller_up() override;
  void on_caller_lost(Bytes why) override { lose(why); }
  void on_listener_up() override;
  void on_listening(Bytes topic) override;
  void on_message(Bytes topic, Bytes message) override;
  void on_topic_lost(Bytes topic, Bytes why) override;
  void on_listener_lost(Bytes why) override { lose(why); }
  void lose(Bytes why);

  const Context context_;
  const Topics topics_;
  LinkEvents& events_;
  Server server_;
  bool open_ = false;  // its loss is to be told
  bool up_ = false;
  bool reading_ = true;
  std::unique_ptr<Caller> caller_;
  std::unique_ptr<Listener> listener_;
  Waiter waiter_;
  Blocker blocker_;
};

}  // namespace paperboy::broker::redis
