#include "broker/redis_broker.hpp"

#include "hub/key.hpp"

namespace paperboy::broker {

namespace {

constexpr std::uint64_t kAskAgainMs = 900;
constexpr std::size_t kAskedAgain = 10'000;  // channels a second

}  // namespace

/// Between the zone's log and the hub: what is meant for the broker itself
/// stays here.
class RedisBroker::Listener final : public hub::BrokerEvents {
 public:
  Listener(RedisBroker& broker, hub::BrokerEvents& events)
      : broker_(broker), events_(events) {}

  void on_publication(hub::ChannelRef ref,
                      const Publication& publication) override {
    if (ref == broker_.demands_ref_) return hear(publication.data);
    if (publication.event == Event::anchor) {
      broker_.anchored(publication.channel);
    }
    events_.on_publication(ref, publication);
  }
  [[nodiscard]] bool has_enough() const override {
    return events_.has_enough();
  }

 private:
  /// A channel that is wanted; none: who relays has changed.
  void hear(Bytes demand) {
    if (demand.empty()) {
      broker_.relay_.look_at_others();
    } else {
      broker_.relay_.want(demand);
    }
  }

  RedisBroker& broker_;
  hub::BrokerEvents& events_;
};

RedisBroker::RedisBroker(shm::Zone& zone, shm::SeatIndex seat,
                         const hub::RuleSet& rules,
                         const redis::Options& options, redis::Network& network,
                         std::unique_ptr<redis::Engine> engine,
                         Counters& counters)
    : zone_(zone),
      seat_(seat),
      network_(network),
      counters_(counters),
      shm_(zone, seat),
      engine_(std::move(engine)),
      evidence_(&zone),
      store_(*engine_, network, options, evidence_),
      relay_(zone, seat, rules, options, network, *engine_, store_, evidence_,
             counters),
      reader_(zone, rules, options, network, store_),
      demands_(redis::demands_of(seat)) {
  counters_.add(Counter::redis_relays);
  if (options.inbox) {
    inbox_ = std::make_unique<redis::Inbox>(*this, rules, options, network,
                                            *engine_, store_.keys(), counters);
  }
  listen_for_demands();
  engine_->start(*this);
}

/// The seat's gauges begin at 0 in the next hands.
RedisBroker::~RedisBroker() {
  if (demands_ref_) shm_.unsubscribe(*demands_ref_);
}

void RedisBroker::listen_for_demands() {
  if (demands_ref_) return;
  const auto subscribed = shm_.subscribe(demands_, 0);
  if (subscribed) demands_ref_ = subscribed->ref;
}

/// What Redis delivers to it counts no longer for whether the node is ready.
void RedisBroker::give_way() {
  if (relay_.gives_way()) return;
  relay_.give_way();
  counters_.subtract(Counter::redis_relays);
  show_readiness();
}

// ---- subscribing -----------------------------------------------------------

Result<hub::Subscribed> RedisBroker::subscribe(Bytes channel,
                                               std::uint64_t most) {
  if (hub::stays_on_node(channel)) return shm_.subscribe(channel, most);
  const auto subscribed =
      zone_.subscribe(seat_, channel, most, shm::Anchor::later);
  if (!subscribed) return subscribed.error();
  if (subscribed->top.epoch == 0) demand(channel);
  return hub::Subscribed{hub::ChannelRef{subscribed->ref}, subscribed->top};
}

/// Tells the worker that relays the channel; again from time to time, until it
/// is anchored, since that one may die.
void RedisBroker::demand(Bytes channel) {
  const std::uint64_t now = network_.clock().monotonic_ms();
  const auto [found, made] = wanted_.try_emplace(std::string(channel), now);
  if (!made && now - found->second < kAskAgainMs) return;
  found->second = now;
  const auto owner = relay_.owner(channel);
  if (owner == seat_) {
    relay_.want(channel);
  } else if (owner) {
    // Where the log is full it is tried again.
    (void)zone_.publish({.channel = redis::demands_of(*owner),
                         .event = Event::passing,
                         .data = channel});
  }
}

void RedisBroker::anchored(Bytes channel) {
  wanted_.erase(std::string(channel));
  reader_.on_anchor(channel);
}

hub::Drained RedisBroker::drain(hub::BrokerEvents& events) {
  Listener listener(*this, events);
  const hub::Drained drained = shm_.drain(listener);
  // Anchors and demands may have been among what was lost.
  if (drained == hub::Drained::lost) {
    for (auto& [channel, asked_at] : wanted_) asked_at = 0;
    relay_.look_again();
  }
  return drained;
}

// ---- publishing ------------------------------------------------------------

/// What doesn't fit into this node's zone fits into no other of its size.
void RedisBroker::publish(const Draft& draft, const hub::PublishReply& reply) {
  if (hub::stays_on_node(draft.channel)) return shm_.publish(draft, reply);
  const auto admitted = zone_.admit(draft);
  if (!admitted) return reply(admitted.error());
  const redis::Shard shard = engine_->shard_of(redis::bucket_of(draft.channel));
  if (!engine_->is_up(shard) && draft.best_effort) {
    return publish_here(draft, reply);
  }
  if (draft.event != Event::message) {
    store_.signal(draft, [reply](const Result<Position>& at) {
      if (!at) return reply(at.error());
      reply(hub::Published{*at, 0});
    });
    return;
  }
  const std::string channel(draft.channel);
  const auto here = zone_.position(channel);
  store_.publish(
      draft, here ? *here : Position{},
      [this, channel, reply](const Result<redis::Placed>& placed) {
        if (!placed) {
          counters_.add(Counter::redis_refused);
          return reply(placed.error());
        }
        reply(hub::Published{placed->position, zone_.subscribers(channel),
                             placed->repeated});
      });
}

/// To this node's subscribers, as a message that has no position.
void RedisBroker::publish_here(const Draft& draft,
                               const hub::PublishReply& reply) {
  Draft passing = draft;
  if (passing.event == Event::message) passing.event = Event::passing;
  passing.keep = {};
  const auto published = zone_.publish(passing, shm::Anchor::later);
  if (!published) return reply(published.error());
  reply(hub::Published{published->position, published->subscribers});
}

// ---- history ---------------------------------------------------------------

void RedisBroker::history(Bytes channel, const HistoryQuery& query,
                          const hub::HistoryReply& reply) {
  if (hub::stays_on_node(channel)) return shm_.history(channel, query, reply);
  reader_.history(channel, query, reply);
}

/// The nodes forget what they have when they hear of it.
void RedisBroker::remove_history(Bytes channel, const hub::DoneReply& reply) {
  if (hub::stays_on_node(channel)) return shm_.remove_history(channel, reply);
  store_.remove(channel, [reply](const Result<Position>& at) {
    if (!at) return reply(at.error());
    reply(Done{});
  });
}

// ---- time and connections --------------------------------------------------

void RedisBroker::on_up(redis::Shard shard) {
  relay_.on_up(shard);
  if (shard_up_) shard_up_(shard);
  show_readiness();
}

void RedisBroker::on_down(redis::Shard shard) {
  relay_.on_down(shard);
  show_readiness();
}

void RedisBroker::tick() {
  shm_.tick();
  listen_for_demands();
  relay_.tick();
  evidence_.keep();
  if (inbox_) inbox_->tick(relay_.owner(redis::Inbox::kBucket) == seat_);
  ask_again();
  show_readiness();
}

/// What was asked for a while ago and isn't anchored yet.
void RedisBroker::ask_again() {
  const std::uint64_t now = network_.clock().monotonic_ms();
  std::vector<std::string> again;
  for (const auto& [channel, asked_at] : wanted_) {
    if (now - asked_at >= kAskAgainMs) again.push_back(channel);
    if (again.size() == kAskedAgain) break;
  }
  for (const std::string& channel : again) {
    const auto at = zone_.position(channel);
    if (at && at->epoch == 0) {
      demand(channel);
    } else {
      anchored(channel);
    }
  }
}

void RedisBroker::show_readiness() {
  const bool ready = relay_.delivers() && !relay_.gives_way();
  if (ready == ready_) return;
  ready_ = ready;
  if (ready) {
    counters_.add(Counter::redis_ready);
  } else {
    counters_.subtract(Counter::redis_ready);
  }
}

}  // namespace paperboy::broker
