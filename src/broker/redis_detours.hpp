// Commands to a cluster, and what becomes of those that a server didn't do:
// their slot has moved (MOVED), is moving (ASK, TRYAGAIN), or nobody answers
// for it now (CLUSTERDOWN). They go where they were sent to, or wait a little
// and are sent again, for as long as a command may take. A part of the
// cluster's engine.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "broker/redis_cluster_node.hpp"
#include "broker/redis_slots.hpp"

namespace paperboy::broker::redis {

/// Where buckets are, for the detours.
class Map {
 public:
  Map() = default;
  Map(const Map&) = delete;
  Map& operator=(const Map&) = delete;
  virtual ~Map() = default;

  /// Null: nobody has it.
  virtual ClusterNode* node_of(Bucket bucket) = 0;
  /// A server said so.
  virtual void note_moved(const Redirection& to) = 0;
  /// The node to which a slot is moving. Null: it can't be.
  virtual ClusterNode* node_to_ask(const Server& server) = 0;
};

class Detours {
 public:
  struct Call {
    Bucket bucket;
    std::optional<Script> script;  // none: a plain command
    std::vector<std::string> keys;
    std::vector<std::string> words;  // arguments; or the whole command
    std::uint32_t replicas;          // 0: it waits for none
    std::uint64_t wait_ms;
    ReplyHandler handler;
  };

  Detours(const Context& context, Map& map);

  void call(Call call);

  /// A node is there, or the map has changed: what waits may go.
  void go_on();

  /// See Engine.
  [[nodiscard]] Bytes redirected_to() const { return redirected_to_; }

 private:
  struct Trip {
    Call call;
    std::uint64_t deadline;
    std::size_t bytes;
    std::size_t hops = 0;  // servers that didn't do it
    std::string given{};   // the replication id that its caller gave

    [[nodiscard]] bool is_told() const {
      return call.script && is_told_its_server(*call.script);
    }
  };
  using Pointer = std::shared_ptr<Trip>;

  void send(const Pointer& trip, ClusterNode& node, bool asking);
  void on_answer(const Pointer& trip, const Server& server,
                 const Result<Reply>& answer);
  void follow(const Pointer& trip, const Redirection& to, bool moved);
  void wait(const Pointer& trip);
  void finish(Trip& trip, const Result<Reply>& answer);
  [[nodiscard]] bool may_wait(const Trip& trip);

  const Context context_;
  Map& map_;
  std::map<Bucket, std::deque<Pointer>> waiting_;  // in their order
  std::size_t bytes_ = 0;                          // of those that wait
  Bytes redirected_to_;
  std::unique_ptr<Alarm> again_;
};

}  // namespace paperboy::broker::redis
