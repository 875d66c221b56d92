// From the broker's publications to the subscribers of their channels.
#include "hub/hub.hpp"

namespace paperboy::hub {

namespace {

// A run's memory is used again by the next batch; what one burst made larger
// than this is given back.
constexpr std::size_t kKeptRun = 64UL * 1024;
constexpr std::size_t kKeptRuns = 64;

}  // namespace

bool Hub::drain() {
  const bool more = gather();
  fan_out();
  return more;
}

/// What this drain brings, into batches.
bool Hub::gather() {
  paused_ = false;
  try {
    const Drained drained = broker_.drain(*this);
    if (drained != Drained::lost) return drained == Drained::more;
  } catch (...) {
    // Memory ran out amid a batch: nobody can tell who has what of it.
    lose();
    throw;
  }
  lose();
  return true;
}

void Hub::on_publication(ChannelRef ref, const Publication& publication) {
  Channel* const found = find(ref);
  if (found == nullptr) return;
  Channel& channel = *found;
  if (channel.repairing != 0) {
    skip(channel, publication.position);
    return;
  }
  if (publication.event == Event::anchor) {
    on_anchor(channel, publication.position);
    return;
  }
  if (!is_new(channel, publication)) return;
  const bool message = publication.event == Event::message;
  const Position& next = publication.position;
  const bool hole = message && (next.epoch != channel.last.epoch ||
                                next.offset != channel.last.offset + 1);
  encode(channel, batch_for(channel, hole), publication);
  if (message) channel.last = next;
}

/// False for what was delivered before: a channel that gained a subscriber
/// while earlier publications still wait in the log. And for what lies before
/// its first anchor.
bool Hub::is_new(const Channel& channel, const Publication& next) {
  const Position& position = next.position;
  // Without a position it is what a broker that isn't reached could do.
  if (channel.last.epoch == 0) {
    return position.epoch == 0 && next.event != Event::message;
  }
  if (position.epoch == channel.last.epoch) {
    return next.event == Event::message
               ? position.offset > channel.last.offset
               : position.offset >= channel.last.offset;
  }
  // Another epoch: the channel began anew, or this comes from the time before
  // we subscribed, when the entry was another channel's.
  return is_awaited(channel, position);
}

/// Whether the broker is in that epoch, so that the log will bring it.
bool Hub::is_awaited(const Channel& channel, const Position& position) {
  return broker_.position(channel.ref).epoch == position.epoch;
}

/// Nothing leaves before the drain is over, since only then it is known to be
/// good; so what comes after a hole has a batch of its own.
Hub::Batch& Hub::batch_for(Channel& channel, bool hole) {
  if (channel.in_batch != 0 && !hole) return batches_[channel.batch];
  const std::size_t runs = runs_used_;
  for (const Group& group : channel.groups) {
    if (!group.members.empty()) add_run();
  }
  const auto index = static_cast<std::uint32_t>(batches_.size());
  batches_.push_back({&channel, runs, hole, channel.last});
  channel.batch = index;
  channel.in_batch = 1;
  return batches_.back();
}

/// Whether one that has all up to `after` is to have it. Of an epoch that the
/// channel has left, or never comes to, everything: behind a hole.
bool Hub::is_for(const Position& after, const Channel& channel,
                 const Publication& next) {
  if (after.epoch == 0 || next.position.epoch == 0) return true;
  if (next.position.epoch != after.epoch) return !is_awaited(channel, after);
  return next.event == Event::message ? next.position.offset > after.offset
                                      : next.position.offset >= after.offset;
}

bool Hub::is_behind_hole(const Position& after, const Batch& batch,
                         const Publication& next) {
  if (after.epoch == 0 || next.position.epoch == 0) return batch.hole;
  const std::uint64_t most =
      after.offset + (next.event == Event::message ? 1 : 0);
  return next.position.epoch != after.epoch || next.position.offset > most;
}

void Hub::encode(Channel& channel, const Batch& batch,
                 const Publication& publication) {
  std::size_t next = batch.runs;
  for (const Group& group : channel.groups) {
    if (group.members.empty()) continue;
    Run& run = runs_[next++];
    if (!is_for(group.after, channel, publication)) continue;
    if (run.count == 0 && is_behind_hole(group.after, batch, publication)) {
      run.hole = true;
    }
    const std::size_t size = run.bytes.size();
    group.encoder->encode(publication, run.bytes);
    const bool empty = run.bytes.size() == size;
    if (publication.event == Event::message || !empty) ++run.count;
  }
  if (publication.event == Event::message && !held(channel).empty()) {
    hold_back(channel, publication);
  }
}

/// Whatever becomes of one subscriber, all others get theirs, and none gets it
/// again.
void Hub::fan_out() {
  for (const Batch& batch : batches_) {
    std::size_t next = batch.runs;
    for (const Group& group : batch.channel->groups) {
      if (group.members.empty()) continue;
      const Run& run = runs_[next++];
      for (Subscription* const member : group.members) hand(*member, run);
    }
    batch.channel->in_batch = 0;
    ++handed_;
  }
  for (const Batch& batch : batches_) catch_up(*batch.channel);
  batches_.clear();
  handed_ = 0;
  if (failure_) std::rethrow_exception(std::exchange(failure_, nullptr));
}

std::optional<Position> Hub::reached(const Subscription& subscription) const {
  if (subscription.group_ == Subscription::kHeld) return {};
  const Channel& channel = *subscription.channel_;
  Position at = channel.last;
  for (std::size_t i = handed_; i < batches_.size(); ++i) {
    if (batches_[i].channel != &channel) continue;
    at = batches_[i].before;
    break;
  }
  const Position begin = channel.groups[subscription.group_].after;
  const bool ahead = begin.epoch != at.epoch || begin.offset > at.offset;
  if (begin.epoch != 0 && ahead) at = begin;
  if (at.epoch == 0) return {};
  return at;
}

/// One that couldn't take it is told of a hole, at the latest before what comes
/// next.
void Hub::hand(Subscription& to, const Run& run) noexcept {
  try {
    if (run.hole || to.missed_ != 0) {
      to.owner_.gap(to);
      to.missed_ = 0;
    }
    if (run.count > 0) to.owner_.deliver(to, run.bytes, run.count);
    return;
  } catch (...) {
    failure_ = std::current_exception();
  }
  to.missed_ = 1;
  try {
    to.owner_.gap(to);
    to.missed_ = 0;
  } catch (...) {
    // Next time, then.
  }
}

void Hub::tell_hole(Subscription& to) noexcept {
  static const Run hole{.bytes = {}, .count = 0, .hole = true};
  hand(to, hole);
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
