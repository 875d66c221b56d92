// A worker's lease in Redis: that it lives, and so do the members that it
// brought. Renewed as a whole, by one call every few seconds, whatever the
// number of its members. The same call tells which other holders live, hands
// over dead ones, whose members this worker then removes, and knows the nodes.
//
// Times are of Redis's clock. A holder may be taken for dead when its lease is
// over, but only by one that has itself renewed without a break for as long as
// leases last: where Redis was away, everybody's is over.
//
// One a worker, owned by its RedisPresence.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <unordered_set>
#include <vector>

#include "broker/redis_engine.hpp"
#include "broker/redis_keys.hpp"
#include "broker/redis_network.hpp"

namespace paperboy::broker::redis {

struct LeaseTimes {
  std::uint64_t lasts_ms = 10'000;
  std::uint64_t renew_ms = 3000;
  std::uint64_t burial_ms = 30'000;  // then somebody else may do it
};

/// A node as others know it.
struct NodeState {
  std::string uid;
  std::string info;
};

class LeaseEvents {
 public:
  LeaseEvents() = default;
  LeaseEvents(const LeaseEvents&) = delete;
  LeaseEvents& operator=(const LeaseEvents&) = delete;
  virtual ~LeaseEvents() = default;

  /// Redis knows the holder from now on.
  virtual void on_held() = 0;
  /// It doesn't any more. `buried`: it was taken for dead, and its members
  /// were told to have left.
  virtual void on_lost(bool buried) = 0;
  /// A dead one is this worker's to bury.
  virtual void on_taken(const std::string& holder) = 0;
  /// What Redis says, for the log.
  virtual void on_refused(Bytes why) = 0;
};

class Lease {
 public:
  using Nodes = std::vector<NodeState>;
  using Handler = std::function<void(const Result<Done>&)>;
  /// This node, if this worker speaks for it; else with an empty uid.
  using Describe = std::function<NodeState()>;

  /// All must outlive this. `events` isn't told during its construction.
  Lease(Engine& engine, Network& network, const Keys& keys,
        const LeaseTimes& times, LeaseEvents& events);
  ~Lease();
  Lease(const Lease&) = delete;
  Lease& operator=(const Lease&) = delete;

  /// At random; another after anew().
  [[nodiscard]] const std::string& holder() const { return holder_; }
  [[nodiscard]] bool held() const { return held_; }

  /// Asks for a lease under another name.
  void anew();

  /// Renews it now; answers when that is done. Error: unavailable.
  void renew(Handler handler = {});

  /// As of the last renewal, which is no older than leases last: else false.
  [[nodiscard]] bool is_fresh() const;
  [[nodiscard]] bool lives(const std::string& holder) const {
    return living_.contains(holder);
  }
  /// It doesn't, and somebody removes its members.
  [[nodiscard]] bool is_dying(const std::string& holder) const {
    return dying_.contains(holder);
  }

  /// As of the last renewal. Redis may have forgotten some just now, until they
  /// say that they are there: those too.
  [[nodiscard]] Nodes nodes() const;
  void describe(Describe describe) { describe_ = std::move(describe); }

  /// Answers when nodes() has all that there are: it renews, and where Redis
  /// has just forgotten all it waits until each has said that it is there.
  /// Error: unavailable.
  void find_nodes(Handler handler);

  /// Nothing is left of it.
  void buried(const std::string& holder) { buried_.push_back(holder); }

  /// The worker goes. What it left there is removed by others, soon: nothing,
  /// or its members.
  void give_up(bool empty);
  /// And its node: others needn't wait for it. REQUIRES: it was described.
  void remove_node(const std::string& uid);

 private:
  [[nodiscard]] std::uint64_t now() const {
    return network_.clock().monotonic_ms();
  }
  void call(const std::vector<std::string>& words, ReplyHandler handler);
  void answered(const std::string& holder, const Result<Reply>& reply,
                const std::vector<std::string>& told);
  void read_nodes(const Reply& reply, bool forgotten);
  void note_success(std::int64_t ms);
  void found();
  [[nodiscard]] std::int64_t longest_break() const {
    return static_cast<std::int64_t>(times_.renew_ms + times_.lasts_ms / 2);
  }

  Engine& engine_;
  Network& network_;
  const Keys& keys_;
  const LeaseTimes times_;
  LeaseEvents& events_;
  Describe describe_;

  std::string holder_;
  bool held_ = false;
  std::uint64_t renewed_at_ = 0;  // monotonic ms; 0: never
  std::int64_t last_ = 0;         // the same, by Redis's clock
  std::int64_t since_ = 0;        // renewed without a break, by that clock
  std::unordered_set<std::string> living_;
  std::unordered_set<std::string> dying_;
  std::vector<std::string> buried_;  // to be told
  std::map<std::string, std::string> nodes_;
  std::map<std::string, std::string> forgotten_;  // nodes, when Redis lost all
  std::uint64_t forgotten_at_ = 0;
  std::vector<Handler> seekers_;  // wait for nodes
  std::unique_ptr<Alarm> alarm_;
  std::unique_ptr<Alarm> found_alarm_;

  // Redis may answer when it is gone.
  std::shared_ptr<Lease*> self_ = std::make_shared<Lease*>(this);
};

}  // namespace paperboy::broker::redis
