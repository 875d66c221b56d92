// What becomes of a session when a token is revoked that it was let in by: of a
// conversation, and of plain dialects.
#include "session/conversation.hpp"
#include "session/session.hpp"

#include <algorithm>

#include "hub/key.hpp"

namespace paperboy::session {

namespace {

constexpr Close kRevoked{close::kExpired, "the token was revoked"};
constexpr Close kExpired{close::kExpired, "the token has expired"};

/// What is open counts as a use of an opaque token; none: it stays open.
std::optional<Close> keep(const Context& context, const Settings& settings,
                          const auth::TokenMark& token) {
  using Standing = auth::OpaqueTable::Standing;
  if (!token.opaque || context.tokens == nullptr) return {};
  const Standing standing = context.tokens->keep(token.id);
  if (standing == Standing::ended) return kRevoked;
  const bool over = standing == Standing::unknown;
  return over && !settings.tokens_only_admit ? std::optional(kExpired)
                                             : std::nullopt;
}

}  // namespace

/// It is to come back with another token.
void Session::end_over(const Close& why) {
  if (why == kRevoked) context().counters.add(Counter::revoked_connections);
  end(why);
}

// ---- plain dialects --------------------------------------------------------

void Session::recheck() {
  if (auto talk = conversation()) return talk->recheck();
  const auth::TokenMark token = mark();
  const auth::Revocations* const all = context().revocations;
  if (all != nullptr && !all->empty() && leave_revoked(*all, token)) return;
  if (const auto over = keep(context(), settings(), token)) end_over(*over);
}

/// True: that was the end.
bool Session::leave_revoked(const auth::Revocations& revoked,
                            const auth::TokenMark& token) {
  const auto* const all = &revoked;
  const std::uint64_t space = all->number(name_space());
  const std::uint64_t who = all->number(user());
  const std::int64_t now = context().clock.unix_seconds();
  if (all->revokes(space, who, token, now)) {
    end_over(kRevoked);
    return true;
  }
  for (const auto* const one : subscriptions_to({})) {
    const std::uint64_t channel = all->number(one->channel_name());
    if (!all->revokes(space, who, token, channel, now)) continue;
    if (subscription_count() == 1) {
      end_over(kRevoked);
      return true;
    }
    context().counters.add(Counter::revoked_subscriptions);
    unsubscribe(*one);
  }
  return false;
}

// ---- conversations ---------------------------------------------------------

std::uint64_t Conversation::number(Bytes text) const {
  const auth::Revocations* const all = session_.context().revocations;
  return all != nullptr ? all->number(text) : 0;
}

auth::TokenMark Conversation::mark_of(const auth::Token& token) const {
  return auth::mark_of(session_.context().revocations, token);
}

/// Of a channel's key; none: as a whole.
bool Conversation::is_revoked(Bytes user, const auth::TokenMark& token,
                              Bytes key) const {
  const auth::Revocations* const all = session_.context().revocations;
  if (all == nullptr || all->empty()) return false;
  const std::int64_t now = session_.context().clock.unix_seconds();
  const std::uint64_t space = all->number(name_space());
  const std::uint64_t who = all->number(user);
  return key.empty() ? all->revokes(space, who, token, now)
                     : all->revokes(space, who, token, all->number(key), now);
}

bool Conversation::is_taken(Bytes channel) const {
  const auth::Revocations* const all = session_.context().revocations;
  if (all == nullptr || all->empty()) return false;
  const auto key = this->key(channel);
  return key && is_revoked(session_.user(), session_.mark(), *key);
}

/// One without a token of its own was let in by the connection's. None: it
/// stays.
Conversation::End Conversation::end_of(
    const hub::Subscription& subscription) const {
  const Bytes key = subscription.channel_name();
  const Context& context = session_.context();
  if (rare()) {
    const auto own = std::ranges::find(rare()->leases, &subscription,
                                       [](const Lease& one) { return one.at; });
    if (own != rare()->leases.end() && own->mark.known) {
      const auth::Revocations* const all = context.revocations;
      const bool revoked =
          all != nullptr &&
          all->revokes(all->number(name_space()), own->user, own->mark,
                       all->number(key), context.clock.unix_seconds());
      return revoked ? kRevoked : keep(context, session_.settings(), own->mark);
    }
  }
  if (is_revoked(session_.user(), session_.mark(), key)) return kRevoked;
  return connects() ? End{}
                    : keep(context, session_.settings(), session_.mark());
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
/// and no word for the end of one: what expires ends as by its own time.
void Conversation::recheck() {
  const auth::TokenMark own = session_.mark();
  if (connects()) {
    const End over = is_revoked(session_.user(), own)
                         ? kRevoked
                         : keep(session_.context(), session_.settings(), own);
    if (over) {
      session_.end_over(*over);
      return;
    }
  }
  for (const auto* const one : session_.subscriptions_to({})) {
    const End over = end_of(*one);
    if (!over) continue;
    if (!connects() && *over == kRevoked) {
      session_.end_over(*over);
      return;
    }
    if (*over == kRevoked) {
      session_.context().counters.add(Counter::revoked_subscriptions);
    }
    drop(*one, kSubscriptionExpired, over->reason);
    forget(*one);
  }
}

}  // namespace paperboy::session
