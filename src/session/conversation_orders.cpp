// What a back end orders of a conversation: the client is told by pushes.
#include "hub/key.hpp"
#include "session/conversation.hpp"

namespace paperboy::session {

namespace {

constexpr std::uint16_t kServerUnsubscribe = 2000;

}  // namespace

/// One that has yet to connect is subscribed to nothing, and its token is yet
/// to be seen.
void Conversation::obey(const hub::Order& order) {
  if (!connected()) return;
  switch (order.kind) {
    case hub::Order::Kind::disconnect:
      break;
    case hub::Order::Kind::unsubscribe:
      for (const auto* const one : session_.subscriptions_to(order.channel)) {
        drop(*one, kServerUnsubscribe, "server unsubscribe");
        forget(*one);
      }
      break;
    case hub::Order::Kind::subscribe:
      enter(order);
      break;
    case hub::Order::Kind::refresh:
      if (!order.info.empty()) {
        set_info(order.info);
      }
      (void)session_.admitted(session_.user(), order.expires);
      reply(dialect::Renewed{time_left(order.expires)});
      break;
  }
}

/// Who can't be subscribed now, or is already, stays as it is.
void Conversation::enter(const hub::Order& order) {
  if (session_.find(order.channel) != nullptr) return;
  const std::string id = client();
  const auto subscribed =
      session_.subscribe(order.channel, member(id, order.info), true);
  if (!subscribed) return;
  talk().server_side = true;
  let_in({});
  hub::Subscription& here = **subscribed;
  Entry entry;
  entry.expires = order.expires;
  lease(here, entry);
  if (rare() && rare()->connecting) {
    await(here, order.data, order.since);
    return;
  }
  if (!order.since && here.position().epoch != 0) {
    entered(here, order.data, {false, here.position(), {}});
    return;
  }
  recover(here, order.since,
          [talk = *this, &here,
           data = order.data](const Result<hub::Recovery>& recovery) mutable {
            if (recovery) {
              talk.entered(here, data, *recovery);
            } else {
              talk.forget(here);
            }
          });
}

/// What was missed comes as publications after the push, whose position is
/// before them.
void Conversation::entered(const hub::Subscription& subscription, Bytes data,
                           const hub::Recovery& recovery) {
  const Bytes name = hub::channel_name(subscription.channel_name());
  Position at = recovery.position;
  at.offset -= recovery.publications.size();
  reply(dialect::Entered{name, at, data});
  if (recovery.recovered) session_.go_on(subscription, recovery);
}

}  // namespace paperboy::session
