// The worker's hub: its channels, its subscribers, and the fan-out from one
// publication to all of them. One a worker, on its event loop.
//
// Delivery in two steps: `drain` lets the broker bring all that waits, each
// publication encoded once for each kind of subscriber; then every subscriber
// of a channel that something came for is handed the same contiguous run.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/encoder.hpp"
#include "hub/broker.hpp"
#include "hub/channel.hpp"
#include "hub/subscription.hpp"

namespace paperboy::hub {

class Hub final : private BrokerEvents {
 public:
  /// `broker` must outlive the hub, the hub all subscriptions.
  explicit Hub(Broker& broker) : broker_(broker) {}
  ~Hub() override = default;

  /// Puts `subscription` into `channel` (a key: see key.hpp). Everything that
  /// is published after the returned position is delivered, encoded by
  /// `encoder`, which must outlive the subscription.
  Result<Position> subscribe(Subscription& subscription, Bytes channel,
                             Encoder& encoder);
  /// Does nothing where it isn't active.
  void unsubscribe(Subscription& subscription);

  void publish(const Draft& draft, const PublishReply& reply) {
    broker_.publish(draft, reply);
  }

  /// Brings what waits at the broker to the subscribers. True: more waits.
  /// Runs stay valid until `release`, so that transports can send them as
  /// they are; call it once they have.
  bool drain();
  void release();

  [[nodiscard]] std::size_t channel_count() const { return channels_.size(); }

 private:
  friend class Subscription;

  /// What a drain brought for one channel, up to the next hole: a run for
  /// each group that has members, the first at index `runs`.
  struct Batch {
    Channel* channel;
    std::size_t runs;
    std::uint32_t count;  // of publications
    bool hole;            // publications before these were lost
  };

  void on_publication(ChannelRef ref, const Publication& publication) override;
  bool is_new(const Channel& channel, const Position& next);
  Batch& batch_for(Channel& channel, const Position& next);
  void add_run();
  void fan_out();
  void lose();
  void discard();
  void tell_gaps();
  static Group& group_for(Channel& channel, Encoder& encoder);

  Broker& broker_;
  std::unordered_map<ChannelRef, std::unique_ptr<Channel>> channels_;
  std::vector<Batch> batches_;  // empty between drains
  std::deque<std::string> runs_;
  std::size_t runs_used_ = 0;
};

}  // namespace paperboy::hub
