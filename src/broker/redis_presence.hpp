// Who is in which channel, over all nodes, behind the hub's port: each worker
// writes its members into hashes in Redis, under the name of its lease, and
// keeps them itself: it writes them once more where Redis has lost them.
//
// What is written goes there in batches, and again until Redis has it. Who asks
// gets what Redis has of others who live, and this worker's own.
//
// Where Redis may have lost what was written (it has forgotten the lease, or is
// another server), the worker begins anew under another name, and the old one
// is buried: so no member can be left behind under a name that lives.
//
// One a worker, on its event loop, beside its RedisBroker, whose engine it
// shares and which tells it when that is up.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "broker/redis_burial.hpp"
#include "broker/redis_engine.hpp"
#include "broker/redis_lease.hpp"
#include "broker/redis_network.hpp"
#include "broker/redis_store.hpp"
#include "hub/presence.hpp"

namespace paperboy::broker {

class RedisPresence final : public hub::Presence, private redis::LeaseEvents {
 public:
  /// All must outlive this. `broker` tells channels' names.
  RedisPresence(hub::Broker& broker, redis::Engine& engine, redis::Store& store,
                redis::Network& network, const redis::LeaseTimes& times = {});
  ~RedisPresence() override;

  Result<hub::MemberRef> enter(hub::ChannelRef ref, const Member& member,
                               bool announced) override;
  void leave(hub::MemberRef ref) override;
  void members(Bytes channel, const Members& reply) override;
  void stats(Bytes channel, const Stats& reply) override;

  // What the engine says; see EngineEvents.
  void on_up(redis::Shard shard);

  [[nodiscard]] redis::Lease& lease() { return lease_; }

  /// Whether Redis has all that this worker told it of its members.
  [[nodiscard]] bool is_settled() const {
    return lease_.held() && queue_.empty() && flying_ == 0;
  }

 private:
  /// A member of this worker's, or one that Redis has yet to forget.
  struct Own {
    std::string channel;
    std::string packed;
    bool announced = false;
    bool inside = true;
    bool written = false;  // Redis may have it
    bool queued = false;
    bool joins_again = false;  // when it has been told to have left
    std::uint32_t flying = 0;  // batches that it is in
  };
  using Serial = std::uint32_t;
  using Batch = std::vector<Serial>;
  using Found = std::vector<MemberRecord>;
  using FoundReply = std::function<void(const Result<Found>&)>;
  using Fields = std::vector<redis::Reply>;

  void on_held() override;
  void on_lost(bool buried) override;
  void on_taken(const std::string& holder) override;
  void on_refused(Bytes why) override { complain(why); }

  // Writing.
  void queue(Serial serial);
  void flush();
  void write_queue(std::uint32_t most_flying);
  [[nodiscard]] std::map<redis::Bucket, Batch> next_batches(Batch& later);
  void write(redis::Bucket bucket, const Batch& batch);
  void written(const Batch& batch, std::uint32_t incarnation, bool done);
  void complain(Bytes text);
  void begin_anew(bool buried);
  bool replaces_another(redis::Shard shard);
  void tell_joins();
  void bury_retired();
  void buried(const std::string& holder, bool done);

  // Reading.
  void find(Bytes channel, const FoundReply& reply);
  void sort_out(const std::string& channel, const Fields& fields,
                const FoundReply& reply);
  [[nodiscard]] bool is_own(const std::string& holder) const;
  [[nodiscard]] bool has_strangers(const Fields& fields) const;
  [[nodiscard]] Found living(const std::string& channel, const Fields& fields);
  void drop(const std::string& channel, const std::vector<std::string>& fields);
  void write_missing(const std::vector<Serial>& inside,
                     const std::unordered_set<Serial>& seen);

  hub::Broker& broker_;
  redis::Engine& engine_;
  redis::Store& store_;
  redis::Network& network_;

  std::unordered_map<Serial, Own> own_;
  std::unordered_map<std::string, std::vector<Serial>> inside_;  // by channel
  Serial last_ = 0;
  std::vector<Serial> queue_;  // to be written
  std::uint32_t flying_ = 0;   // batches that have no answer yet
  std::uint32_t incarnation_ = 0;
  bool doubts_ = false;            // Redis may have lost something
  std::uint64_t quiet_until_ = 0;  // for complaints, monotonic ms
  // Names of before, to be buried: whether leaves are told.
  std::map<std::string, bool> retired_;
  std::map<redis::Shard, std::string> identities_;  // replication ids
  std::array<std::optional<redis::Shard>, redis::kBuckets> homes_;
  std::unique_ptr<redis::Alarm> flush_alarm_;

  redis::Burial burial_;
  redis::Lease lease_;

  // Redis may answer when it is gone.
  std::shared_ptr<RedisPresence*> self_ =
      std::make_shared<RedisPresence*>(this);
};

}  // namespace paperboy::broker
