#include "session/session.hpp"

#include <iterator>

#include "hub/key.hpp"
#include "session/client_id.hpp"
#include "session/conversation.hpp"

namespace paperboy::session {

// All who show a token have them: see docs/architecture.md.
static_assert(sizeof(Papers) <= 14 * sizeof(void*));

namespace {

hub::RecoveryLimits recovery_limits(const Settings& settings) {
  return {static_cast<std::uint32_t>(settings.max_history),
          settings.send_buffer};
}

}  // namespace

Session::Session(const Site& site) : site_(site) {}

Session::~Session() {
  leave();
  if (settings().csrf != nullptr) context().csrf_users.erase(this);
  if (settings().hook != nullptr) context().hook_names.erase(this);
  if (!awaits_) return;
  const auto self = context().selves.extract(this);
  *self.mapped() = nullptr;
}

std::optional<Conversation> Session::conversation() {
  if (!converses_) return {};
  return Conversation(*this);
}

/// It looks at it alone.
std::optional<const Conversation> Session::conversation() const {
  if (!converses_) return {};
  return Conversation(const_cast<Session&>(*this));
}

Result<Done> Session::open(const Admission& admission) {
  may_publish_ = admission.may_publish;
  by_token_ = admission.by_token;
  if (settings().csrf != nullptr) {
    context().csrf_users[this] = admission.csrf_user;
  }
  name_itself();
  if (settings().dialect->converses()) {
    Conversation(*this).open(admission);
    converses_ = true;
    return Done{};
  }
  // From the last on, since each is put before the others.
  for (std::size_t i = admission.channels.size(); i-- > 0;) {
    const Position since =
        i < admission.since.size() ? admission.since[i] : Position{};
    const auto done = enter(admission, admission.channels[i], since);
    if (!done) {
      leave();
      return done.error();
    }
  }
  return Done{};
}

Result<Done> Session::enter(const Admission& admission,
                            const std::string& channel, const Position& since) {
  const hub::Rule& rule = context().hub.rule(channel);
  const hub::Access who = rule.subscribe;
  const bool open =
      who == hub::Access::location || admission.by_token ||
      opens(rule, who, hub::channel_name(channel), admission.user);
  if (who == hub::Access::nobody || !open) {
    return Error{ErrorCode::forbidden,
                 "the channel's rule doesn't let it subscribe"};
  }
  std::string client;  // who is in no list needs no name
  if (rule.presence || rule.join_leave) {
    client = client_text(own_id().value_or(make_client_id()));
  }
  const auto subscribed = subscribe(
      channel,
      {.client = client, .user = admission.user, .conn_info = admission.info});
  if (!subscribed) return subscribed.error();
  const bool back = since.epoch != 0;
  if (!back && !tells_beginning()) return Done{};
  context().hub.recover(
      **subscribed, back ? std::optional(since) : std::nullopt,
      recovery_limits(settings()),
      [this, back, subscription = *subscribed](const auto& answer) {
        if (!answer) {
          end({close::kTryAgainLater, answer.error().message});
        } else if (back) {
          get_back(*subscription, *answer);
        } else {
          begins(*subscription, answer->position);
        }
      });
  return Done{};
}

void Session::get_back(const hub::Subscription& subscription,
                       const hub::Recovery& recovery) {
  context().counters.add(recovery.recovered ? Counter::recovered
                                            : Counter::not_recovered);
  if (!recovery.recovered) gap(subscription);
  go_on(subscription, recovery);
}

/// What was missed goes the way of all publications.
void Session::go_on(const hub::Subscription& subscription,
                    const hub::Recovery& recovery) {
  if (recovery.publications.empty()) {
    begins(subscription, recovery.position);
    return;
  }
  const Bytes channel = subscription.channel_name();
  Encoder& plain = encoder(false);
  std::string run;
  for (const Kept& kept : recovery.publications) {
    plain.encode({channel, kept.position, kept.kind, kept.data, kept.extra},
                 run);
  }
  copied(subscription, run,
         static_cast<std::uint32_t>(recovery.publications.size()));
}

Result<Done> Session::may_subscribe_more() {
  const bool full = subscription_count() >= settings().max_subscriptions;
  const Warden* const limits = full ? nullptr : warden();
  const std::size_t most =
      limits != nullptr ? limits->allowance().subscriptions : 0;
  if (!full && (most == 0 || subscription_count() < most)) return Done{};
  context().counters.add(Counter::limited_subscriptions);
  return Error{ErrorCode::subscription_limit,
               full ? "more channels than paperboy_max_subscriptions"
                    : "more channels than the token allows"};
}

Result<hub::Subscription*> Session::subscribe(Bytes channel,
                                              const Member& member,
                                              bool events) {
  if (const auto may = may_subscribe_more(); !may) return may.error();
  auto& subscription =
      subscriptions_.emplace_front(static_cast<hub::Subscriber&>(*this));
  Result<Position> subscribed = Position{};
  try {
    subscribed = context().hub.subscribe(subscription, channel, encoder(events),
                                         &member);
  } catch (...) {
    subscriptions_.pop_front();
    throw;
  }
  if (!subscribed) {
    subscriptions_.pop_front();
    return subscribed.error();
  }
  context().counters.add(Counter::subscriptions);
  tell(Hook::Event::subscribe, channel, {});
  return &subscription;
}

void Session::unsubscribe(const hub::Subscription& subscription) {
  tell(Hook::Event::unsubscribe, subscription.channel_name(), {});
  const auto gone = subscriptions_.remove_if(
      [&](const hub::Subscription& one) { return &one == &subscription; });
  context().counters.subtract(Counter::subscriptions, gone);
}

/// As long a walk as that of `find`, which is taken as often.
std::size_t Session::subscription_count() const {
  return static_cast<std::size_t>(
      std::distance(subscriptions_.begin(), subscriptions_.end()));
}

hub::Subscription* Session::find(Bytes channel) {
  for (auto& subscription : subscriptions_) {
    if (subscription.channel_name() == channel) return &subscription;
  }
  return nullptr;
}

void Session::leave() {
  if (converses_) conversation()->leave();
  if (told_) {
    for (const auto& one : subscriptions_) {
      tell(Hook::Event::unsubscribe, one.channel_name(), {});
    }
  }
  context().counters.subtract(Counter::subscriptions, subscription_count());
  subscriptions_.clear();
}

std::unique_ptr<hub::Departure> Session::departure() const {
  return converses_ ? conversation()->departure() : nullptr;
}

void Session::depart(const hub::Departure& departure) {
  if (converses_) conversation()->depart(departure);
}

std::string Session::channels() const {
  std::string names;
  for (const auto& subscription : subscriptions_) {
    if (!names.empty()) names += ", ";
    names += hub::channel_name(subscription.channel_name());
  }
  return names;
}

void Session::receive(const dialect::Message& message) {
  if (settings().csrf == nullptr) return obey(message);
  std::string rest;
  if (unwrap(message, rest)) obey({message.kind, rest});
}

void Session::obey(const dialect::Message& message) {
  if (auto talk = conversation()) {
    talk->receive(message);
    return;
  }
  Warden* const limits = warden();
  if (limits != nullptr && limits->message() != Warden::Verdict::passes) {
    end(kTooManyRequests);
    return;
  }
  std::optional<dialect::Message> rest = message;
  for (;;) {
    const auto decoded = settings().dialect->decode(rest);
    if (const auto* command = std::get_if<dialect::Publish>(&decoded)) {
      publish(*command);
    } else if (const auto* send = std::get_if<dialect::Send>(&decoded)) {
      this->message(send->message);
    } else if (const auto* close = std::get_if<Close>(&decoded)) {
      end(*close);
      return;
    } else {
      return;
    }
  }
}

void Session::publish(const dialect::Publish& command) {
  for (const auto& subscription : subscriptions_) {
    if (const auto may = may_publish(subscription.channel_name()); !may) {
      published(command, may.error());
      return;
    }
  }
  for (const auto& subscription : subscriptions_) {
    publish_to(subscription.channel_name(), command);
  }
}

Result<Done> Session::may_publish(Bytes channel) const {
  const hub::Rule& rule = context().hub.rule(channel);
  const hub::Access who = rule.publish;
  if (opens(rule, who, hub::channel_name(channel), user())) {
    return Done{};
  }
  const bool location = who == hub::Access::location;
  if (who == hub::Access::nobody || (location && !settings().client_publish)) {
    return Error{ErrorCode::forbidden, "clients don't publish here"};
  }
  if (!may_publish_ || (!location && !by_token_)) {
    return Error{ErrorCode::forbidden,
                 "the token doesn't allow publishing here"};
  }
  return Done{};
}

void Session::publish_to(Bytes channel, const dialect::Publish& command) {
  const auto reply = [self = self(), counters = &context().counters,
                      id = command.id](const Result<hub::Published>& outcome) {
    counters->add(outcome ? Counter::publications : Counter::publish_errors);
    if (*self == nullptr) return;
    const dialect::Publish answered{.id = id, .channel = {}, .message = {}};
    if (outcome) {
      (*self)->published(answered, outcome->position);
    } else {
      (*self)->published(answered, outcome.error());
    }
  };
  context().hub.publish({.channel = channel,
                         .kind = command.message.kind,
                         .data = command.message.data},
                        reply);
}

void Session::published(const dialect::Publish& command,
                        const Result<Position>& outcome) {
  std::string scratch;
  const auto answer = settings().dialect->published(command, outcome, scratch);
  if (const auto* message = std::get_if<dialect::Message>(&answer)) {
    this->message(*message);
  } else if (const auto* close = std::get_if<Close>(&answer)) {
    end(*close);
  }
}

std::shared_ptr<Session*> Session::self() {
  if (awaits_) return context().selves.at(this);
  auto self = std::make_shared<Session*>(this);
  context().selves.emplace(this, self);
  awaits_ = true;
  return self;
}

Papers& Session::need_papers() {
  if (!papers_) papers_ = std::make_unique<Papers>();
  return *papers_;
}

void Session::tidy_papers() {
  if (papers_ && papers_->empty()) papers_.reset();
}

void Session::set_who(Bytes user, std::int64_t expires,
                      const auth::TokenMark& mark) {
  const bool nobody = user.empty() && expires == 0 && !mark.known;
  if (nobody && !papers_) return;
  Papers& here = need_papers();
  here.user = std::string(user);
  here.expires = expires;
  here.mark = mark;
  tidy_papers();
}

hub::Hub& Session::hub() const { return context().hub; }

void Session::deliver(const hub::Subscription& to, Bytes run,
                      std::uint32_t count) {
  if (converses_ && conversation()->has_lost(to)) return;
  this->run(to, run, count);
}

void Session::gap(const hub::Subscription& at) {
  context().counters.add(Counter::gaps);
  if (converses_ && conversation()->lose(at)) return;
  tell_gap(at);
}

void Session::settle() {
  if (converses_) conversation()->settle();
}

bool Session::connected() const {
  return !converses_ || conversation()->connected();
}

std::optional<std::uint64_t> Session::due_in() const {
  if (!converses_) return {};
  return conversation()->due_in();
}

void Session::on_time() {
  if (converses_) conversation()->on_time();
}

}  // namespace paperboy::session
