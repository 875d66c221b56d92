// The port to where the data lies: one Redis, the primary that Sentinels name,
// or a cluster. One a worker, with two connections to each shard (a server that
// has some of the buckets): one for commands, one that listens to topics. It
// connects by itself, again and again, and says so.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "broker/redis_keys.hpp"
#include "broker/redis_reply.hpp"
#include "broker/redis_scripts.hpp"

namespace paperboy::broker::redis {

/// A server with some of the buckets; a small number that means the same for as
/// long as the engine lives.
using Shard = std::uint16_t;

class EngineEvents {
 public:
  EngineEvents() = default;
  EngineEvents(const EngineEvents&) = delete;
  EngineEvents& operator=(const EngineEvents&) = delete;
  virtual ~EngineEvents() = default;

  /// Both connections of the shard are there. Its listener is fresh: it
  /// listens to nothing yet.
  virtual void on_up(Shard shard) = 0;
  /// One of them is lost, and both are made anew.
  virtual void on_down(Shard shard) = 0;
  /// The bucket is on another shard from now on.
  virtual void on_moved(Bucket bucket) = 0;
  /// From here on each message of the topic comes.
  virtual void on_listening(Bytes topic) = 0;
  virtual void on_message(Bytes topic, Bytes message) = 0;
};

class Engine {
 public:
  Engine() = default;
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;
  virtual ~Engine() = default;

  /// Begins to connect. `events` must outlive the engine.
  virtual void start(EngineEvents& events) = 0;

  [[nodiscard]] virtual Shard shard_of(Bucket bucket) const = 0;
  [[nodiscard]] virtual std::vector<Shard> shards() const = 0;
  [[nodiscard]] virtual bool is_up(Shard shard) const = 0;

  /// The replication id of its server: the first 16 hexadecimal digits. Empty:
  /// it isn't up.
  [[nodiscard]] virtual Bytes replication_id(Shard shard) const = 0;

  /// Within the handler of a `call`: the replication id that the script was
  /// given as its first argument, where it went to another server than its
  /// caller thought, and so isn't what the caller gave. Else empty.
  [[nodiscard]] virtual Bytes redirected_to() const { return {}; }

  /// Asks the server for it again; where it has changed, a log line says so.
  virtual void refresh_identity(Shard shard) = 0;

  /// Whether keys of several buckets may go in one call.
  [[nodiscard]] virtual bool is_clustered() const = 0;

  /// A script where the bucket is, with keys of this bucket; where all is on
  /// one server, of any. What was sent and lost isn't sent again: it may have
  /// been done.
  virtual void call(Bucket bucket, Script script,
                    const std::vector<std::string>& keys,
                    const std::vector<std::string>& arguments,
                    ReplyHandler handler) = 0;

  /// The same, and answered when so many replicas have it, or the time is over:
  /// then the Error is not_replicated.
  virtual void call_and_wait(Bucket bucket, Script script,
                             const std::vector<std::string>& keys,
                             const std::vector<std::string>& arguments,
                             std::uint32_t replicas, std::uint64_t wait_ms,
                             ReplyHandler handler) = 0;

  /// A plain command; the keys in it are of this bucket.
  virtual void command(Bucket bucket, const std::vector<std::string>& words,
                       ReplyHandler handler) = 0;

  /// A plain command that may wait for up to `block_ms` until there is
  /// something to answer: on a connection for such commands alone, so that it
  /// holds up nobody else, nor a worker that is told to go. Sent once, as it
  /// was asked: a server that hasn't the bucket any more answers so.
  virtual void command_and_block(Bucket bucket,
                                 const std::vector<std::string>& words,
                                 std::uint64_t block_ms,
                                 ReplyHandler handler) = 0;

  /// Asks for the topic on the shard's listener, where it is up: all of a turn
  /// in few commands. No answer but on_listening.
  virtual void listen(Bucket bucket, Bytes topic) = 0;
  virtual void ignore(Bucket bucket, Bytes topic) = 0;

  /// Off: no messages come, and servers have to wait.
  virtual void read(bool on) = 0;

  /// Makes the connections of the shard anew: they don't deliver.
  virtual void reconnect(Shard shard, Bytes why) = 0;
};

}  // namespace paperboy::broker::redis
