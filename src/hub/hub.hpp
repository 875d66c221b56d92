// The worker's hub: its channels, its subscribers, and the fan-out from one
// publication to all of them. One a worker, on its event loop.
//
// Delivery in two steps: `drain` lets the broker bring all that waits, each
// publication encoded once for each kind of subscriber; then every subscriber
// of a channel that something came for is handed the same contiguous run.
//
// A subscription begins at a position, the channel's top as the broker knew it
// when it counted the subscriber. What this worker has still to read up to
// there goes to the others only. One that comes back with a position is held:
// what comes meanwhile is kept for it, the history is read up to its own top,
// and it goes on behind that.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/encoder.hpp"
#include "hub/attendance.hpp"
#include "hub/broker.hpp"
#include "hub/channel.hpp"
#include "hub/recovery.hpp"
#include "hub/rule.hpp"
#include "hub/subscription.hpp"

namespace paperboy::hub {

class Hub final : private BrokerEvents {
 public:
  /// What is kept for one that is held; beyond it is told of a gap.
  static constexpr std::size_t kMaxHeld = 1024UL * 1024;  // bytes

  /// All must outlive the hub, the hub all subscriptions.
  Hub(Broker& broker, Presence& presence, const RuleSet& rules)
      : broker_(broker),
        presence_(presence),
        rules_(rules),
        attendance_(*this, presence) {}
  ~Hub() override { *self_ = nullptr; }

  /// Puts `subscription` into `channel` (a key: see key.hpp). Everything that
  /// is published after the returned position is delivered, encoded by
  /// `encoder`, which must outlive the subscription. `member`: who it is, for
  /// channels that know who is there.
  Result<Position> subscribe(Subscription& subscription, Bytes channel,
                             Encoder& encoder, const Member* member = nullptr);
  /// Does nothing where it isn't active.
  void unsubscribe(Subscription& subscription);

  /// For one that was here before, up to `since` (of epoch 0: the channel's
  /// present one): `reply` is called once, now
  /// or later, unless it unsubscribes before; only then the rest is delivered.
  /// REQUIRES: subscribed in this turn.
  void recover(Subscription& subscription, Position since,
               const RecoveryLimits& limits, const RecoveryReply& reply);

  /// What is kept of it is the rule's to say.
  void publish(Draft draft, const PublishReply& reply);

  [[nodiscard]] const Rule& rule(Bytes channel) const;
  [[nodiscard]] Broker& broker() { return broker_; }
  [[nodiscard]] Presence& presence() { return presence_; }

  /// Brings what waits at the broker to the subscribers. True: more waits.
  /// Runs stay valid until `release`, so that transports can send them as
  /// they are; call it once they have.
  bool drain();
  void release();

  [[nodiscard]] std::size_t channel_count() const { return channels_.size(); }

 private:
  friend class Subscription;

  /// What goes to one group, encoded.
  struct Run {
    std::string bytes;
    std::uint32_t count = 0;  // of publications
    bool hole = false;        // publications before these were lost
  };

  /// What a drain brought for one channel, up to the next hole: a run for
  /// each group that has members, the first at index `runs`.
  struct Batch {
    Channel* channel;
    std::size_t runs;
    bool hole;
    Position before;  // where the channel was
  };

  void on_publication(ChannelRef ref, const Publication& publication) override;
  bool is_new(const Channel& channel, const Publication& next);
  Batch& batch_for(Channel& channel, const Publication& next);
  void encode(Channel& channel, const Batch& batch,
              const Publication& publication);
  void fan_out();
  void lose();
  void discard();
  Run& add_run();

  Channel& channel_for(const Subscribed& subscribed);
  static Group& group_for(Channel& channel, Encoder& encoder,
                          const Position& after);
  static void put(Subscription& subscription, Channel& channel,
                  Encoder& encoder, const Position& at);
  static Encoder& take(Subscription& subscription);
  static void catch_up(Channel& channel);
  static void join_others(Channel& channel, std::size_t index);

  // Coming back, and after a loss (recovery.cpp).
  void recovered(Channel& channel, std::uint64_t id, const Position& since,
                 const Result<HistoryPage>& page, const RecoveryReply& reply);
  void go_on(Channel& channel, std::uint64_t id, const Position& from);
  static void hold_back(Held& held, const Publication& publication);
  void repair(Channel& channel);
  void repaired(ChannelRef ref, const Result<HistoryPage>& page);
  bool is_behind(const Channel& channel);
  static void forget_after(Held& held, const Position& position);
  static void tell_gap(Channel& channel, const Position& top);

  Broker& broker_;
  Presence& presence_;
  const RuleSet& rules_;
  Attendance attendance_;
  std::unordered_map<ChannelRef, std::unique_ptr<Channel>> channels_;
  std::vector<Batch> batches_;  // empty between drains
  std::deque<Run> runs_;
  std::size_t runs_used_ = 0;
  std::uint64_t held_count_ = 0;  // ever; the next one's id

  // A broker may answer when the hub is gone.
  std::shared_ptr<Hub*> self_ = std::make_shared<Hub*>(this);
};

}  // namespace paperboy::hub
