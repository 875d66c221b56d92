// How a conversation begins, and who it is then: tokens, the server's own
// subscriptions, renewal.
#include <algorithm>
#include <limits>

#include "hub/key.hpp"
#include "session/conversation.hpp"

namespace paperboy::session {

namespace {

constexpr Close kInvalidToken{close::kInvalidToken, "invalid token"};

// In so long a client may show `max_bad_tokens`.
constexpr std::uint64_t kBadTokensMs = 5000;

/// As at a location whose channels are fixed: a token that names none decides
/// by its scopes alone.
bool allows(const auth::Grants& grants, Bytes channel) {
  return grants.names_channels()
             ? grants.allows(auth::Scope::subscribe, channel)
             : grants.has(auth::Scope::subscribe);
}

/// 0: never.
std::int64_t earlier(std::int64_t a, std::int64_t b) {
  return a == 0 || b == 0 ? std::max(a, b) : std::min(a, b);
}

void apply(const Ruling& ruling, Admission& admission) {
  if (!ruling.user.empty()) admission.user = ruling.user;
  if (!ruling.info.empty()) admission.info = ruling.info;
  admission.expires = earlier(admission.expires, ruling.expires);
  admission.limits = stricter(admission.limits, ruling.limits);
  if (!ruling.grants) return;
  admission.grants = ruling.grants;
  admission.subscriptions = ruling.subscriptions;
}

}  // namespace

// ---- connecting ------------------------------------------------------------

Conversation::End Conversation::obey(const dialect::Connect& command) {
  if (!command.token.empty()) return show_token(command);
  if (!rare()->pending->admitted)
    return fail(command.id, ErrorCode::unauthorized);
  return begin(command);
}

/// The token in the command stands for one in the request, not for what a back
/// end has said.
Conversation::End Conversation::show_token(const dialect::Connect& command) {
  auto token = check(command.token);
  if (!token && auth::is_over(token.error())) {
    (void)fail(command.id, ErrorCode::token_expired);
    return note_bad_token();
  }
  if (!token && auth::is_undecided(token.error())) {
    return fail(command.id, ErrorCode::unavailable);
  }
  if (!token) return kInvalidToken;
  Admission& admission = *rare()->pending;
  if (!token->user.empty()) admission.user = token->user;
  admission.info = token->info;
  admission.by_token = true;
  admission.mark = mark_of(*token);
  admission.limits = token->limits;
  admission.expires = end_of(*token);
  admission.grants = std::move(token->grants);
  admission.subscriptions = std::move(token->subscriptions);
  if (admission.ruling) apply(*admission.ruling, admission);
  return begin(command);
}

Conversation::End Conversation::begin(const dialect::Connect& command) {
  const Admission& shown = *rare()->pending;
  if (!session_.admitted(shown.user, shown.expires) ||
      !session_.limited(shown.limits, shown.user)) {
    return kConnectionLimit;
  }
  session_.marked(shown.mark);
  const auto admission = std::move(rare()->pending);
  talk().let_in = true;
  session_.rearm();
  if (admission->grants) set_grants(*admission->grants);
  set_info(admission->info);
  if (admission->ruling) {
    need_names().ruling =
        std::make_unique<const Ruling>(std::move(*admission->ruling));
  }
  need_rare().connecting = std::make_unique<Connecting>();
  need_rare().connecting->id = command.id;
  need_rare().connecting->expires = admission->expires;
  if (const auto end = join_all(command, *admission)) return end;
  need_rare().connecting->begun = true;
  return conclude();
}

Conversation::End Conversation::join_all(const dialect::Connect& command,
                                         const Admission& admission) {
  for (const std::string& channel : admission.channels) {
    if (!may_join(channel)) {
      return Close{close::kPermissionDenied, "permission denied"};
    }
    if (const auto end = join(command, channel, {})) return end;
  }
  for (const auto& one : admission.subscriptions) {
    if (!granted(auth::Scope::subscribe, one.channel)) continue;
    const auto channel = key(one.channel);
    if (!channel) return kInvalidToken;
    if (rule(*channel).subscribe == hub::Access::nobody) continue;
    if (const auto end = join(command, *channel, one.data)) return end;
  }
  return {};
}

/// A channel of the location's.
bool Conversation::may_join(const std::string& key) const {
  const hub::Rule& rule = this->rule(key);
  const hub::Access who = rule.subscribe;
  const Bytes name = hub::channel_name(key);
  if (who == hub::Access::nobody) return false;
  if (opens(rule, who, name, session_.user())) return true;
  if (grants() == nullptr) return who == hub::Access::location;
  return allows(*grants(), name) && !is_taken(name);
}

/// One subscription of the server's.
Conversation::End Conversation::join(const dialect::Connect& command,
                                     const std::string& key, Bytes data) {
  if (session_.find(key) != nullptr) return {};
  const std::string id = client();
  const auto subscribed = session_.subscribe(key, member(id, {}), true);
  if (!subscribed) {
    return subscribed.error().code == ErrorCode::subscription_limit
               ? Close{close::kChannelLimit, "channel limit"}
               : Close{close::kServerError, "internal server error"};
  }
  talk().server_side = true;
  const std::string name(hub::channel_name(key));
  const auto before =
      std::ranges::find(command.returns, name, &dialect::Return::channel);
  std::optional<Position> since;
  if (before != command.returns.end()) {
    since = position_of(before->place.epoch, before->place.offset);
  }
  await(**subscribed, data, since);
  return {};
}

/// The answer to connect tells of it, and waits until it can.
void Conversation::await(hub::Subscription& subscription, Bytes data,
                         const std::optional<Position>& since) {
  Connecting& connecting = *rare()->connecting;
  const Position at = subscription.position();
  connecting.of.push_back(&subscription);
  connecting.told.push_back(
      {std::string(hub::channel_name(subscription.channel_name())),
       at,
       std::string(data),
       {}});
  if (!since && at.epoch != 0) return;
  connecting.awaited.push_back(&subscription);
  recover(subscription, since,
          [here = *this, &subscription, back = since.has_value()](
              const Result<hub::Recovery>& recovery) mutable {
            here.arrived(subscription, back, recovery);
          });
}

void Conversation::arrived(const hub::Subscription& subscription, bool back,
                           const Result<hub::Recovery>& recovery) {
  if (!is_connecting(subscription)) return;
  Connecting& connecting = *rare()->connecting;
  std::erase(connecting.awaited, &subscription);
  if (recovery) {
    const auto found = std::ranges::find(connecting.of, &subscription);
    auto& one =
        connecting
            .told[static_cast<std::size_t>(found - connecting.of.begin())];
    one.position = recovery->position;
    if (back) {
      one.recovered = {true, recovery->recovered, recovery->publications};
    }
  } else {
    connecting.failed = true;
  }
  if (!connecting.begun) return;
  if (const auto end = conclude()) session_.end(*end);
}

/// The answer, once nothing is waited for. One that can't be subscribed now is
/// to come back, and clients wait before they do.
Conversation::End Conversation::conclude() {
  if (!rare()->connecting->failed && !rare()->connecting->awaited.empty()) {
    return {};
  }
  const auto connecting = std::exchange(rare()->connecting, nullptr);
  tidy();
  if (connecting->failed) {
    fail(connecting->id, ErrorCode::unavailable);
    return Close{close::kServerError, "internal server error"};
  }
  reply(dialect::Connected{
      connecting->id, client(), time_left(connecting->expires),
      (session_.settings().ping_interval_ms + 999) / 1000, connecting->told});
  session_.announce();
  return {};
}

bool Conversation::is_connecting(const hub::Subscription& subscription) const {
  if (!rare() || !rare()->connecting) return false;
  const auto& all = rare()->connecting->of;
  return std::ranges::find(all, &subscription) != all.end();
}

/// It is over before the client was told of it.
void Conversation::leave_connecting(const hub::Subscription& subscription) {
  if (!is_connecting(subscription)) return;
  Connecting& connecting = *rare()->connecting;
  const auto found = std::ranges::find(connecting.of, &subscription);
  connecting.told.erase(connecting.told.begin() +
                        (found - connecting.of.begin()));
  connecting.of.erase(found);
  std::erase(connecting.awaited, &subscription);
  if (!connecting.begun) return;
  if (const auto end = conclude()) session_.end(*end);
}

// ---- tokens ----------------------------------------------------------------

/// Where it isn't known which are revoked none is good, or bad.
Conversation::Checked Conversation::check(const std::string& token) const {
  auto verified = verify(token);
  if (!verified) return verified;
  const auth::Revocations* const revoked = session_.context().revocations;
  if (revoked != nullptr && !revoked->complete()) {
    return auth::TokenError::unknown_so_far;
  }
  const Bytes user =
      verified->user.empty() ? session_.user() : Bytes(verified->user);
  if (is_revoked(user, mark_of(*verified))) return auth::TokenError::revoked;
  if (verified->opaque != 0) {
    (void)session_.context().tokens->keep(verified->opaque);
  }
  return verified;
}

/// Without a key no token is good: one that isn't checked must not seem so.
Conversation::Checked Conversation::verify(const std::string& token) const {
  const auto& settings = session_.settings();
  if (settings.issuers == nullptr) return auth::TokenError::unknown_key;
  auth::TokenStore* const store = session_.context().tokens;
  const bool opaque =
      settings.opaque != nullptr && store != nullptr && auth::is_opaque(token);
  auto checked = opaque ? store->find(name_space(), token, *settings.opaque)
                        : auth::verify(token, *settings.issuers,
                                       session_.context().clock.unix_seconds());
  Warden* const warden = session_.warden();
  if (warden != nullptr && !checked && auth::is_invented(checked.error())) {
    warden->bad_token();
  }
  return checked;
}

/// A token that opens nothing has been checked all the same: a client that
/// shows one after the other ends.
Conversation::End Conversation::note_bad_token() {
  const std::uint64_t now = session_.context().clock.monotonic_ms();
  Rare& here = need_rare();
  if (now - here.bad_since >= kBadTokensMs) {
    here.bad_tokens = 0;
    here.bad_since = now;
  }
  if (++here.bad_tokens <= session_.settings().max_bad_tokens) return {};
  return kTooManyRequests;
}

std::int64_t Conversation::end_of(const auth::Token& token) const {
  return session_.settings().tokens_only_admit ? 0 : token.expires.value_or(0);
}

/// What the client is told to have is less than it has: it renews at its end,
/// and that takes time. 0: it has forever.
std::int64_t Conversation::time_left(std::int64_t expires) const {
  constexpr std::int64_t kMargin = 10;
  constexpr std::int64_t kMost = std::numeric_limits<std::int32_t>::max();
  if (expires == 0) return 0;
  const auto left = expires - session_.context().clock.unix_seconds();
  const auto margin = std::min(kMargin, left / 4 + 1);
  return std::clamp<std::int64_t>(left - margin, 1, kMost);
}

/// Clients give up where renewing fails for good; what they have still holds,
/// and the next token may be good.
Conversation::End Conversation::fail_renewal(std::uint64_t id, ErrorCode code) {
  reply(dialect::Failed{id, code, code == ErrorCode::token_expired});
  return {};
}

Conversation::End Conversation::obey(const dialect::Refresh& command) {
  const auto token = check(command.token);
  if (!token && auth::is_over(token.error())) {
    (void)fail_renewal(command.id, ErrorCode::token_expired);
    return note_bad_token();
  }
  if (!token && auth::is_undecided(token.error())) {
    reply(dialect::Failed{command.id, ErrorCode::unavailable, true});
    return {};
  }
  if (!token || token->user != session_.user()) return kInvalidToken;
  const Ruling none;
  const bool ruled = names() != nullptr && names()->ruling;
  const Ruling& ruling = ruled ? *names()->ruling : none;
  if (!ruling.grants) set_grants(token->grants);
  if (ruling.info.empty()) set_info(token->info);
  const std::int64_t expires = earlier(end_of(*token), ruling.expires);
  if (!session_.limited(stricter(token->limits, ruling.limits), token->user)) {
    return kConnectionLimit;
  }
  (void)session_.admitted(token->user, expires);
  session_.marked(mark_of(*token));
  reply(dialect::Refreshed{command.id, client(), time_left(expires)});
  return {};
}

}  // namespace paperboy::session
