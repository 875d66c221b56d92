// A worker as its node's relay of some buckets: it listens to the topics of
// their channels and brings what comes into the zone, from where all workers
// have it. One a worker, on its event loop.
//
// It relays when a message to itself has come back, and until what Redis
// delivers to others of the node doesn't come to it any more: then its share is
// theirs. Where it comes to none of them, all wait for it.
//
// A topic's life:
//
//   asked      the server was asked for it, or will be when it can be reached
//   placing    it is listened to; where the channel stands is being read
//   following  the channel is anchored in the zone; each message is its next
//   repairing  what is missing is being read from the stream
//
// What comes while it is placed or repaired waits (`pending`) and follows then.
// After a connection was lost its topics are asked for again, and what changed
// meanwhile is found by buckets (redis_relay_check.cpp).
#pragma once

#include <array>
#include <deque>
#include <map>
#include <memory>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "base/counters.hpp"
#include "broker/redis_entry.hpp"
#include "broker/redis_shares.hpp"
#include "broker/redis_store.hpp"
#include "broker/shm_zone.hpp"
#include "hub/rule.hpp"

namespace paperboy::broker::redis {

/// In these channels of the node alone its workers tell each other what they
/// want: with the seat behind it. Nothing: who relays has changed.
inline constexpr Bytes kDemands{"\0\0relay", 7};
[[nodiscard]] inline std::string demands_of(shm::SeatIndex seat) {
  return std::string(kDemands) + std::to_string(seat);
}

class Relay {
 public:
  /// All must outlive this. `seat`: this worker's.
  Relay(shm::Zone& zone, shm::SeatIndex seat, const hub::RuleSet& rules,
        const Options& options, Network& network, Engine& engine, Store& store,
        Evidence& evidence, Counters& counters);
  ~Relay();
  Relay(const Relay&) = delete;
  Relay& operator=(const Relay&) = delete;

  /// Somebody on the node wants the channel, which isn't anchored yet. Does
  /// nothing where another worker relays it.
  void want(Bytes channel);

  /// Some demands were lost: looks for itself what is wanted.
  void look_again();

  /// Who relays it; nothing: nobody does.
  [[nodiscard]] std::optional<shm::SeatIndex> owner(Bytes channel) const {
    return owner(bucket_of(channel));
  }
  [[nodiscard]] std::optional<shm::SeatIndex> owner(Bucket bucket) const {
    return shares_.owner(bucket);
  }

  // What the engine says; see EngineEvents.
  void on_up(Shard shard);
  void on_down(Shard shard);
  void on_moved(Bucket bucket);
  void on_listening(Bytes topic);
  void on_message(Bytes topic, Bytes message);

  /// Who relays may be others now.
  void look_at_others();
  /// This worker is to go: others of the node relay its share from now on, if
  /// there are any who do.
  void give_way();
  [[nodiscard]] bool gives_way() const { return gives_way_; }

  /// Once a second: buckets that came or went, topics that nobody wants.
  void tick();

  /// Whether what is published was shown to come back, on every shard.
  [[nodiscard]] bool delivers() const;

 private:
  enum class State : std::uint8_t { asked, placing, following, repairing };

  struct Pending {
    std::vector<std::string> messages;
    std::size_t bytes = 0;
    bool lost = false;  // some had no room
  };

  struct Topic {
    State state = State::asked;
    bool sent = false;          // asked: the server has been
    bool again = false;         // something is missing that nobody reads yet
    bool futile = false;        // the last repair found nothing
    std::uint8_t refusals = 0;  // by Redis, since it followed
    std::unique_ptr<Pending> pending{};
  };

  /// Channels of one bucket whose standing is to be asked for.
  struct Comparison {
    Bucket bucket;
    std::vector<std::string> channels;
    bool at_once;  // nothing can be on its way, or what is doesn't matter
  };

  using Topics = std::unordered_map<std::string, Topic>;

  struct Share {
    bool mine = false;
    std::uint64_t leaves_at = 0;  // monotonic ms; 0: it stays
    Shard asked_of = 0;           // where its topics were asked for
    Known known;
    Topics topics;
  };

  /// A channel that seems to lack something. It may be on its way, until a
  /// probe has come that was published after it.
  struct Suspect {
    Standing standing;
    std::uint64_t proof;  // the number of that probe
  };

  /// What is shown to come back, on one shard.
  struct Probe {
    std::string channel;
    bool waiting = false;         // for its topic to be confirmed
    std::uint64_t sent_at = 0;    // monotonic ms; 0: none is under way
    std::uint64_t number = 0;     // of the last
    std::uint64_t returned = 0;   // the last that came back
    std::uint64_t proved_at = 0;  // 0: not since it is up
    std::size_t asked = 0;        // topics that aren't confirmed yet
    Bucket next = 0;              // the bucket whose topics are asked for next
    bool check_due = false;       // when they are
    bool checking = false;
    std::vector<Suspect> suspects{};
  };

  // Whether it relays (redis_relay_check.cpp).
  void stand();
  void relay(bool relays);
  void tell_others();
  [[nodiscard]] bool hears_any() const;
  [[nodiscard]] bool another_relays() const;
  [[nodiscard]] bool another_delivers() const;

  // Topics.
  Topic* find(Bytes channel);
  void listened(const std::string& channel, Topic& topic);
  void ask(Bucket bucket, const std::string& channel, Topic& topic);
  void ask_more(Shard shard);
  void begin_anew(Bucket bucket);
  void drop(Bucket bucket);
  void share_out();
  void scan();
  void want_if_ours(const shm::ChannelInfo& channel);
  void sweep();
  [[nodiscard]] std::uint64_t now() const;

  // Messages (redis_relay_import.cpp).
  void take(Topic& topic, const std::string& channel, Bytes message);
  bool import(Topic& topic, const std::string& channel, Bytes message);
  void note(const Entry& entry, Bucket bucket);
  static void hold(Topic& topic, Bytes message);
  void follow(const std::string& channel, Topic& topic);
  void stall(const std::string& channel, Bytes message);
  void go_on();
  [[nodiscard]] Retention keep(Bytes channel) const;

  // Places and holes (redis_relay_repair.cpp).
  void place(const std::string& channel);
  void place_all();
  void place_more();
  void place_some(Bucket bucket, const std::vector<std::string>& channels);
  [[nodiscard]] std::vector<Standing> standings(
      const std::vector<std::string>& channels) const;
  void place_with_window(const std::string& channel);
  void placed(const std::string& channel, const Position& at,
              std::span<const shm::Recent> window);
  void failed(const std::string& channel);
  void refused(const std::string& channel);
  void retry_in(const std::string& channel, std::uint64_t ms);
  void hasten(const std::string& channel, const Topic& topic);
  void repair(const std::string& channel);
  void read_hole(const std::string& channel, const Position& from);
  void fill(const std::string& channel, const Position& from,
            const Window& window);
  bool bring(const std::string& channel, const Position& from,
             const Window& window);
  bool bring_one(const std::string& channel, const Kept& kept);
  bool leave_out(const std::string& channel, const Position& to);
  void compare(const Standing& standing, std::uint64_t proof);
  [[nodiscard]] bool is_behind(const Standing& standing);
  bool keeps_removed(const Standing& standing);
  void look_at_suspects(Probe& probe);
  void retry();

  // Checks (redis_relay_check.cpp).
  void check_all();
  void check(Shard shard);
  void ask_for_changes(Shard shard, const std::vector<Known>& known,
                       bool at_once, bool last);
  void changed(const Change& change, std::uint64_t proof);
  std::uint64_t next_proof(Bucket bucket);
  void compare_all(Bucket bucket, bool at_once);
  void compare_more();
  void forget(Bucket bucket);
  Probe& probe(Shard shard);
  bool hears_probe(Bytes channel);
  void name_probe(Shard shard, Probe& probe);
  void listen_to_probe(Shard shard);
  void take_back(Bucket bucket);
  void check_if_due(Shard shard);
  bool is_probe(Bytes channel, Bytes message);
  void confirm(Bucket bucket);

  shm::Zone& zone_;
  shm::SeatIndex seat_;
  const hub::RuleSet& rules_;
  const Options& options_;
  Network& network_;
  Engine& engine_;
  Store& store_;
  Evidence& evidence_;
  Counters& counters_;

  Shares shares_;
  std::array<Share, kBuckets> share_;
  std::map<Shard, Probe> probes_;
  std::size_t topics_ = 0;
  bool gives_way_ = false;
  bool relays_ = false;
  std::uint64_t behind_since_ = 0;  // monotonic ms; 0: it isn't

  bool scanning_ = false;
  std::uint64_t scan_cursor_ = 0;
  std::uint64_t look_at_ = 0;  // the next scan, monotonic ms; 0: none
  Bucket swept_ = 0;           // the bucket where the next sweep begins

  std::deque<std::pair<std::string, std::string>> stalled_;  // channel, message
  std::unordered_set<std::string> to_place_;
  std::size_t placing_ = 0;                                  // calls under way
  std::unordered_map<std::string, std::uint64_t> to_retry_;  // when
  std::deque<Comparison> to_compare_;
  std::size_t comparing_ = 0;  // calls under way

  std::unique_ptr<Alarm> check_alarm_;
  std::unique_ptr<Alarm> place_alarm_;
  std::unique_ptr<Alarm> retry_alarm_;
  std::unique_ptr<Alarm> stall_alarm_;
  std::unique_ptr<Alarm> scan_alarm_;

  // Redis may answer when the relay is gone.
  std::shared_ptr<Relay*> self_ = std::make_shared<Relay*>(this);
};

}  // namespace paperboy::broker::redis
