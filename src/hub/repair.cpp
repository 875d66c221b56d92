// Where the log doesn't lead on from what a channel's subscribers have: the
// broker says anew where the channel stands, or this worker was too slow for
// the log, and reads on from history.
#include "hub/hub.hpp"

namespace paperboy::hub {

// ---- anchors ---------------------------------------------------------------

/// What was said before: of an epoch that is over, or that has gone on.
void Hub::on_anchor(Channel& channel, const Position& at) {
  const Position& last = channel.last;
  if (at.epoch != last.epoch) {
    if (!is_awaited(channel, at)) return;
  } else if (at.offset < last.offset ||
             (at == last && !channel.groups.has_ahead())) {
    return;
  }
  const bool hole = last.epoch != 0 && at != last;
  std::size_t next = batch_for(channel, hole).runs;
  for (const Group& group : channel.groups) {
    if (group.members.empty()) continue;
    Run& run = runs_[next++];
    run.hole =
        run.hole ||
        (group.after.epoch == 0 ? hole : lacks(channel, group.after, at));
  }
  anchor_held(channel, at);
  channel.last = at;
}

/// Whether one that has all up to `has` misses something of a channel that goes
/// on behind `at`.
bool Hub::lacks(const Channel& channel, const Position& has,
                const Position& at) {
  return has.epoch == at.epoch ? has.offset < at.offset
                               : !is_awaited(channel, has);
}

void Hub::anchor_held(Channel& channel, const Position& at) {
  for (const auto& held : held(channel)) {
    if (held->begin.epoch == 0) {
      held->begin = held->last = at;
      held->anchored = true;
    } else if (lacks(channel, held->last, at)) {
      held->lost = true;
    }
  }
}

// ---- after a loss ----------------------------------------------------------

/// Void is what this drain brought: the rest is read from history.
void Hub::lose() noexcept {
  discard();
  index_.for_each([this](auto number) { lose(channels_[number]); });
}

void Hub::lose(Channel& channel) noexcept {
  const Position position = broker_.position(channel.ref);
  for (const auto& held : held(channel)) {
    if (held->begin.epoch != 0 && held->last != position) held->lost = true;
  }
  if (channel.repairing != 0) {
    skip(channel, position);
  } else if (channel.last.epoch == 0) {
    // Its anchor may have been among what was lost.
    if (position.epoch != 0) go_to(channel, position);
  } else if (position != channel.last) {
    repair(channel);
  }
}

void Hub::discard() noexcept {
  for (auto batch = batches_.rbegin(); batch != batches_.rend(); ++batch) {
    batch->channel->in_batch = 0;
    batch->channel->last = batch->before;
    forget_after(*batch->channel, batch->before);
  }
  batches_.clear();
}

/// Until the history answers, nothing else of the channel is delivered: most
/// of what the log still brings the history has. Where it was read too early
/// for that, it is read again.
void Hub::repair(Channel& channel) noexcept {
  channel.repairing = 1;
  const std::uint64_t number = ++repairs_;
  const ChannelRef ref = channel.ref;
  bool begun = false;
  try {
    Apart& apart = need_apart(channel);
    apart.skipped = {};
    apart.repair = number;
    begun = true;
    const HistoryQuery query{.since = channel.last,
                             .until = broker_.position(ref)};
    broker_.history(broker_.name(ref), query,
                    [self = self_, ref, number](const auto& page) {
                      if (*self != nullptr) {
                        (*self)->repaired(ref, number, page);
                      }
                    });
  } catch (...) {
    failure_ = std::current_exception();
    const bool over =
        begun && (channel.repairing == 0 || apart(channel).repair != number);
    if (over) return tidy(channel);
    channel.repairing = 0;
    go_to(channel, broker_.position(ref));
    tidy(channel);
  }
}

/// What the log brings of a channel while it is repaired.
void Hub::skip(Channel& channel, const Position& position) {
  if (!is_awaited(channel, position)) return;
  Position& skipped = apart(channel).skipped;
  if (position.epoch == skipped.epoch && position.offset <= skipped.offset) {
    return;
  }
  skipped = position;
}

void Hub::repaired(ChannelRef ref, std::uint64_t number,
                   const Result<HistoryPage>& page) {
  Channel* const found = find(ref);
  if (found == nullptr) return;
  Channel& channel = *found;
  // That of another life of the channel's.
  if (channel.repairing == 0 || apart(channel).repair != number) return;
  channel.repairing = 0;
  if (!page || !is_complete(*page, channel.last)) {
    go_to(channel, broker_.position(ref));
    tidy(channel);
    return;
  }
  try {
    for (const Kept& kept : page->publications) {
      on_publication(ref, as_publication(broker_.name(ref), kept));
    }
  } catch (...) {
    failure_ = std::current_exception();
    discard();
    go_to(channel, broker_.position(ref));
  }
  fan_out();
  if (is_behind(channel)) {
    repair(channel);
  } else {
    tidy(channel);
  }
}

/// Something was skipped that the history, as it was read, had not.
bool Hub::is_behind(const Channel& channel) {
  const Position& skipped = apart(channel).skipped;
  if (skipped.epoch == channel.last.epoch) {
    return skipped.offset > channel.last.offset;
  }
  return skipped.epoch != 0 && is_awaited(channel, skipped);
}

/// Whoever misses something by that is told, while it still stands where they
/// are.
void Hub::go_to(Channel& channel, const Position& at) noexcept {
  const bool known = channel.last.epoch != 0;
  anchor_held(channel, at);
  for (const Group& group : channel.groups) {
    const bool hole =
        group.after.epoch == 0 ? known : lacks(channel, group.after, at);
    if (!hole) continue;
    for (Subscription* const member : group.members) tell_hole(*member);
  }
  channel.last = at;
  catch_up(channel);
}

}  // namespace paperboy::hub
