#include "broker/shm_broker.hpp"

namespace paperboy::broker {

namespace {

shm::ChannelRef inner(hub::ChannelRef ref) {
  return static_cast<shm::ChannelRef>(ref);
}

class Forwarder final : public shm::Visitor {
 public:
  explicit Forwarder(hub::BrokerEvents& events) : events_(events) {}

  void visit(shm::ChannelRef ref, const Publication& publication) override {
    events_.on_publication(hub::ChannelRef{ref}, publication);
  }
  [[nodiscard]] bool has_enough() const override {
    return events_.has_enough();
  }

 private:
  hub::BrokerEvents& events_;
};

}  // namespace

Result<hub::Subscribed> ShmBroker::subscribe(Bytes channel,
                                             std::uint64_t most) {
  const auto subscribed = zone_.subscribe(seat_, channel, most);
  if (!subscribed) return subscribed.error();
  return hub::Subscribed{hub::ChannelRef{subscribed->ref}, subscribed->top};
}

void ShmBroker::unsubscribe(hub::ChannelRef ref) {
  const auto done = zone_.unsubscribe(seat_, inner(ref));
  if (!done && done.error().code == ErrorCode::unavailable) {
    leaving_.push_back(inner(ref));
  }
}

void ShmBroker::publish(const Draft& draft, const hub::PublishReply& reply) {
  if (closed_ != nullptr && closed_->load(std::memory_order_relaxed) != 0) {
    reply(Error{ErrorCode::unavailable,
                "another has taken over from this worker: try again"});
    return;
  }
  const auto published = zone_.publish(draft);
  if (published) {
    reply(hub::Published{published->position, published->subscribers,
                         published->repeated});
  } else {
    reply(published.error());
  }
}

hub::Drained ShmBroker::drain(hub::BrokerEvents& events) {
  Forwarder forwarder(events);
  switch (zone_.drain(seat_, {}, forwarder)) {
    case shm::Drained::empty:
      return hub::Drained::all;
    case shm::Drained::more:
      return hub::Drained::more;
    case shm::Drained::overrun:
      break;
  }
  return hub::Drained::lost;
}

Position ShmBroker::position(hub::ChannelRef ref) {
  return zone_.position(inner(ref));
}

Bytes ShmBroker::name(hub::ChannelRef ref) { return zone_.name(inner(ref)); }

void ShmBroker::history(Bytes channel, const HistoryQuery& query,
                        const hub::HistoryReply& reply) {
  reply(zone_.history(channel, query));
}

void ShmBroker::remove_history(Bytes channel, const hub::DoneReply& reply) {
  reply(zone_.remove_history(channel));
}

void ShmBroker::release_history(Bytes channel, const Position& until) {
  (void)zone_.remove_history(channel, until);
}

void ShmBroker::tick() {
  zone_.touch_seat(seat_);
  zone_.reap_dead_seats();
  zone_.go_round();
  zone_.sweep();
  const auto again = std::move(leaving_);
  leaving_.clear();
  for (const auto ref : again) unsubscribe(hub::ChannelRef{ref});
}

}  // namespace paperboy::broker
