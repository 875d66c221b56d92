// The worker's hub: its channels, its subscribers, and the fan-out from one
// publication to all of them. One a worker, on its event loop.
//
// Delivery in two steps: `drain` lets the broker bring all that waits, each
// publication encoded once for each kind of subscriber; then every subscriber
// of a channel that something came for is handed the same contiguous run.
#pragma once

#include <deque>
#include <memory>
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

  void publish(Bytes channel, Kind kind, Bytes data,
               const PublishReply& reply) {
    broker_.publish(channel, kind, data, reply);
  }

  /// Brings what waits at the broker to the subscribers. True: more waits.
  /// Runs stay valid until `release`, so that transports can send them as
  /// they are; call it once they have.
  bool drain();
  void release();

  [[nodiscard]] std::size_t channel_count() const { return channels_.size(); }

 private:
  friend class Subscription;

  void on_publication(ChannelRef ref, const Publication& publication) override;
  bool follows(Channel& channel, const Position& next);
  std::string* new_run();
  void fan_out();
  void discard();
  void tell_gaps();
  static Group& group_for(Channel& channel, Encoder& encoder);

  Broker& broker_;
  std::unordered_map<ChannelRef, std::unique_ptr<Channel>> channels_;
  std::vector<Channel*> touched_;
  std::deque<std::string> runs_;
  std::size_t runs_used_ = 0;
};

}  // namespace paperboy::hub
