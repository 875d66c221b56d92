// What a client does in channels once it is connected: subscribes, publishes,
// reads what is kept and who is there.
#include <algorithm>

#include "hub/key.hpp"
#include "session/conversation.hpp"

namespace paperboy::session {

namespace {

constexpr Error kDenied{ErrorCode::forbidden, "not in this channel"};
constexpr Error kRevoked{ErrorCode::token_expired,
                         "the channel's token was revoked"};

std::size_t size_of(const std::vector<Kept>& publications) {
  std::size_t size = 0;
  for (const Kept& kept : publications) {
    size += kept.data.size() + kept.extra.size();
  }
  return size;
}

}  // namespace

/// An answer that may come when the session is gone.
template <typename Answer>
auto Conversation::later(std::uint64_t id, Answer answer) {
  return [self = session_.self(), id, answer](const auto& outcome) {
    if (*self == nullptr) return;
    Conversation here(**self);
    if (outcome) {
      answer(here, *outcome);
    } else {
      here.fail(id, outcome.error().code);
    }
  };
}

// ---- subscribing -----------------------------------------------------------

bool Conversation::granted(auth::Scope scope, Bytes name) const {
  return grants() != nullptr && grants()->allows(scope, name) &&
         !is_taken(name);
}

/// Without keys a location is for everybody, unless a back end has said what
/// this client may.
bool Conversation::is_open() const {
  return session_.settings().issuers == nullptr && grants() == nullptr;
}

Result<Conversation::Entry> Conversation::check_channel(
    const std::string& name, const std::string& token) const {
  const auto channel = key(name);
  if (!channel) return channel.error();
  const hub::Rule& rule = this->rule(*channel);
  const hub::Access who = rule.subscribe;
  if (who == hub::Access::nobody) return kDenied;
  if (!token.empty()) {
    const auto checked = check(token);
    if (!checked && auth::is_over(checked.error())) {
      return Error{ErrorCode::token_expired, "the channel's token has expired"};
    }
    if (!checked && auth::is_undecided(checked.error())) {
      return Error{ErrorCode::unavailable,
                   auth::token_error_text(checked.error())};
    }
    if (!checked || checked->channel != name ||
        checked->user != session_.user() ||
        !checked->grants.allows(auth::Scope::subscribe, name)) {
      return kDenied;
    }
    const auth::TokenMark mark = mark_of(*checked);
    if (is_revoked(checked->user, mark, *channel)) return kRevoked;
    return Entry{end_of(*checked), checked->info, mark, {}, {}};
  }
  const bool open = opens(rule, who, name, session_.user()) ||
                    (who == hub::Access::location && is_open());
  if (open || granted(auth::Scope::subscribe, name)) return Entry{};
  return kDenied;
}

Conversation::End Conversation::obey(const dialect::Subscribe& command) {
  return connects() ? subscribe(command, /*decided=*/false)
                    : enter_by_token(command);
}

/// `decided`: a back end has said yes, where one is asked.
Conversation::End Conversation::subscribe(const dialect::Subscribe& command,
                                          bool decided) {
  const auto channel = key(command.channel);
  if (!channel) return fail(command.id, channel.error().code);
  if (session_.find(*channel) != nullptr) {
    return fail(command.id, ErrorCode::already_subscribed);
  }
  const auto entry = check_channel(command.channel, command.token);
  if (!entry) {
    (void)fail(command.id, entry.error().code);
    return command.token.empty() ? End{} : note_bad_token();
  }
  if (!decided && is_judged(Judge::Matter::subscribe)) {
    return await_verdict(command);
  }
  const std::string id = client();
  const auto subscribed =
      session_.subscribe(*channel, member(id, entry->info), command.join_leave);
  if (!subscribed) return fail(command.id, subscribed.error().code);
  hub::Subscription& here = **subscribed;
  lease(here, *entry);
  if (command.since || here.position().epoch == 0) {
    return_to(here, command, entry->expires);
    return {};
  }
  reply(dialect::Subscribed{command.id,
                            command.channel,
                            here.position(),
                            time_left(entry->expires),
                            {}});
  return {};
}

/// To where it was, as it says, or to where the channel stands, which isn't
/// known yet.
void Conversation::return_to(hub::Subscription& subscription,
                             const dialect::Subscribe& command,
                             std::int64_t expires) {
  std::optional<Position> since;
  if (command.since) {
    since = position_of(command.since->epoch, command.since->offset);
  }
  need_rare().asked.emplace_back(&subscription, command.id);
  recover(subscription, since,
          [here = *this, &subscription, expires, back = since.has_value()](
              const Result<hub::Recovery>& recovery) mutable {
            if (!recovery) {
              here.lose_way(subscription, recovery.error());
              return;
            }
            const auto id = here.take_asked(subscription).value();
            dialect::Recovered recovered;
            if (back) {
              recovered = {true, recovery->recovered, recovery->publications};
            }
            here.reply(dialect::Subscribed{
                id, hub::channel_name(subscription.channel_name()),
                recovery->position, here.time_left(expires), recovered});
            here.joined(subscription, recovery->position);
          });
}

/// Who isn't told of it has to come back, since it would wait forever.
void Conversation::lose_way(const hub::Subscription& subscription,
                            const Error& error) {
  forget(subscription);
  if (connects()) return;
  session_.end({close::kTryAgainLater, error.message});
}

/// The hub answers only while it is subscribed, and so while its session lives.
void Conversation::recover(hub::Subscription& subscription,
                           const std::optional<Position>& since,
                           const hub::RecoveryReply& reply) {
  const hub::RecoveryLimits limits{
      static_cast<std::uint32_t>(session_.settings().max_history), room()};
  const auto answer = [here = *this,
                       reply](const Result<hub::Recovery>& recovery) mutable {
    if (!recovery) {
      reply(recovery);
      return;
    }
    const std::size_t size = size_of(recovery->publications);
    const bool fits = size <= here.room();
    here.session_.context().counters.add(recovery->recovered && fits
                                             ? Counter::recovered
                                             : Counter::not_recovered);
    if (fits) {
      if (size != 0) here.need_rare().long_answers += size;
      reply(recovery);
    } else {
      reply(hub::Recovery{false, recovery->position, {}});
    }
  };
  session_.context().hub.recover(subscription, since, limits,
                                 since ? answer : reply);
}

void Conversation::lease(const hub::Subscription& subscription,
                         const Entry& entry) {
  if (rare()) {
    std::erase_if(rare()->leases,
                  [&](const auto& one) { return one.at == &subscription; });
  }
  if (entry.expires == 0 && !entry.mark.known) return;
  need_rare().leases.push_back(
      {&subscription, entry.expires, entry.mark,
       number(entry.user.empty() ? session_.user() : Bytes(entry.user))});
  session_.rearm();
}

Conversation::End Conversation::obey(const dialect::Unsubscribe& command) {
  if (command.all) {
    for (const auto* const one : session_.subscriptions_to({})) forget(*one);
    reply(dialect::Unsubscribed{command.id});
    return {};
  }
  const auto channel = key(command.channel);
  if (!channel) return fail(command.id, channel.error().code);
  if (const auto* const here = session_.find(*channel)) forget(*here);
  withdraw(command.channel);
  leave_with_user(command.channel);
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
  const auto entry = check_channel(command.channel, command.token);
  if (!entry) {
    (void)fail_renewal(command.id, entry.error().code);
    return note_bad_token();
  }
  lease(*here, *entry);
  reply(dialect::SubRefreshed{command.id, time_left(entry->expires)});
  return {};
}

// ---- publishing ------------------------------------------------------------

Result<Done> Conversation::may_publish(Bytes name) const {
  const auto channel = key(name);
  if (!channel) return channel.error();
  const hub::Rule& rule = this->rule(*channel);
  const hub::Access who = rule.publish;
  const bool location = who == hub::Access::location;
  if (who == hub::Access::nobody ||
      (location && !session_.settings().client_publish)) {
    return Error{ErrorCode::forbidden, "clients don't publish here"};
  }
  const bool open =
      opens(rule, who, name, session_.user()) || (location && is_open());
  if (open || granted(auth::Scope::publish, name)) return Done{};
  return Error{ErrorCode::forbidden, "the token doesn't allow it"};
}

Conversation::End Conversation::obey(const dialect::Publish& command) {
  return publish(command, /*decided=*/false);
}

Conversation::End Conversation::publish(const dialect::Publish& command,
                                        bool decided) {
  if (const auto may = may_publish(command.channel); !may) {
    return fail(command.id, may.error().code);
  }
  if (!decided && connects() && is_judged(Judge::Matter::publish)) {
    return await_verdict(command);
  }
  const auto channel = key(command.channel);
  std::string who = R"("info":)";
  append_member(who, member(client(), {}));
  const auto answer = [self = session_.self(),
                       counters = &session_.context().counters,
                       id = command.id](const Result<hub::Published>& outcome) {
    counters->add(outcome ? Counter::publications : Counter::publish_errors);
    if (*self == nullptr) return;
    Conversation here(**self);
    if (outcome) {
      here.reply(dialect::Published{id});
    } else {
      here.reply(dialect::Failed{id, outcome.error().code});
    }
  };
  session_.context().hub.publish({.channel = *channel,
                                  .kind = command.message.kind,
                                  .data = command.message.data,
                                  .extra = who},
                                 answer);
  return {};
}

// ---- reading ---------------------------------------------------------------

/// The channel's key, where its history or presence may be read.
Result<std::string> Conversation::may_read(auth::Scope scope,
                                           const std::string& name) {
  auto channel = key(name);
  if (!channel) return channel.error();
  const hub::Rule& rule = this->rule(*channel);
  const bool history = scope == auth::Scope::history;
  if (history ? rule.keep.count == 0 : !rule.presence) {
    return Error{ErrorCode::not_available, "the channel's rule has none"};
  }
  const hub::Access who = history ? rule.read_history : rule.read_presence;
  if (who == hub::Access::nobody) return kDenied;
  const bool open = opens(rule, who, name, session_.user()) ||
                    (who == hub::Access::location && is_open() &&
                     session_.find(*channel) != nullptr);
  if (!open && !granted(scope, name)) return kDenied;
  if (room() == 0) return Error{ErrorCode::too_large, "no room to answer"};
  return channel;
}

Conversation::End Conversation::obey(const dialect::History& command) {
  const auto channel = may_read(auth::Scope::history, command.channel);
  if (!channel) return fail(command.id, channel.error().code);
  HistoryQuery query{
      .limit = std::min(command.limit, static_cast<std::uint32_t>(
                                           session_.settings().max_history)),
      .bytes = session_.settings().send_buffer,
      .reverse = command.reverse};
  if (command.since)
    query.since = position_of(command.since->epoch, command.since->offset);
  const auto answer = [id = command.id, since = query.since](
                          Conversation& here, const HistoryPage& page) {
    const bool foreign =
        since && since->epoch != 0 && since->epoch != page.top.epoch;
    if (foreign) {
      here.fail(id, ErrorCode::unrecoverable);
    } else {
      here.reply_bounded(id, dialect::HistoryRead{id, page});
    }
  };
  session_.context().hub.broker().history(*channel, query,
                                          later(command.id, answer));
  return {};
}

Conversation::End Conversation::obey(const dialect::Presence& command) {
  const auto channel = may_read(auth::Scope::presence, command.channel);
  if (!channel) return fail(command.id, channel.error().code);
  const auto answer = [id = command.id](
                          Conversation& here,
                          const std::vector<MemberRecord>& members) {
    here.reply_bounded(id, dialect::PresenceRead{id, members});
  };
  session_.context().hub.presence().members(*channel,
                                            later(command.id, answer));
  return {};
}

Conversation::End Conversation::obey(const dialect::PresenceStats& command) {
  const auto channel = may_read(auth::Scope::presence, command.channel);
  if (!channel) return fail(command.id, channel.error().code);
  const auto answer = [id = command.id](Conversation& here,
                                        const PresenceStats& stats) {
    here.reply(dialect::PresenceCounted{id, stats});
  };
  session_.context().hub.presence().stats(*channel, later(command.id, answer));
  return {};
}

}  // namespace paperboy::session
