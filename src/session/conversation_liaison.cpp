// How a back end of the classic protocol has its say: it is asked about tokens,
// and tells who is let in and who has to leave.
#include <algorithm>
#include <limits>

#include "hub/key.hpp"
#include "session/conversation.hpp"

namespace paperboy::session {

namespace {

// In so long a connection asks no more often than it may be subscribed, nor
// does it order more: each order is told to all workers.
constexpr std::uint64_t kAskingMs = 5000;

// Copies that wait until it is known where a subscription begins.
constexpr std::size_t kMostCopies = 1000;

}  // namespace

Liaison& Conversation::need_liaison() {
  auto& liaison = session_.need_papers().liaison;
  if (!liaison) {
    liaison =
        std::make_unique<Liaison>(static_cast<hub::Subscriber&>(session_));
  }
  return *liaison;
}

Liaison::Recent& Conversation::recent() {
  Liaison& here = need_liaison();
  session_.context().liaisons.note_recent(session_, here);
  return *here.recent;
}

/// With what it has asked and ordered in the last seconds.
Liaison::Recent& Conversation::lately() {
  Liaison::Recent& here = recent();
  const std::uint64_t now = session_.context().clock.monotonic_ms();
  if (now - here.since >= kAskingMs) {
    here.asked = here.left = 0;
    here.since = now;
  }
  return here;
}

void Conversation::end_recent() {
  auto& recent = liaison()->recent;
  if (!recent) return;
  session_.context().liaisons.forget_recent(*recent);
  recent.reset();
}

void Conversation::leave() {
  if (rare()) rare()->returning.clear();
  // It may be among them still when its last look has been answered.
  session_.context().liaisons.forget_returning(session_);
  if (liaison() == nullptr) return;
  if (talk().known) session_.context().liaisons.forget_id(session_);
  talk().known = false;
  end_recent();
  session_.papers_->liaison.reset();
}

// ---- asking ----------------------------------------------------------------

Result<hub::BackEnd*> Conversation::may_ask(const std::string& token) {
  hub::BackEnd* const back_end = session_.context().liaisons.back_end();
  if (back_end == nullptr) {
    return Error{ErrorCode::unavailable, "there is no back end to ask"};
  }
  if (back_end->name_space() != name_space()) {
    return Error{ErrorCode::forbidden,
                 "the back end speaks of another namespace"};
  }
  if (token.empty()) {
    return Error{ErrorCode::unauthorized, "there is no token"};
  }
  if (token.size() > auth::kMaxTokenSize) {
    return Error{ErrorCode::too_large, "the token is larger than 8 KiB"};
  }
  Liaison::Recent& here = lately();
  if (here.asked >= session_.settings().max_subscriptions) {
    return Error{ErrorCode::subscription_limit,
                 "more requests in 5 seconds than paperboy_max_subscriptions"};
  }
  ++here.asked;
  return back_end;
}

/// Whether it may be asked is looked at here, whether it lets in there.
Conversation::End Conversation::ask_back_end(
    const dialect::Subscribe& command) {
  const auto back_end = may_ask(command.token);
  if (!back_end) return fail(command.id, back_end.error());
  if (!talk().known) session_.context().liaisons.note_id(session_);
  talk().known = true;
  (*back_end)->ask(uuid_text(id()), command.token);
  return {};
}

/// It isn't answered: what is authorised at the edge is so already.
void Conversation::notify_back_end(const dialect::Subscribe& command) {
  if (!session_.settings().notify_back_end) return;
  if (const auto back_end = may_ask(command.token)) {
    (*back_end)->ask(uuid_text(id()), command.token);
  } else {
    std::string line = "doesn't tell the back end: ";
    session_.note(line.append(back_end.error().message));
  }
}

// ---- its user --------------------------------------------------------------

/// What is sent to its user reaches it from now on.
Result<Done> Conversation::hear_user(Bytes user) {
  if (!session_.settings().dialect->hears_user()) return Done{};
  if (user.empty()) {
    return Error{ErrorCode::forbidden, "the token names no user"};
  }
  if (user.size() > hub::kMaxUser) {
    return Error{ErrorCode::forbidden,
                 "the user's name is longer than 512 bytes"};
  }
  Liaison& here = need_liaison();
  if (here.user.active()) return Done{};
  const std::string key = hub::user_channel(name_space(), user);
  const auto subscribed =
      session_.context().hub.subscribe(here.user, key, session_.encoder(false));
  if (!subscribed) return subscribed.error();
  return Done{};
}

/// Until the last of its tokens ends.
void Conversation::hear_for(const Entry& entry) {
  constexpr auto kForever = std::numeric_limits<std::int64_t>::max();
  const bool ends =
      !entry.by_back_end && !session_.settings().tokens_only_admit;
  if (!ends || liaison() == nullptr) return;
  need_rare().hears_until = std::max(
      need_rare().hears_until, entry.expires == 0 ? kForever : entry.expires);
  session_.rearm();
}

void Conversation::stop_hearing() {
  rare()->hears_until = 0;
  if (liaison() != nullptr) {
    end_recent();
    session_.papers()->liaison.reset();
  }
  tidy();
}

/// It leaves with the others; it has left already.
void Conversation::leave_with_user(const std::string& channel) {
  const Bytes user = session_.user();
  if (!session_.settings().unsubscribe_user || user.empty()) return;
  Liaison::Recent& here = lately();
  if (here.left >= session_.settings().max_subscriptions) {
    (void)fail(0, {ErrorCode::subscription_limit,
                   "more unsubscribe: in 5 seconds than "
                   "paperboy_max_subscriptions"});
    return;
  }
  ++here.left;
  session_.context().liaisons.tell({.kind = hub::Notice::Kind::closed,
                                    .name_space = std::string(name_space()),
                                    .user = std::string(user),
                                    .channel = channel});
}

// ---- being told ------------------------------------------------------------

void Conversation::obey_authorized(const hub::Notice& notice) {
  if (session_.settings().authorize == Settings::Authorize::edge ||
      notice.name_space != name_space()) {
    return;
  }
  const Bytes user = session_.user();
  if (!user.empty() && user != notice.user) {
    (void)fail(0, {ErrorCode::forbidden,
                   "the back end takes it for another user than before"});
    return;
  }
  const bool first = !need_liaison().user.active();
  if (const auto heard = hear_user(notice.user); !heard) {
    (void)fail(0, heard.error());
    return;
  }
  const hub::Subscription& here = liaison()->user;
  if (first) note_young(here, here.position());
  if (notice.channel.empty()) {
    let_in(notice.user);
    return;
  }
  obey_channel(notice);
}

void Conversation::obey_channel(const hub::Notice& notice) {
  const auto channel = key(notice.channel);
  if (!channel) {
    (void)fail(0, channel.error());
    return;
  }
  if (rule(*channel).subscribe == hub::Access::nobody) {
    (void)fail(0, {ErrorCode::forbidden,
                   "the channel's rule doesn't let it subscribe"});
    return;
  }
  Entry entry;
  entry.channel = notice.channel;
  entry.user = notice.user;
  entry.by_back_end = true;
  (void)join_channel(0, entry);
}

void Conversation::obey_closed(const hub::Notice& notice) {
  const auto channel = key(notice.channel);
  const auto* const here = channel ? session_.find(*channel) : nullptr;
  if (here != nullptr) forget(*here);
}

// ---- what it may have missed -----------------------------------------------

void Conversation::note_young(const hub::Subscription& subscription,
                              const Position& joined) {
  recent().young.push_back({&subscription, joined, {}});
}

void Conversation::joined(const hub::Subscription& subscription,
                          const Position& at) {
  if (liaison() == nullptr || !liaison()->recent) return;
  for (Liaison::Young& young : liaison()->recent->young) {
    if (young.at != &subscription) continue;
    young.joined = at;
    for (const hub::Notice& copy : std::exchange(young.copies, {})) {
      hand_copy(young, copy);
    }
  }
}

void Conversation::take_copy(const hub::Notice& copy) {
  std::vector<Liaison::Young>& all = liaison()->recent->young;
  if (all.empty() || copy.name_space != name_space()) return;
  const auto channel = copy.user.empty()
                           ? key(copy.channel)
                           : hub::user_channel(copy.name_space, copy.user);
  if (!channel) return;
  for (Liaison::Young& young : all) {
    if (young.at->channel_name() != *channel) continue;
    if (young.joined.epoch != 0) {
      hand_copy(young, copy);
    } else if (young.copies.size() < kMostCopies) {
      young.copies.push_back(copy);
    }
  }
}

/// What lies behind where it begins comes by itself.
void Conversation::hand_copy(const Liaison::Young& young,
                             const hub::Notice& copy) {
  if (copy.position.epoch != young.joined.epoch ||
      copy.position.offset > young.joined.offset) {
    return;
  }
  std::string bytes;
  session_.encoder(false).encode({.channel = young.at->channel_name(),
                                  .position = copy.position,
                                  .data = copy.data,
                                  .extra = copy.extra},
                                 bytes);
  session_.copied(*young.at, bytes, 1);
}

bool Conversation::grow_up(std::uint64_t now_ms) {
  if (liaison()->recent->until > now_ms) return false;
  end_recent();
  return true;
}

}  // namespace paperboy::session
