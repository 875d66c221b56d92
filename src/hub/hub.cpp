#include "hub/hub.hpp"

#include <algorithm>
#include <cassert>

#include "hub/key.hpp"
#include "hub/order.hpp"

namespace paperboy::hub {

namespace {

// A run's memory is used again by the next batch; what one burst made larger
// than this is given back.
constexpr std::size_t kKeptRun = 64UL * 1024;
constexpr std::size_t kKeptRuns = 64;

/// Whether one that begins after `after` is to have it.
bool begins_before(const Position& after, const Channel& channel,
                   const Publication& next) {
  if (after.epoch == 0) return true;
  if (next.position.epoch != after.epoch) {
    return next.position.epoch != channel.last.epoch;
  }
  return next.event == Event::message ? next.position.offset > after.offset
                                      : next.position.offset >= after.offset;
}

}  // namespace

Subscription::~Subscription() {
  if (active()) channel_->hub.unsubscribe(*this);
}

Bytes Subscription::channel_name() const {
  return channel_->hub.broker_.name(channel_->ref);
}

Position Subscription::position() const {
  assert(group_ != kHeld);
  const Position& after = channel_->groups[group_].after;
  return after.epoch == 0 ? channel_->last : after;
}

const Rule& Hub::rule(Bytes channel) const {
  static const Rule orders{.keep = kOrdersKept};
  if (channel == kOrders) return orders;
  return rules_.find(hub::channel_name(channel));
}

// ---- subscribing -----------------------------------------------------------

Result<Position> Hub::subscribe(Subscription& subscription, Bytes name,
                                Encoder& encoder, const Member* member) {
  assert(!subscription.active());
  const Rule& rule = this->rule(name);
  const auto subscribed = broker_.subscribe(name, rule.max_subscribers);
  if (!subscribed) return subscribed.error();
  Channel& channel = channel_for(*subscribed);
  const Position top = subscribed->top;
  put(subscription, channel, encoder, top);
  if (member == nullptr) return top;
  const auto entered =
      attendance_.enter(subscription, channel.ref, name, rule, *member);
  if (entered) return top;
  unsubscribe(subscription);
  return entered.error();
}

Channel& Hub::channel_for(const Subscribed& subscribed) {
  auto& channel = channels_[subscribed.ref];
  if (!channel) {
    channel = std::make_unique<Channel>(*this, subscribed.ref, subscribed.top);
  }
  return *channel;
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
  const bool empty =
      channel.held.empty() &&
      std::ranges::all_of(channel.groups, [](const Group& group) {
        return group.members.empty();
      });
  if (empty) channels_.erase(ref);
  broker_.unsubscribe(ref);
}

Group& Hub::group_for(Channel& channel, Encoder& encoder,
                      const Position& after) {
  for (Group& group : channel.groups) {
    if (group.encoder == &encoder && group.after == after) return group;
  }
  channel.groups.push_back(
      {.encoder = &encoder, .after = after, .members = {}});
  if (after.epoch != 0) ++channel.ahead;
  return channel.groups.back();
}

/// Into the group of those who are where it is.
void Hub::put(Subscription& subscription, Channel& channel, Encoder& encoder,
              const Position& at) {
  const bool there =
      at.epoch == channel.last.epoch && at.offset <= channel.last.offset;
  Group& group = group_for(channel, encoder, there ? Position{} : at);
  group.members.push_back(&subscription);
  subscription.channel_ = &channel;
  subscription.group_ =
      static_cast<std::uint32_t>(&group - channel.groups.data());
  subscription.index_ = static_cast<std::uint32_t>(group.members.size() - 1);
}

/// Out of its group, or from those that are held.
Encoder& Hub::take(Subscription& subscription) {
  Channel& channel = *subscription.channel_;
  subscription.channel_ = nullptr;
  const std::uint32_t index = subscription.index_;
  if (subscription.group_ == Subscription::kHeld) {
    auto& held = channel.held;
    Encoder& encoder = *held[index]->encoder;
    std::swap(held[index], held.back());
    held[index]->subscription->index_ = index;
    held.pop_back();
    return encoder;
  }
  Group& group = channel.groups[subscription.group_];
  Subscription* const last = group.members.back();
  group.members[index] = last;
  last->index_ = index;
  group.members.pop_back();
  return *group.encoder;
}

/// Groups that the channel has reached become one with those who are there.
void Hub::catch_up(Channel& channel) {
  for (std::size_t i = 0; channel.ahead > 0 && i < channel.groups.size();) {
    const Position after = channel.groups[i].after;
    const bool ahead =
        after.epoch == channel.last.epoch && after.offset > channel.last.offset;
    if (after.epoch == 0 || ahead) {
      ++i;
    } else {
      join_others(channel, i);
    }
  }
}

void Hub::join_others(Channel& channel, std::size_t index) {
  auto& groups = channel.groups;
  std::swap(groups[index], groups.back());
  const Group group = std::move(groups.back());
  groups.pop_back();
  if (index < groups.size()) {
    for (Subscription* const member : groups[index].members) {
      member->group_ = static_cast<std::uint32_t>(index);
    }
  }
  --channel.ahead;
  for (Subscription* const member : group.members) {
    put(*member, channel, *group.encoder, channel.last);
  }
}

// ---- publishing ------------------------------------------------------------

void Hub::publish(Draft draft, const PublishReply& reply) {
  const Rule& rule = this->rule(draft.channel);
  draft.keep = rule.keep;
  draft.replicas = rule.replicas;
  draft.replicas_ms = rule.replicas_ms;
  draft.best_effort = rule.best_effort;
  broker_.publish(draft, reply);
}

// ---- delivering ------------------------------------------------------------

bool Hub::drain() {
  try {
    const Drained drained = broker_.drain(*this);
    if (drained == Drained::lost) {
      lose();
      return true;
    }
    fan_out();
    return drained == Drained::more;
  } catch (...) {
    // Memory ran out amid a batch: nobody can tell who has what of it.
    lose();
    throw;
  }
}

void Hub::on_publication(ChannelRef ref, const Publication& publication) {
  const auto found = channels_.find(ref);
  if (found == channels_.end()) return;
  Channel& channel = *found->second;
  if (channel.repairing) {
    channel.skipped = publication.position;
    return;
  }
  if (!is_new(channel, publication)) return;
  encode(channel, batch_for(channel, publication), publication);
  if (publication.event == Event::message) channel.last = publication.position;
}

/// False for what was delivered before: a channel that gained a subscriber
/// while earlier publications still wait in the log.
bool Hub::is_new(const Channel& channel, const Publication& next) {
  const Position& position = next.position;
  if (position.epoch == channel.last.epoch) {
    return next.event == Event::message
               ? position.offset > channel.last.offset
               : position.offset >= channel.last.offset;
  }
  // Another epoch: the channel began anew, or this comes from the time before
  // we subscribed, when the entry was another channel's.
  return broker_.position(channel.ref).epoch == position.epoch;
}

/// Nothing leaves before the drain is over, since only then it is known to be
/// good; so what comes after a hole has a batch of its own.
Hub::Batch& Hub::batch_for(Channel& channel, const Publication& next) {
  const bool hole = next.event == Event::message &&
                    (next.position.epoch != channel.last.epoch ||
                     next.position.offset != channel.last.offset + 1);
  if (channel.in_batch && !hole) return batches_[channel.batch];
  channel.in_batch = true;
  channel.batch = static_cast<std::uint32_t>(batches_.size());
  batches_.push_back({&channel, runs_used_, hole, channel.last});
  for (const Group& group : channel.groups) {
    if (!group.members.empty()) add_run();
  }
  return batches_.back();
}

void Hub::encode(Channel& channel, const Batch& batch,
                 const Publication& publication) {
  std::size_t next = batch.runs;
  for (const Group& group : channel.groups) {
    if (group.members.empty()) continue;
    Run& run = runs_[next++];
    if (!begins_before(group.after, channel, publication)) continue;
    if (run.count == 0) {
      run.hole =
          batch.hole && (group.after.epoch != publication.position.epoch ||
                         group.after.offset + 1 != publication.position.offset);
    }
    const std::size_t size = run.bytes.size();
    group.encoder->encode(publication, run.bytes);
    const bool empty = run.bytes.size() == size;
    if (publication.event == Event::message || !empty) ++run.count;
  }
  for (const auto& held : channel.held) {
    if (publication.event == Event::message &&
        begins_before(held->last, channel, publication)) {
      hold_back(*held, publication);
    }
  }
}

void Hub::fan_out() {
  for (const Batch& batch : batches_) {
    std::size_t next = batch.runs;
    for (const Group& group : batch.channel->groups) {
      if (group.members.empty()) continue;
      const Run& run = runs_[next++];
      for (Subscription* member : group.members) {
        if (run.hole) member->owner_.gap(*member);
        if (run.count == 0) continue;
        member->owner_.deliver(*member, run.bytes, run.count);
      }
    }
    batch.channel->in_batch = false;
  }
  for (const Batch& batch : batches_) catch_up(*batch.channel);
  batches_.clear();
}

// ---- losing ----------------------------------------------------------------

/// Void is what this drain brought: the rest is read from history.
void Hub::lose() {
  discard();
  std::vector<ChannelRef> behind;
  for (const auto& [ref, channel] : channels_) {
    for (const auto& held : channel->held) held->lost = true;
    const Position position = broker_.position(ref);
    if (channel->repairing) {
      channel->skipped = position;
    } else if (position != channel->last) {
      behind.push_back(ref);
    }
  }
  for (const ChannelRef ref : behind) repair(*channels_.at(ref));
}

void Hub::discard() {
  for (auto batch = batches_.rbegin(); batch != batches_.rend(); ++batch) {
    batch->channel->in_batch = false;
    batch->channel->last = batch->before;
    for (const auto& held : batch->channel->held) {
      forget_after(*held, batch->before);
    }
  }
  batches_.clear();
}

Hub::Run& Hub::add_run() {
  if (runs_used_ == runs_.size()) runs_.emplace_back();
  Run& run = runs_[runs_used_++];
  run.count = 0;
  run.hole = false;
  return run;
}

void Hub::release() {
  for (std::size_t i = 0; i < runs_used_; ++i) {
    runs_[i].bytes.clear();
    if (runs_[i].bytes.capacity() > kKeptRun) runs_[i].bytes.shrink_to_fit();
  }
  if (runs_.size() > kKeptRuns) runs_.resize(kKeptRuns);
  runs_used_ = 0;
}

}  // namespace paperboy::hub
