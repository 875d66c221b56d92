#include "hub/hub.hpp"

#include <algorithm>
#include <cassert>

namespace paperboy::hub {

namespace {

// A run's memory is used again by the next batch; what one burst made larger
// than this is given back.
constexpr std::size_t kKeptRun = 64UL * 1024;
constexpr std::size_t kKeptRuns = 64;

}  // namespace

Subscription::~Subscription() {
  if (active()) channel_->hub.unsubscribe(*this);
}

Bytes Subscription::channel_name() const {
  return channel_->hub.broker_.name(channel_->ref);
}

Position Subscription::position() const { return channel_->last; }

Result<Position> Hub::subscribe(Subscription& subscription, Bytes name,
                                Encoder& encoder) {
  assert(!subscription.active());
  const auto subscribed = broker_.subscribe(name, 0);
  if (!subscribed) return subscribed.error();
  auto& channel = channels_[subscribed->ref];
  // A channel that has subscribers here goes on from where they are: what the
  // broker already has, but this worker not yet, comes to all of them.
  if (!channel) {
    channel =
        std::make_unique<Channel>(*this, subscribed->ref, subscribed->top);
  }
  Group& group = group_for(*channel, encoder);
  subscription.channel_ = channel.get();
  subscription.group_ =
      static_cast<std::uint32_t>(&group - channel->groups.data());
  subscription.index_ = static_cast<std::uint32_t>(group.members.size());
  group.members.push_back(&subscription);
  return channel->last;
}

void Hub::unsubscribe(Subscription& subscription) {
  if (!subscription.active()) return;
  Channel& channel = *subscription.channel_;
  auto& members = channel.groups[subscription.group_].members;
  Subscription* const last = members.back();
  members[subscription.index_] = last;
  last->index_ = subscription.index_;
  members.pop_back();
  subscription.channel_ = nullptr;
  const ChannelRef ref = channel.ref;
  const bool empty = std::ranges::all_of(
      channel.groups, [](const Group& group) { return group.members.empty(); });
  if (empty) channels_.erase(ref);
  broker_.unsubscribe(ref);
}

Group& Hub::group_for(Channel& channel, Encoder& encoder) {
  for (Group& group : channel.groups) {
    if (group.encoder == &encoder) return group;
  }
  channel.groups.push_back({.encoder = &encoder, .members = {}});
  return channel.groups.back();
}

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

/// Void is what this drain brought; where positions moved, that is told.
void Hub::lose() {
  discard();
  tell_gaps();
}

void Hub::on_publication(ChannelRef ref, const Publication& publication) {
  const auto found = channels_.find(ref);
  if (found == channels_.end()) return;
  Channel& channel = *found->second;
  if (!is_new(channel, publication.position)) return;
  Batch& batch = batch_for(channel, publication.position);
  channel.last = publication.position;
  ++batch.count;
  std::size_t run = batch.runs;
  for (const Group& group : channel.groups) {
    if (group.members.empty()) continue;
    group.encoder->encode(publication, runs_[run++]);
  }
}

/// False for what was delivered before: a channel that gained a subscriber
/// while earlier publications still wait in the log.
bool Hub::is_new(const Channel& channel, const Position& next) {
  if (next.epoch == channel.last.epoch) {
    return next.offset > channel.last.offset;
  }
  // Another epoch: the channel began anew, or this comes from the time before
  // we subscribed, when the entry was another channel's.
  return broker_.position(channel.ref).epoch == next.epoch;
}

/// Nothing leaves before the drain is over, since only then it is known to be
/// good; so what comes after a hole has a batch of its own.
Hub::Batch& Hub::batch_for(Channel& channel, const Position& next) {
  const bool hole = next.epoch != channel.last.epoch ||
                    next.offset != channel.last.offset + 1;
  if (channel.in_batch && !hole) return batches_[channel.batch];
  channel.in_batch = true;
  channel.batch = static_cast<std::uint32_t>(batches_.size());
  batches_.push_back({&channel, runs_used_, 0, hole});
  for (const Group& group : channel.groups) {
    if (!group.members.empty()) add_run();
  }
  return batches_.back();
}

void Hub::fan_out() {
  for (const Batch& batch : batches_) {
    std::size_t run = batch.runs;
    for (const Group& group : batch.channel->groups) {
      if (group.members.empty()) continue;
      const Bytes bytes = runs_[run++];
      for (Subscription* member : group.members) {
        if (batch.hole) member->owner_.gap(*member);
        member->owner_.deliver(*member, bytes, batch.count);
      }
    }
    batch.channel->in_batch = false;
  }
  batches_.clear();
}

void Hub::discard() {
  for (const Batch& batch : batches_) {
    batch.channel->in_batch = false;
    // Void: whatever was told, the true position is the broker's.
    batch.channel->last = {};
  }
  batches_.clear();
}

void Hub::tell_gaps() {
  for (auto& [ref, channel] : channels_) {
    const Position top = broker_.position(ref);
    if (top == channel->last) continue;
    channel->last = top;
    for (Group& group : channel->groups) {
      for (Subscription* member : group.members) member->owner_.gap(*member);
    }
  }
}

void Hub::add_run() {
  if (runs_used_ == runs_.size()) runs_.emplace_back();
  ++runs_used_;
}

void Hub::release() {
  for (std::size_t i = 0; i < runs_used_; ++i) {
    runs_[i].clear();
    if (runs_[i].capacity() > kKeptRun) runs_[i].shrink_to_fit();
  }
  if (runs_.size() > kKeptRuns) runs_.resize(kKeptRuns);
  runs_used_ = 0;
}

}  // namespace paperboy::hub
