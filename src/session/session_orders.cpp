// What a back end orders of a session, and how those of plain dialects obey:
// they have the channels of their location, and no name of their own.
#include <algorithm>
#include <vector>

#include "session/conversation.hpp"
#include "session/session.hpp"

namespace paperboy::session {

Bytes Session::name_space() const {
  if (const auto talk = conversation()) return talk->name_space();
  if (subscriptions_.empty()) return {};
  const Bytes key = subscriptions_.front().channel_name();
  const std::size_t nul = key.find('\0');
  return nul == Bytes::npos ? Bytes() : key.substr(0, nul);
}

bool Session::is_for_it(const hub::Order& order) const {
  if (order.user && *order.user != user()) return false;
  if (order.name_space != name_space()) return false;
  if (order.client.empty() && order.spared.empty()) return true;
  const auto talk = conversation();
  const std::string client = talk ? talk->client() : std::string();
  return (order.client.empty() || order.client == client) &&
         std::ranges::find(order.spared, client) == order.spared.end();
}

std::vector<const hub::Subscription*> Session::subscriptions_to(
    Bytes channel) const {
  std::vector<const hub::Subscription*> found;
  for (const auto& one : subscriptions_) {
    if (channel.empty() || one.channel_name() == channel) found.push_back(&one);
  }
  return found;
}

void Session::obey(const hub::Order& order) {
  if (!is_for_it(order)) return;
  const bool refresh = order.kind == hub::Order::Kind::refresh;
  const bool over =
      order.expires != 0 && order.expires <= context().clock.unix_seconds();
  if (order.kind == hub::Order::Kind::disconnect) {
    if (auto talk = conversation()) talk->stay_away();
    end({order.code, order.reason});
  } else if (refresh && (order.expired || over)) {
    end({close::kExpired, "the token has expired"});
  } else if (auto talk = conversation()) {
    talk->obey(order);
  } else if (refresh) {
    (void)admitted(user(), order.expires);
  } else if (order.kind == hub::Order::Kind::unsubscribe) {
    leave(order.channel);
  }
}

/// Without a channel such a connection has nothing to be there for.
void Session::leave(Bytes channel) {
  for (const auto* const subscription : subscriptions_to(channel)) {
    if (subscription_count() == 1) {
      end({close::kForceDisconnect, "unsubscribed by the server"});
      return;
    }
    unsubscribe(*subscription);
  }
}

}  // namespace paperboy::session
