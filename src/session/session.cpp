#include "session/session.hpp"

#include "hub/key.hpp"
#include "session/conversation.hpp"

namespace paperboy::session {

Session::Session(Context& context, const Settings& settings, Outlet& outlet)
    : context_(context),
      settings_(settings),
      outlet_(outlet),
      state_(settings.dialect->open()) {}

Session::~Session() {
  leave();
  if (self_) **self_ = nullptr;
}

Conversation* Session::conversation() const {
  return converses_ ? static_cast<Conversation*>(state_.get()) : nullptr;
}

Result<Done> Session::open(const Admission& admission) {
  may_publish_ = admission.may_publish;
  if (settings_.dialect->converses()) {
    state_ = std::make_unique<Conversation>(*this, admission);
    converses_ = true;
    return Done{};
  }
  // From the last on, since each is put before the others.
  const auto& channels = admission.channels;
  for (auto channel = channels.rbegin(); channel != channels.rend();
       ++channel) {
    if (const auto done = subscribe(*channel); !done) {
      leave();
      return done.error();
    }
  }
  return Done{};
}

Result<hub::Subscription*> Session::subscribe(Bytes channel) {
  if (subscription_count_ >= settings_.max_subscriptions) {
    return Error{ErrorCode::subscription_limit,
                 "more channels than paperboy_max_subscriptions"};
  }
  auto& subscription =
      subscriptions_.emplace_front(static_cast<hub::Subscriber&>(*this));
  const auto subscribed =
      context_.hub.subscribe(subscription, channel, outlet_.encoder());
  if (!subscribed) {
    subscriptions_.pop_front();
    return subscribed.error();
  }
  ++subscription_count_;
  context_.counters.add(Counter::subscriptions);
  return &subscription;
}

void Session::unsubscribe(const hub::Subscription& subscription) {
  const auto gone = subscriptions_.remove_if(
      [&](const hub::Subscription& one) { return &one == &subscription; });
  subscription_count_ -= static_cast<std::uint32_t>(gone);
  context_.counters.subtract(Counter::subscriptions, gone);
}

hub::Subscription* Session::find(Bytes channel) {
  for (auto& subscription : subscriptions_) {
    if (subscription.channel_name() == channel) return &subscription;
  }
  return nullptr;
}

void Session::leave() {
  context_.counters.subtract(Counter::subscriptions, subscription_count_);
  subscription_count_ = 0;
  subscriptions_.clear();
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
  if (auto* const talk = conversation()) {
    talk->receive(message);
    return;
  }
  std::optional<dialect::Message> rest = message;
  for (;;) {
    const auto decoded = settings_.dialect->decode(state_.get(), rest);
    if (const auto* command = std::get_if<dialect::Publish>(&decoded)) {
      publish(*command);
    } else if (const auto* send = std::get_if<dialect::Send>(&decoded)) {
      outlet_.message(send->message);
    } else if (const auto* close = std::get_if<Close>(&decoded)) {
      outlet_.end(*close);
      return;
    } else {
      return;
    }
  }
}

void Session::publish(const dialect::Publish& command) {
  if (!settings_.client_publish) {
    published(command,
              Error{ErrorCode::forbidden, "clients don't publish here"});
  } else if (!may_publish_) {
    published(command, Error{ErrorCode::forbidden,
                             "the token doesn't allow publishing here"});
  } else {
    for (const auto& subscription : subscriptions_) {
      publish_to(subscription.channel_name(), command);
    }
  }
}

void Session::publish_to(Bytes channel, const dialect::Publish& command) {
  const auto reply = [self = self(), counters = &context_.counters,
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
  context_.hub.publish({.channel = channel,
                        .kind = command.message.kind,
                        .data = command.message.data},
                       reply);
}

void Session::published(const dialect::Publish& command,
                        const Result<Position>& outcome) {
  std::string scratch;
  const auto answer =
      settings_.dialect->published(state_.get(), command, outcome, scratch);
  if (const auto* message = std::get_if<dialect::Message>(&answer)) {
    outlet_.message(*message);
  } else if (const auto* close = std::get_if<Close>(&answer)) {
    outlet_.end(*close);
  }
}

const Session::Self& Session::self() {
  if (!self_) self_ = std::make_unique<Self>(std::make_shared<Session*>(this));
  return *self_;
}

void Session::deliver(const hub::Subscription& to, Bytes run,
                      std::uint32_t count) {
  if (converses_ && conversation()->has_lost(to)) return;
  outlet_.run(run, count);
}

void Session::gap(const hub::Subscription& at) {
  context_.counters.add(Counter::gaps);
  if (converses_ && conversation()->lose(at)) return;
  outlet_.end(
      {close::kInsufficientState, "messages were lost: subscribe again"});
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
