// The connection that listens to topics of one server. What is asked for in a
// turn of the loop goes out in few commands, and few of these are on their way
// at a time, so that a million topics are no heap in the socket.
//
// Owned by a link, which outlives it and doesn't destroy it within one of its
// events.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "broker/redis_connection.hpp"
#include "broker/redis_context.hpp"
#include "broker/redis_keys.hpp"

namespace paperboy::broker::redis {

class ListenerEvents {
 public:
  ListenerEvents() = default;
  ListenerEvents(const ListenerEvents&) = delete;
  ListenerEvents& operator=(const ListenerEvents&) = delete;
  virtual ~ListenerEvents() = default;

  virtual void on_listener_up() = 0;
  /// From here on each message of the topic comes.
  virtual void on_listening(Bytes topic) = 0;
  virtual void on_message(Bytes topic, Bytes message) = 0;
  /// No message of it comes any more, though nobody asked for that: the server
  /// refuses it (`why`), or its bucket went elsewhere. Of a cluster alone.
  virtual void on_topic_lost(Bytes topic, Bytes why) = 0;
  /// The last event.
  virtual void on_listener_lost(Bytes why) = 0;
};

/// Topics of a cluster are its shards' (SSUBSCRIBE), and a command has those of
/// one bucket.
enum class Topics : std::uint8_t { everywhere, sharded };

class Listener final : private ConnectionEvents {
 public:
  Listener(const Context& context, const Server& server, Topics topics,
           ListenerEvents& events);

  [[nodiscard]] bool is_up() const { return connection_.is_ready(); }

  /// REQUIRES: is_up(). Both are done in the order in which they were asked.
  void listen(Bucket bucket, Bytes topic) { ask(true, bucket, topic); }
  void ignore(Bucket bucket, Bytes topic) { ask(false, bucket, topic); }

  void read(bool on) { connection_.read(on); }

  /// Loses the connection, in the next turn of the loop.
  void close(Bytes why) { connection_.close(why); }

 private:
  struct Wish {
    bool listens;
    Bucket bucket;
    std::string topic;
  };

  // A command, and the confirmations that it is yet to get.
  struct Batch {
    bool listens;
    std::deque<std::string> topics;
  };

  void on_ready() override { events_.on_listener_up(); }
  bool on_push(const Reply& reply) override;
  void on_lost(Bytes why) override;

  void ask(bool listens, Bucket bucket, Bytes topic);
  void send_wishes();
  void send_batch();
  [[nodiscard]] bool goes_with(const Wish& wish, const Wish& other) const;
  [[nodiscard]] Bytes verb(bool listens) const;
  void on_confirmation(const Result<Reply>& answer);
  void on_refused(Bytes why);

  ListenerEvents& events_;
  const Topics topics_;
  std::deque<Wish> wishes_;
  std::deque<Batch> batches_;  // in the order of their confirmations
  std::unique_ptr<Alarm> flush_;
  Connection connection_;
};

}  // namespace paperboy::broker::redis
