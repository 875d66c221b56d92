// The inbox: a stream to which back ends add what is to be published, for those
// who have Redis at hand and no HTTP. All nodes read it as one consumer group,
// so that each entry is taken by one of them; of each node the worker that
// relays the inbox's bucket does.
//
//   sweep    makes the group where there is none; takes over what others have
//            left behind, and removes them; at first, and every few seconds
//   read     what was taken and not settled, page by page, then what is new
//   publish  each by the broker, with an idempotency key
//   settle   acknowledges and deletes what was published or can never be
//
// What couldn't be published stays the group's, and is read again after a
// while. Meanwhile others go on, but of its channel none, so that they keep
// their order; and only until too many are left behind. A crash at any point
// publishes nothing twice: the entry's idempotency key outlives it. No more
// entries are in a worker than it reads at a time.
//
// A part of the broker, on its worker's loop.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <unordered_set>
#include <utility>
#include <vector>

#include "base/counters.hpp"
#include "broker/redis_backoff.hpp"
#include "broker/redis_engine.hpp"
#include "broker/redis_inbox_entry.hpp"
#include "broker/redis_keys.hpp"
#include "broker/redis_network.hpp"
#include "broker/redis_options.hpp"
#include "hub/broker.hpp"
#include "hub/rule.hpp"

namespace paperboy::broker::redis {

class Inbox {
 public:
  static constexpr Bucket kBucket = 0;  // of the stream

  /// All must outlive this.
  Inbox(hub::Broker& broker, const hub::RuleSet& rules, const Options& options,
        Network& network, Engine& engine, const Keys& keys, Counters& counters);
  ~Inbox();
  Inbox(const Inbox&) = delete;
  Inbox& operator=(const Inbox&) = delete;

  /// Once a second. `ours`: this worker is the one of its node that reads.
  void tick(bool ours);

 private:
  // Entries that were read together.
  struct Batch {
    std::size_t waits = 0;             // answers of the broker
    std::size_t failed = 0;            // are to be tried again
    std::string last{};                // id
    std::vector<std::string> settled;  // ids
    // Idempotency keys that are no longer needed for long: channel, key.
    std::vector<std::pair<std::string, std::string>> keys;
  };

  void step();
  void pause();
  void sweep();
  void on_swept(const Result<Reply>& answer);
  void read(bool fresh);
  void on_read(const Result<Reply>& answer);
  void take(const Reply& entries);
  void take_one(const std::string& id, const Reply& fields);
  void publish(const std::string& id, const InboxEntry& entry);
  void on_published(const std::string& id, const std::string& channel,
                    const std::string& key,
                    const Result<hub::Published>& published);
  void refuse(const std::string& id, Bytes channel, Bytes why);
  void arrive();
  void settle();
  void on_settled(const Result<Reply>& answer);
  void let_expire();
  void go_on();
  void begin_pass();
  void retry_soon();
  bool failed(const Result<Reply>& answer, Bytes what);
  void complain(const std::string& line);
  ReplyHandler later(void (Inbox::*member)(const Result<Reply>&));
  [[nodiscard]] std::uint64_t now() const;

  hub::Broker& broker_;
  const hub::RuleSet& rules_;
  Network& network_;
  Engine& engine_;
  const Keys& keys_;
  Counters& counters_;
  const std::string stream_;
  const std::string name_;       // this consumer's
  const std::uint64_t idle_ms_;  // see Options
  Backoff backoff_;
  bool ours_ = false;
  bool busy_ = false;        // a call is under way, or the pause
  bool behind_ = false;      // what was taken before is being read
  bool asked_ = false;       // the stream is on its way to another server
  std::string after_ = "0";  // it is read behind this id
  std::size_t left_ = 0;     // entries that failed since it began
  std::unordered_set<std::string> stuck_;  // their channels
  std::uint64_t sweep_at_ = 0;             // monotonic ms
  std::uint64_t quiet_until_ = 0;          // for complaints, monotonic ms
  std::uint64_t untold_ = 0;               // complaints since the last
  Batch batch_;
  std::unique_ptr<Alarm> pause_;

  // Redis may answer when the inbox is gone.
  std::shared_ptr<Inbox*> self_ = std::make_shared<Inbox*>(this);
};

}  // namespace paperboy::broker::redis
