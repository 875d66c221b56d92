// How a client is let in that doesn't connect by a command: each subscription
// shows a token, and the first that is granted says who it is.
#include <utility>

#include "hub/key.hpp"
#include "session/conversation.hpp"

namespace paperboy::session {

namespace {

Error error_of(auth::TokenError error) {
  const auto code = auth::is_over(error)        ? ErrorCode::token_expired
                    : auth::is_undecided(error) ? ErrorCode::unavailable
                                                : ErrorCode::unauthorized;
  return {code, auth::token_error_text(error)};
}

}  // namespace

Conversation::End Conversation::enter_by_token(
    const dialect::Subscribe& command) {
  if (session_.settings().authorize == Settings::Authorize::back_end) {
    return ask_back_end(command);
  }
  const auto entry = check_entry(command);
  if (!entry) {
    (void)fail(command.id, entry.error());
    return note_bad_token();
  }
  const auto end = join_channel(command.id, *entry);
  const auto channel = key(entry->channel);
  if (channel && session_.find(*channel) != nullptr) notify_back_end(command);
  return end;
}

/// One that is in the channel already is told so once more; where it begins may
/// have to be found out first.
Conversation::End Conversation::join_channel(std::uint64_t id,
                                             const Entry& entry) {
  if (const auto heard = hear_user(entry.user); !heard) {
    return fail(id, heard.error());
  }
  const auto channel = key(entry.channel);
  if (!channel) return fail(id, channel.error());
  if (!narrow(entry)) return kConnectionLimit;
  auto* const there = session_.find(*channel);
  const auto subscribed =
      there != nullptr ? there : subscribe_to(*channel, entry);
  if (!subscribed) return fail(id, subscribed.error());
  hub::Subscription& here = **subscribed;
  let_in(entry.user);
  hear_for(entry);
  keep_token(here, entry);
  if (is_asked(here)) return {};
  if (there == nullptr) {
    if (entry.by_back_end) note_young(here, {});
    if (look_back(here, id, entry.expires)) return {};
  }
  if (here.position().epoch == 0) {
    return_to(here, {.id = id, .channel = {}, .token = {}, .since = {}},
              entry.expires);
    return {};
  }
  reply(dialect::Subscribed{
      id, entry.channel, here.position(), time_left(entry.expires), {}});
  if (there == nullptr) joined(here, here.position());
  return {};
}

/// A channel whose rule lets everybody in needs no token, once it is named.
Result<Conversation::Entry> Conversation::check_entry(
    const dialect::Subscribe& command) const {
  Entry entry;
  entry.channel = command.channel;
  const auto token = check(command.token);
  if (!token && entry.channel.empty()) return error_of(token.error());
  if (entry.channel.empty()) entry.channel = token->channel;
  const auto channel = key(entry.channel);
  if (!channel) return channel.error();
  const hub::Rule& rule = this->rule(*channel);
  const hub::Access who = rule.subscribe;
  if (who == hub::Access::nobody) {
    return Error{ErrorCode::forbidden,
                 "the channel's rule doesn't let it subscribe"};
  }
  const bool open = opens(rule, who, entry.channel,
                          token ? Bytes(token->user) : session_.user());
  if (!token) return open ? Result<Entry>(entry) : error_of(token.error());
  if (!open && !token->grants.allows(auth::Scope::subscribe, entry.channel)) {
    return Error{ErrorCode::forbidden,
                 "the token doesn't allow subscribing to this channel"};
  }
  const Bytes user = session_.user();
  if (session_.settings().dialect->is_one_user() && !user.empty() &&
      user != token->user) {
    return Error{ErrorCode::forbidden, "the token is of another user"};
  }
  entry.user = token->user;
  entry.mark = mark_of(*token);
  if (!open && is_revoked(entry.user, entry.mark, *channel)) {
    return error_of(auth::TokenError::revoked);
  }
  entry.info = token->info;
  entry.expires = end_of(*token);
  entry.limits = token->limits;
  return entry;
}

/// Each token may say how much: the strictest holds. False: there are as many
/// connections of its user as that allows.
bool Conversation::narrow(const Entry& entry) {
  if (entry.limits.empty()) return true;
  const Warden* const before = session_.warden();
  const auth::Allowance limits =
      before != nullptr ? stricter(before->allowance(), entry.limits)
                        : entry.limits;
  const Bytes user = session_.user();
  return session_.limited(limits, user.empty() ? Bytes(entry.user) : user);
}

Result<hub::Subscription*> Conversation::subscribe_to(
    const std::string& channel, const Entry& entry) {
  const std::string id = client();
  Member who = member(id, entry.info);
  if (who.user.empty()) who.user = entry.user;
  return session_.subscribe(channel, who);
}

/// It has its time to connect no longer, and from here on the name of `user`,
/// unless it has one.
void Conversation::let_in(Bytes user) {
  if (!user.empty() && session_.user().empty()) {
    if (!session_.admitted(user, 0)) {
      session_.end(kConnectionLimit);
    }
  }
  if (talk().let_in) return;
  talk().let_in = true;
  tidy();
  session_.rearm();
}

}  // namespace paperboy::session
