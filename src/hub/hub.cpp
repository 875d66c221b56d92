#include "hub/hub.hpp"

#include <cassert>
#include <utility>

#include "hub/key.hpp"
#include "hub/notice.hpp"
#include "hub/order.hpp"
#include "hub/revoker.hpp"
#include "hub/tokens.hpp"

namespace paperboy::hub {

// A worker has them by the hundred thousand: see docs/architecture.md.
static_assert(sizeof(Channel) <= 5 * sizeof(void*));

Subscription::~Subscription() {
  if (active()) owner_.hub().unsubscribe(*this);
}

Bytes Subscription::channel_name() const {
  return owner_.hub().broker_.name(channel_->ref);
}

Position Subscription::position() const {
  assert(group_ != kHeld);
  const Position after = channel_->groups[group_].after;
  return after.epoch == 0 ? channel_->last : after;
}

const Rule& Hub::rule(Bytes channel) const {
  static const Rule own{.keep = kOwnKept};
  static const Rule users;
  if (is_user_channel(channel)) return users;
  if (channel == kRevocations) return revocations_;
  if (channel == kTokens) return tokens_;
  if (channel.starts_with('\0')) return own;
  return rules_.find(hub::channel_name(channel));
}

Hub::~Hub() {
  *self_ = nullptr;
  index_.for_each([this](auto number) { channels_.drop(number); });
}

// ---- subscribing -----------------------------------------------------------

Result<Position> Hub::subscribe(Subscription& subscription, Bytes name,
                                Encoder& encoder, const Member* member) {
  assert(!subscription.active() && &subscription.owner_.hub() == this);
  const Rule& rule = this->rule(name);
  const auto subscribed = broker_.subscribe(name, rule.max_subscribers);
  if (!subscribed) return subscribed.error();
  Result<Done> entered = Done{};
  try {
    Channel& channel = channel_for(*subscribed);
    put(subscription, channel, encoder, subscribed->top);
    if (member != nullptr) {
      entered =
          attendance_.enter(subscription, channel.ref, name, rule, *member);
    }
  } catch (...) {
    if (!subscription.active()) let_go(subscribed->ref);
    unsubscribe(subscription);
    throw;
  }
  if (entered) return subscribed->top;
  unsubscribe(subscription);
  return entered.error();
}

Hub::Helds Hub::held(const Channel& channel) const {
  if (channel.has_apart == 0) return {};
  return aparts_.at(&channel).held;
}

Apart& Hub::apart(const Channel& channel) { return aparts_.at(&channel); }

Apart& Hub::need_apart(Channel& channel) {
  Apart& apart = aparts_[&channel];
  channel.has_apart = 1;
  return apart;
}

void Hub::tidy(Channel& channel) noexcept {
  if (channel.has_apart == 0 || channel.repairing != 0 ||
      !held(channel).empty()) {
    return;
  }
  channel.has_apart = 0;
  aparts_.erase(&channel);
}

Channel* Hub::find(ChannelRef ref) {
  const auto number = index_.find(ref);
  return number != 0 ? &channels_[number] : nullptr;
}

Channel& Hub::channel_for(const Subscribed& subscribed) {
  if (auto* const here = find(subscribed.ref)) return *here;
  index_.make_room();
  const auto number = channels_.make(subscribed.ref, subscribed.top);
  index_.insert(number);
  return channels_[number];
}

void Hub::unsubscribe(Subscription& subscription) {
  if (!subscription.active()) return;
  Channel& channel = *subscription.channel_;
  const ChannelRef ref = channel.ref;
  take(subscription);
  try {
    attendance_.leave(subscription, broker_.name(ref));
  } catch (...) {
    // Without memory its leave goes untold.
  }
  let_go(ref);
}

/// One subscriber less.
void Hub::let_go(ChannelRef ref) {
  const auto number = index_.find(ref);
  if (number != 0 && held(channels_[number]).empty() &&
      channels_[number].groups.empty()) {
    if (channels_[number].has_apart != 0) aparts_.erase(&channels_[number]);
    index_.erase(number);
    channels_.drop(number);
  }
  broker_.unsubscribe(ref);
}

/// The broker knows the name, and says which channel that is to those who
/// subscribe alone.
std::vector<Subscriber*> Hub::subscribers(Bytes name) {
  const auto there = broker_.subscribe(name, 0);
  if (!there) return {};
  std::vector<Subscriber*> all;
  if (const auto* const channel = find(there->ref)) {
    for (const auto& held : held(*channel)) {
      all.push_back(&held->subscription->owner_);
    }
    for (const Group& group : channel->groups) {
      for (const auto* const one : group.members) all.push_back(&one->owner_);
    }
  }
  broker_.unsubscribe(there->ref);
  return all;
}

/// See Group::after.
Position Hub::begin_in(const Channel& channel, const Position& at) {
  const bool there = at.epoch == 0 || (at.epoch == channel.last.epoch &&
                                       at.offset <= channel.last.offset);
  return there ? Position{} : at;
}

/// Into the group of those who are where it is. Either done or, without
/// memory, not.
void Hub::put(Subscription& subscription, Channel& channel, Encoder& encoder,
              const Position& at) {
  channel.groups.put(subscription, encoder, begin_in(channel, at));
  subscription.channel_ = &channel;
}

/// Out of its group, or from those that are held.
Encoder& Hub::take(Subscription& subscription) {
  Channel& channel = *std::exchange(subscription.channel_, nullptr);
  if (subscription.group_ != Subscription::kHeld) {
    return channel.groups.take(subscription);
  }
  const std::uint32_t index = subscription.index_;
  auto& held = apart(channel).held;
  Encoder& encoder = *held[index]->encoder;
  held[index]->subscription = nullptr;
  std::swap(held[index], held.back());
  held.pop_back();
  if (index < held.size()) held[index]->subscription->index_ = index;
  if (held.empty()) apart(channel).live.clear();
  tidy(channel);
  return encoder;
}

/// Groups that the channel has reached, or left behind, become one with those
/// who are there. Without memory later: they get the same.
void Hub::catch_up(Channel& channel) noexcept {
  if (channel.last.epoch == 0) return;
  for (std::size_t i = 0; i < channel.groups.size();) {
    const Position after = channel.groups[i].after;
    const bool ahead = after.epoch == channel.last.epoch
                           ? after.offset > channel.last.offset
                           : is_awaited(channel, after);
    if (after.epoch == 0 || ahead || !channel.groups.join_others(i)) ++i;
  }
}

// ---- publishing ------------------------------------------------------------

void Hub::publish(Draft draft, const PublishReply& reply) {
  rule(draft.channel).apply_to(draft);
  broker_.publish(draft, reply);
}

}  // namespace paperboy::hub
