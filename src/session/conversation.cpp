#include "session/conversation.hpp"

#include <algorithm>
#include <limits>
#include <random>

#include "hub/key.hpp"

namespace paperboy::session {

namespace {

constexpr Close kBadRequest{close::kBadRequest, "bad request"};
constexpr Close kInvalidToken{close::kInvalidToken, "invalid token"};

// Unsubscribe codes; from 2500 on the client subscribes again.
constexpr std::uint16_t kInsufficient = 2500;
constexpr std::uint16_t kSubscriptionExpired = 2501;

std::uint64_t random_number() {
  std::random_device random;
  return std::uint64_t{random()} << 32 | random();
}

/// As at a location whose channels are fixed: a token that names none decides
/// by its scopes alone.
bool allows(const auth::Grants& grants, Bytes channel) {
  return grants.names_channels()
             ? grants.allows(auth::Scope::subscribe, channel)
             : grants.has(auth::Scope::subscribe);
}

}  // namespace

Conversation::Conversation(Session& session, const Admission& admission)
    : session_(session),
      pending_(std::make_unique<Admission>(admission)),
      client_{random_number(), random_number()},
      connect_by_(session.context_.clock.monotonic_ms() +
                  session.settings_.connect_timeout_ms) {
  if (!admission.name_space.empty()) {
    name_space_ = std::make_unique<const std::string>(admission.name_space);
  }
}

Conversation::~Conversation() = default;

void* Conversation::operator new(std::size_t) {
  return Slab<sizeof(Conversation)>::take();
}

void Conversation::operator delete(void* memory) {
  Slab<sizeof(Conversation)>::give(memory);
}

// ---- commands --------------------------------------------------------------

void Conversation::receive(const dialect::Message& message) {
  std::optional<dialect::Message> rest = message;
  std::string replies;
  batch_ = &replies;
  End end;
  for (std::size_t count = 0; !end; ++count) {
    const auto command = session_.settings_.dialect->decode(nullptr, rest);
    if (std::holds_alternative<dialect::NeedMore>(command)) break;
    if (count == session_.settings_.max_commands) {
      end = Close{close::kTooManyRequests, "too many requests"};
    } else {
      end = take(command);
    }
  }
  batch_ = nullptr;
  if (!replies.empty()) session_.outlet_.message({Kind::text, replies});
  if (end) session_.outlet_.end(*end);
}

Conversation::End Conversation::take(const dialect::Decoded& command) {
  if (const auto* const close = std::get_if<Close>(&command)) return *close;
  const bool connects = std::holds_alternative<dialect::Connect>(command);
  if (connects == connected()) return kBadRequest;
  return std::visit([this](const auto& one) { return obey(one); }, command);
}

/// What a conversation doesn't consist of.
template <typename Other>
Conversation::End Conversation::obey(const Other&) {
  return kBadRequest;
}

Conversation::End Conversation::obey(const dialect::Ping& command) {
  reply(dialect::Pong{command.id});
  return {};
}

Conversation::End Conversation::obey(const dialect::Refused& command) {
  return fail(command.id, command.code);
}

Conversation::Rare& Conversation::rare() {
  if (!rare_) rare_ = std::make_unique<Rare>();
  return *rare_;
}

void Conversation::reply(const dialect::Outcome& outcome) {
  if (batch_ != nullptr) {
    session_.settings_.dialect->reply(outcome, *batch_);
    return;
  }
  std::string text;
  session_.settings_.dialect->reply(outcome, text);
  session_.outlet_.message({Kind::text, text});
}

Conversation::End Conversation::fail(std::uint64_t id, ErrorCode code) {
  reply(dialect::Failed{id, code});
  return {};
}

Result<std::string> Conversation::key(Bytes name) const {
  return hub::channel_key(name_space_ ? Bytes(*name_space_) : Bytes(), name,
                          session_.settings_.max_channel_length);
}

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
  admission.expires = end_of(*token);
  for (const std::string& channel : admission.channels) {
    if (!allows(token->grants, hub::channel_name(channel))) {
      return Close{close::kPermissionDenied, "permission denied"};
    }
  }
  admission.grants = std::move(token->grants);
  admission.subscriptions = std::move(token->subscriptions);
  return begin(command);
}

Conversation::End Conversation::begin(const dialect::Connect& command) {
  const auto admission = std::move(pending_);
  if (admission->grants) {
    grants_ = std::make_unique<const auth::Grants>(*admission->grants);
  }
  std::vector<dialect::ServerSubscription> joined;
  for (const std::string& channel : admission->channels) {
    if (const auto end = join(channel, {}, joined)) return end;
  }
  for (const auto& one : admission->subscriptions) {
    if (!grants_->allows(auth::Scope::subscribe, one.channel)) continue;
    const auto channel = key(one.channel);
    if (!channel) return kInvalidToken;
    if (const auto end = join(*channel, one.data, joined)) return end;
  }
  session_.outlet_.admitted(admission->user, admission->expires);
  const auto& settings = session_.settings_;
  reply(dialect::Connected{command.id, client(), time_left(admission->expires),
                           (settings.ping_interval_ms + 999) / 1000, joined});
  return {};
}

Conversation::End Conversation::join(
    const std::string& key, Bytes data,
    std::vector<dialect::ServerSubscription>& joined) {
  if (session_.find(key) != nullptr) return {};
  const auto subscribed = session_.subscribe(key);
  if (subscribed) {
    server_side_ = true;
    const hub::Subscription& here = **subscribed;
    joined.push_back(
        {hub::channel_name(here.channel_name()), here.position(), data});
    return {};
  }
  if (subscribed.error().code == ErrorCode::subscription_limit) {
    return Close{close::kChannelLimit, "channel limit"};
  }
  return Close{close::kServerError, "internal server error"};
}

std::string Conversation::client() const {
  static constexpr char kHex[] = "0123456789abcdef";
  std::string text;
  for (const std::uint64_t half : client_) {
    for (int shift = 60; shift >= 0; shift -= 4) {
      text += kHex[half >> shift & 15];
    }
  }
  return text;
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

Conversation::End Conversation::obey(const dialect::Refresh& command) {
  const auto token = check(command.token);
  if (!token && token.error() == auth::TokenError::expired) {
    return fail(command.id, ErrorCode::token_expired);
  }
  if (!token || token->user != session_.outlet_.user()) return kInvalidToken;
  grants_ = std::make_unique<const auth::Grants>(token->grants);
  const std::int64_t expires = end_of(*token);
  session_.outlet_.admitted(token->user, expires);
  reply(dialect::Refreshed{command.id, client(), time_left(expires)});
  return {};
}

// ---- channels --------------------------------------------------------------

/// When the subscription ends; 0: never.
Result<std::int64_t> Conversation::check_channel(
    const std::string& name, const std::string& token) const {
  static constexpr Error kDenied{ErrorCode::forbidden, "not this channel"};
  if (!token.empty()) {
    const auto checked = check(token);
    if (!checked && checked.error() == auth::TokenError::expired) {
      return Error{ErrorCode::token_expired, "the channel's token has expired"};
    }
    if (!checked || checked->channel != name ||
        checked->user != session_.outlet_.user() ||
        !checked->grants.allows(auth::Scope::subscribe, name)) {
      return kDenied;
    }
    return end_of(*checked);
  }
  const bool may = session_.settings_.keys == nullptr ||
                   (grants_ && grants_->allows(auth::Scope::subscribe, name));
  return may ? Result<std::int64_t>(0) : kDenied;
}

Conversation::End Conversation::obey(const dialect::Subscribe& command) {
  const auto channel = key(command.channel);
  if (!channel) return fail(command.id, channel.error().code);
  if (session_.find(*channel) != nullptr) {
    return fail(command.id, ErrorCode::already_subscribed);
  }
  const auto expires = check_channel(command.channel, command.token);
  if (!expires) return fail(command.id, expires.error().code);
  const auto subscribed = session_.subscribe(*channel);
  if (!subscribed) return fail(command.id, subscribed.error().code);
  const hub::Subscription& here = **subscribed;
  if (*expires != 0) {
    rare().leases.emplace_back(&here, *expires);
    session_.outlet_.rearm();
  }
  reply(dialect::Subscribed{command.id, here.position(), time_left(*expires),
                            command.recover});
  return {};
}

Conversation::End Conversation::obey(const dialect::Unsubscribe& command) {
  const auto channel = key(command.channel);
  if (!channel) return fail(command.id, channel.error().code);
  if (const auto* const here = session_.find(*channel)) forget(*here);
  reply(dialect::Unsubscribed{command.id});
  return {};
}

Conversation::End Conversation::obey(const dialect::SubRefresh& command) {
  const auto channel = key(command.channel);
  if (!channel) return fail(command.id, channel.error().code);
  const auto* const here = session_.find(*channel);
  if (here == nullptr || command.token.empty()) {
    return fail(command.id, ErrorCode::forbidden);
  }
  const auto expires = check_channel(command.channel, command.token);
  if (!expires) return fail(command.id, expires.error().code);
  auto& leases = rare().leases;
  std::erase_if(leases, [&](const auto& one) { return one.first == here; });
  if (*expires != 0) leases.emplace_back(here, *expires);
  session_.outlet_.rearm();
  reply(dialect::SubRefreshed{command.id, time_left(*expires)});
  return {};
}

Result<Done> Conversation::may_publish(Bytes name) const {
  if (!session_.settings_.client_publish) {
    return Error{ErrorCode::forbidden, "clients don't publish here"};
  }
  if (session_.settings_.keys != nullptr &&
      (!grants_ || !grants_->allows(auth::Scope::publish, name))) {
    return Error{ErrorCode::forbidden, "the token doesn't allow it"};
  }
  return Done{};
}

Conversation::End Conversation::obey(const dialect::Publish& command) {
  const auto channel = key(command.channel);
  if (!channel) return fail(command.id, channel.error().code);
  if (const auto may = may_publish(command.channel); !may) {
    return fail(command.id, may.error().code);
  }
  const auto answer = [self = session_.self(),
                       counters = &session_.context_.counters,
                       id = command.id](const Result<hub::Published>& outcome) {
    counters->add(outcome ? Counter::publications : Counter::publish_errors);
    if (*self == nullptr) return;
    Conversation& here = *(*self)->conversation();
    if (outcome) {
      here.reply(dialect::Published{id});
    } else {
      here.reply(dialect::Failed{id, outcome.error().code});
    }
  };
  session_.context_.hub.publish({.channel = *channel,
                                 .kind = command.message.kind,
                                 .data = command.message.data},
                                answer);
  return {};
}

// ---- the end of a subscription ---------------------------------------------

void Conversation::forget(const hub::Subscription& subscription) {
  if (rare_) {
    std::erase_if(rare_->leases,
                  [&](const auto& one) { return one.first == &subscription; });
    std::erase(rare_->lost, &subscription);
    if (rare_->leases.empty() && rare_->lost.empty()) rare_.reset();
  }
  session_.unsubscribe(subscription);
}

void Conversation::drop(const hub::Subscription& subscription,
                        std::uint16_t code, Bytes reason) {
  reply(dialect::Dropped{hub::channel_name(subscription.channel_name()), code,
                         reason});
}

bool Conversation::lose(const hub::Subscription& at) {
  if (server_side_) return false;
  if (has_lost(at)) return true;
  rare().lost.push_back(&at);
  drop(at, kInsufficient, "insufficient state");
  return true;
}

bool Conversation::has_lost(const hub::Subscription& at) const {
  return rare_ && std::ranges::find(rare_->lost, &at) != rare_->lost.end();
}

void Conversation::settle() {
  while (rare_ && !rare_->lost.empty()) forget(*rare_->lost.back());
}

// ---- time ------------------------------------------------------------------

std::optional<std::uint64_t> Conversation::due_in() const {
  const Clock& clock = session_.context_.clock;
  if (!connected()) {
    const auto now = clock.monotonic_ms();
    return connect_by_ > now ? connect_by_ - now : 0;
  }
  if (!rare_ || rare_->leases.empty()) return {};
  const auto first = std::ranges::min_element(
      rare_->leases, {}, [](const auto& one) { return one.second; });
  const auto left = first->second - clock.unix_seconds();
  // No timer is that long; it looks again.
  constexpr std::int64_t kDay = 86'400;
  return static_cast<std::uint64_t>(std::clamp<std::int64_t>(left, 0, kDay)) *
         1000;
}

void Conversation::on_time() {
  if (!connected()) {
    if (due_in() == 0) session_.outlet_.end({close::kStale, "stale"});
    return;
  }
  const auto now = session_.context_.clock.unix_seconds();
  if (!rare_) return;
  const Leases leases = rare_->leases;
  for (const auto& [subscription, expires] : leases) {
    if (expires > now) continue;
    drop(*subscription, kSubscriptionExpired, "subscription expired");
    forget(*subscription);
  }
}

}  // namespace paperboy::session
