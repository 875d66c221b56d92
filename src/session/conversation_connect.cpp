// How a conversation begins, and who it is then: tokens, the server's own
// subscriptions, renewal.
#include <algorithm>
#include <limits>

#include "hub/key.hpp"
#include "session/conversation.hpp"

namespace paperboy::session {

namespace {

constexpr Close kInvalidToken{close::kInvalidToken, "invalid token"};

/// As at a location whose channels are fixed: a token that names none decides
/// by its scopes alone.
bool allows(const auth::Grants& grants, Bytes channel) {
  return grants.names_channels()
             ? grants.allows(auth::Scope::subscribe, channel)
             : grants.has(auth::Scope::subscribe);
}

std::unique_ptr<const std::string> owned(const std::string& text) {
  if (text.empty()) return nullptr;
  return std::make_unique<const std::string>(text);
}

}  // namespace

struct Conversation::Connecting {
  std::uint64_t id;
  std::int64_t expires;
  std::vector<dialect::ServerSubscription> joined;
  std::size_t waiting = 1;  // answers, and the end of the command
};

// ---- connecting ------------------------------------------------------------

Conversation::End Conversation::obey(const dialect::Connect& command) {
  if (!command.token.empty()) return show_token(command);
  if (!pending_->admitted) return fail(command.id, ErrorCode::unauthorized);
  return begin(command);
}

/// The token in the command stands for one in the request.
Conversation::End Conversation::show_token(const dialect::Connect& command) {
  auto token = check(command.token);
  if (!token && token.error() == auth::TokenError::expired) {
    return fail(command.id, ErrorCode::token_expired);
  }
  if (!token) return kInvalidToken;
  Admission& admission = *pending_;
  admission.user = token->user;
  admission.info = token->info;
  admission.by_token = true;
  admission.expires = end_of(*token);
  admission.grants = std::move(token->grants);
  admission.subscriptions = std::move(token->subscriptions);
  return begin(command);
}

Conversation::End Conversation::begin(const dialect::Connect& command) {
  session_.outlet_.admitted(pending_->user, pending_->expires);
  const auto admission = std::move(pending_);
  session_.outlet_.rearm();
  if (admission->grants) {
    grants_ = std::make_unique<const auth::Grants>(*admission->grants);
  }
  info_ = owned(admission->info);
  const auto connecting = std::make_shared<Connecting>(
      Connecting{command.id, admission->expires, {}});
  if (const auto end = join_all(command, *admission, connecting)) return end;
  joined(connecting);
  return {};
}

Conversation::End Conversation::join_all(
    const dialect::Connect& command, const Admission& admission,
    const std::shared_ptr<Connecting>& connecting) {
  for (const std::string& channel : admission.channels) {
    if (!may_join(channel)) {
      return Close{close::kPermissionDenied, "permission denied"};
    }
    if (const auto end = join(command, channel, {}, connecting)) return end;
  }
  for (const auto& one : admission.subscriptions) {
    if (!grants_->allows(auth::Scope::subscribe, one.channel)) continue;
    const auto channel = key(one.channel);
    if (!channel) return kInvalidToken;
    if (rule(*channel).subscribe == hub::Access::nobody) continue;
    if (const auto end = join(command, *channel, one.data, connecting)) {
      return end;
    }
  }
  return {};
}

/// A channel of the location's.
bool Conversation::may_join(const std::string& key) const {
  const hub::Access who = rule(key).subscribe;
  if (who == hub::Access::any) return true;
  if (who == hub::Access::nobody) return false;
  if (!grants_) return who == hub::Access::location;
  return allows(*grants_, hub::channel_name(key));
}

/// One subscription of the server's.
Conversation::End Conversation::join(
    const dialect::Connect& command, const std::string& key, Bytes data,
    const std::shared_ptr<Connecting>& connecting) {
  if (session_.find(key) != nullptr) return {};
  const std::string id = client();
  const auto subscribed = session_.subscribe(key, member(id, {}), true);
  if (!subscribed) {
    return subscribed.error().code == ErrorCode::subscription_limit
               ? Close{close::kChannelLimit, "channel limit"}
               : Close{close::kServerError, "internal server error"};
  }
  server_side_ = true;
  hub::Subscription& here = **subscribed;
  const std::string name(hub::channel_name(key));
  const std::size_t index = connecting->joined.size();
  connecting->joined.push_back({name, here.position(), std::string(data), {}});
  const auto before =
      std::ranges::find(command.returns, name, &dialect::Return::channel);
  if (before == command.returns.end()) return {};
  ++connecting->waiting;
  recover(here, position_of(before->place.epoch, before->place.offset),
          [this, connecting, index](const hub::Recovery& recovery) {
            auto& one = connecting->joined[index];
            one.position = recovery.position;
            one.recovered = {true, recovery.recovered, recovery.publications};
            joined(connecting);
          });
  return {};
}

/// The last that is waited for brings the answer.
void Conversation::joined(const std::shared_ptr<Connecting>& connecting) {
  if (--connecting->waiting > 0) return;
  reply(dialect::Connected{
      connecting->id, client(), time_left(connecting->expires),
      (session_.settings_.ping_interval_ms + 999) / 1000, connecting->joined});
}

// ---- tokens ----------------------------------------------------------------

/// Without a key no token is good: one that isn't checked must not seem so.
Conversation::Checked Conversation::check(const std::string& token) const {
  const auto& settings = session_.settings_;
  if (settings.keys == nullptr) return auth::TokenError::unknown_key;
  return auth::verify(token, *settings.keys, *settings.token_rules,
                      session_.context_.clock.unix_seconds());
}

std::int64_t Conversation::end_of(const auth::Token& token) const {
  return session_.settings_.tokens_only_admit ? 0 : token.expires.value_or(0);
}

/// What the client is told to have is less than it has: it renews at its end,
/// and that takes time. 0: it has forever.
std::int64_t Conversation::time_left(std::int64_t expires) const {
  constexpr std::int64_t kMargin = 10;
  constexpr std::int64_t kMost = std::numeric_limits<std::int32_t>::max();
  if (expires == 0) return 0;
  const auto left = expires - session_.context_.clock.unix_seconds();
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
  if (!token && token.error() == auth::TokenError::expired) {
    return fail_renewal(command.id, ErrorCode::token_expired);
  }
  if (!token || token->user != session_.outlet_.user()) return kInvalidToken;
  grants_ = std::make_unique<const auth::Grants>(token->grants);
  info_ = owned(token->info);
  const std::int64_t expires = end_of(*token);
  session_.outlet_.admitted(token->user, expires);
  reply(dialect::Refreshed{command.id, client(), time_left(expires)});
  return {};
}

}  // namespace paperboy::session
