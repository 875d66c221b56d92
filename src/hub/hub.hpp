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
//
// Over the network a channel's top may not be known at first: then its anchor
// comes before all else, and who just subscribes begins there. And the history
// may know of more than this worker: who comes back goes on behind that.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <exception>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/encoder.hpp"
#include "base/pool.hpp"
#include "base/table.hpp"
#include "hub/attendance.hpp"
#include "hub/broker.hpp"
#include "hub/channel.hpp"
#include "hub/recovery.hpp"
#include "hub/rule.hpp"
#include "hub/subscription.hpp"

namespace paperboy::hub {

class Hub final : private BrokerEvents {
 public:
  /// What is kept for those of a channel that are held; who needs more is told
  /// of a gap.
  static constexpr std::size_t kMaxHeld = 1024UL * 1024;  // bytes

  /// All must outlive the hub, the hub all subscriptions.
  Hub(Broker& broker, Presence& presence, const RuleSet& rules)
      : broker_(broker),
        presence_(presence),
        rules_(rules),
        attendance_(*this, presence) {}
  ~Hub() override;

  /// Puts `subscription` into `channel` (a key: see key.hpp). Everything that
  /// is published after the returned position is delivered, encoded by
  /// `encoder`, which must outlive the subscription. Of epoch 0: it begins
  /// where the channel stands, as soon as that is known. `member`: who it is,
  /// for channels that know who is there.
  Result<Position> subscribe(Subscription& subscription, Bytes channel,
                             Encoder& encoder, const Member* member = nullptr);
  /// Does nothing where it isn't active.
  void unsubscribe(Subscription& subscription);

  /// For one of which it isn't known yet whether it was here before: nothing is
  /// delivered to it until `recover` has answered; what comes is kept for it.
  /// REQUIRES: subscribed in this turn.
  void await(Subscription& subscription) { hold(subscription); }

  /// For one that was here before, up to `since` (of epoch 0: the channel's
  /// present one), or, without it, wants to know where it begins: `reply` is
  /// called once, now or later; only then the rest is delivered. It isn't
  /// called if it unsubscribes before. After an Error nothing is delivered; it
  /// may unsubscribe, or ask again.
  /// REQUIRES: subscribed in this turn, or awaited since then, or answered with
  /// an Error.
  void recover(Subscription& subscription, std::optional<Position> since,
               const RecoveryLimits& limits, const RecoveryReply& reply);

  /// Who of this worker subscribes to `channel`.
  [[nodiscard]] std::vector<Subscriber*> subscribers(Bytes channel);

  /// Of the last publication that it was handed, or where it begins; amid a
  /// fan-out too, where what it is just being handed doesn't count. Nothing:
  /// that isn't known yet. REQUIRES: active().
  [[nodiscard]] std::optional<Position> reached(
      const Subscription& subscription) const;

  /// What is kept of it is the rule's to say.
  void publish(Draft draft, const PublishReply& reply);

  [[nodiscard]] const Rule& rule(Bytes channel) const;

  /// What is kept of revocations, which go through a channel of our own, and of
  /// opaque tokens, whose is another.
  void keep_revocations(const Retention& keep) { revocations_.keep = keep; }
  void keep_tokens(const Retention& keep) { tokens_.keep = keep; }
  [[nodiscard]] Broker& broker() { return broker_; }
  [[nodiscard]] Presence& presence() { return presence_; }

  /// Within an encoder: what was published after this publication is brought
  /// by the next drain, so that something may be done before.
  void pause() { paused_ = true; }

  /// Brings what waits at the broker to the subscribers. True: more waits.
  /// Runs stay valid until `release`, so that transports can send them as
  /// they are; call it once they have.
  bool drain();
  void release();

  [[nodiscard]] std::size_t channel_count() const { return index_.size(); }

 private:
  friend class Subscription;

  using Channels = Pool<Channel>;
  struct ByRef {
    [[nodiscard]] ChannelRef key(Channels::Number number) const {
      return (*channels)[number].ref;
    }
    static std::uint64_t number(ChannelRef ref) {
      return static_cast<std::uint64_t>(ref);
    }

    const Channels* channels;
  };

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

  // From the broker to the subscribers (delivery.cpp).
  void on_publication(ChannelRef ref, const Publication& publication) override;
  [[nodiscard]] bool has_enough() const override { return paused_; }
  bool is_new(const Channel& channel, const Publication& next);
  bool is_awaited(const Channel& channel, const Position& position);
  Batch& batch_for(Channel& channel, bool hole);
  bool is_for(const Position& after, const Channel& channel,
              const Publication& next);
  static bool is_behind_hole(const Position& after, const Batch& batch,
                             const Publication& next);
  void encode(Channel& channel, const Batch& batch,
              const Publication& publication);
  bool gather();
  void fan_out();
  void hand(Subscription& to, const Run& run) noexcept;
  void tell_hole(Subscription& to) noexcept;
  Run& add_run();

  using Helds = std::span<const std::shared_ptr<Held>>;
  [[nodiscard]] Helds held(const Channel& channel) const;
  /// REQUIRES: it has one.
  [[nodiscard]] Apart& apart(const Channel& channel);
  Apart& need_apart(Channel& channel);
  /// Something of it is over.
  void tidy(Channel& channel) noexcept;

  /// Null: nobody of this worker's subscribes to it.
  Channel* find(ChannelRef ref);
  Channel& channel_for(const Subscribed& subscribed);
  void let_go(ChannelRef ref);
  static Position begin_in(const Channel& channel, const Position& at);
  static void put(Subscription& subscription, Channel& channel,
                  Encoder& encoder, const Position& at);
  Encoder& take(Subscription& subscription);
  void catch_up(Channel& channel) noexcept;

  // Coming back (recovery.cpp).
  const std::shared_ptr<Held>& hold(Subscription& subscription);
  void recovered(Held& held, const std::optional<Position>& since,
                 const Result<HistoryPage>& page, const RecoveryReply& reply);
  void go_on(const Held& held, const Position& from);
  bool has_after(const Position& from, const Held& held);
  void encode_after(const Position& from, const Held& held, Run& run);
  void hold_back(Channel& channel, const Publication& publication);
  void forget_after(Channel& channel, const Position& position) noexcept;

  // Anchors, and after a loss (repair.cpp).
  void on_anchor(Channel& channel, const Position& at);
  bool lacks(const Channel& channel, const Position& has, const Position& at);
  void anchor_held(Channel& channel, const Position& at);
  void lose() noexcept;
  void lose(Channel& channel) noexcept;
  void discard() noexcept;
  void repair(Channel& channel) noexcept;
  void skip(Channel& channel, const Position& position);
  void repaired(ChannelRef ref, std::uint64_t number,
                const Result<HistoryPage>& page);
  bool is_behind(const Channel& channel);
  void go_to(Channel& channel, const Position& at) noexcept;

  Broker& broker_;
  Presence& presence_;
  const RuleSet& rules_;
  Rule revocations_;
  Rule tokens_;
  Attendance attendance_;
  Channels channels_;
  Table<Channels::Number, ByRef> index_{ByRef{&channels_}};  // of all of them
  std::unordered_map<const Channel*, Apart> aparts_;
  std::vector<Batch> batches_;  // empty between drains
  std::size_t handed_ = 0;      // of them, to everybody
  std::deque<Run> runs_;
  std::size_t runs_used_ = 0;
  bool paused_ = false;           // this drain is over
  std::uint64_t held_count_ = 0;  // ever; the next one's id
  std::uint64_t repairs_ = 0;
  std::exception_ptr
      failure_;  // of a subscriber's, until all others have theirs

  // A broker may answer when the hub is gone.
  std::shared_ptr<Hub*> self_ = std::make_shared<Hub*>(this);
};

}  // namespace paperboy::hub
