// What becomes of a session when a token is revoked that it was let in by: of a
// conversation, and of plain dialects.
#include "session/conversation.hpp"
#include "session/session.hpp"

#include <algorithm>

#include "hub/key.hpp"

namespace paperboy::session {

namespace {

constexpr Close kRevoked{close::kExpired, "the token was revoked"};

}  // namespace

/// As with a token that has expired: it is to come back with another.
void Session::end_revoked() {
  context_.counters.add(Counter::revoked_connections);
  end(kRevoked);
}

// ---- plain dialects --------------------------------------------------------

void Session::recheck() {
  const auth::Revocations* const all = context_.revocations;
  if (all == nullptr || all->empty()) return;
  if (auto* const talk = conversation()) return talk->recheck();
  const auth::TokenMark token = mark();
  const std::uint64_t space = all->number(name_space());
  const std::uint64_t who = all->number(user());
  const std::int64_t now = context_.clock.unix_seconds();
  if (all->revokes(space, who, token, now)) {
    end_revoked();
    return;
  }
  for (const auto* const one : subscriptions_to({})) {
    const std::uint64_t channel = all->number(one->channel_name());
    if (!all->revokes(space, who, token, channel, now)) continue;
    if (subscription_count_ == 1) {
      end_revoked();
      return;
    }
    context_.counters.add(Counter::revoked_subscriptions);
    unsubscribe(*one);
  }
}

// ---- conversations ---------------------------------------------------------

std::uint64_t Conversation::number(Bytes text) const {
  const auth::Revocations* const all = session_.context_.revocations;
  return all != nullptr ? all->number(text) : 0;
}

auth::TokenMark Conversation::mark_of(const auth::Token& token) const {
  const auth::Revocations* const all = session_.context_.revocations;
  return all != nullptr ? all->mark(token.id, token.issued) : auth::TokenMark{};
}

/// Of a channel's key; none: as a whole.
bool Conversation::is_revoked(Bytes user, const auth::TokenMark& token,
                              Bytes key) const {
  const auth::Revocations* const all = session_.context_.revocations;
  if (all == nullptr || all->empty()) return false;
  const std::int64_t now = session_.context_.clock.unix_seconds();
  const std::uint64_t space = all->number(name_space());
  const std::uint64_t who = all->number(user);
  return key.empty() ? all->revokes(space, who, token, now)
                     : all->revokes(space, who, token, all->number(key), now);
}

bool Conversation::is_taken(Bytes channel) const {
  const auth::Revocations* const all = session_.context_.revocations;
  if (all == nullptr || all->empty()) return false;
  const auto key = this->key(channel);
  return key && is_revoked(session_.user(), session_.mark(), *key);
}

/// One without a token of its own was let in by the connection's.
bool Conversation::is_revoked(const hub::Subscription& subscription) const {
  const Bytes key = subscription.channel_name();
  if (rare_) {
    const auto own = std::ranges::find(rare_->leases, &subscription,
                                       [](const Lease& one) { return one.at; });
    if (own != rare_->leases.end() && own->mark.known) {
      const auth::Revocations& all = *session_.context_.revocations;
      return all.revokes(all.number(name_space()), own->user, own->mark,
                         all.number(key),
                         session_.context_.clock.unix_seconds());
    }
  }
  return is_revoked(session_.user(), session_.mark(), key);
}

/// Where each subscription shows a token, the first stands for those after it
/// that show the same: most clients have one.
void Conversation::keep_token(const hub::Subscription& subscription,
                              const Entry& entry) {
  Entry own = entry;
  const auth::TokenMark known = session_.mark();
  const bool its = session_.user() == entry.user;
  if (entry.mark.known && its && !known.known) {
    session_.marked(entry.mark);
    own.mark = {};
  } else if (its && known.id == entry.mark.id &&
             known.issued == entry.mark.issued) {
    own.mark = {};
  }
  lease(subscription, own);
}

/// Where clients don't connect, there is no token but those of subscriptions,
/// and no word for the end of one.
void Conversation::recheck() {
  const Bytes user = session_.user();
  if (connects() && is_revoked(user, session_.mark())) {
    session_.end_revoked();
    return;
  }
  for (const auto* const one : session_.subscriptions_to({})) {
    if (!is_revoked(*one)) continue;
    if (!connects()) {
      session_.end_revoked();
      return;
    }
    session_.context_.counters.add(Counter::revoked_subscriptions);
    drop(*one, kSubscriptionExpired, "the token was revoked");
    forget(*one);
  }
}

}  // namespace paperboy::session
