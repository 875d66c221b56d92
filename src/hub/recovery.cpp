// The hub's ways back to what was missed: of one subscriber that was away, and
// of a whole worker that was too slow.
//
// For one subscriber:
//
//   subscribe   its top is T; what comes after T is its own from here on
//   hold        it leaves the fan-out; what comes is kept (after T)
//   read        the history answers with all after `since`, up to its top R
//   merge       it is told what was missed up to R, gets what was kept after R,
//               and is back in the fan-out behind the last of that
//
// Since it is counted as a subscriber before the history is read, R is no less
// than T, and what comes after R is or will be kept: nothing lies between.
// Since the kept up to R are dropped, nothing comes twice.
#include <algorithm>
#include <cassert>

#include "hub/hub.hpp"

namespace paperboy::hub {

namespace {

/// Whether the history can have what lacks, as far as positions tell.
bool within(const Position& since, const Position& top,
            const RecoveryLimits& limits) {
  return since.epoch == top.epoch && since.offset <= top.offset &&
         top.offset - since.offset <= limits.publications;
}

Publication as_publication(Bytes channel, const Kept& kept) {
  return {channel, kept.position, kept.kind, kept.data, kept.extra};
}

}  // namespace

void Hub::recover(Subscription& subscription, Position since,
                  const RecoveryLimits& limits, const RecoveryReply& reply) {
  const Position top = subscription.position();
  if (since.epoch == 0) since.epoch = top.epoch;
  if (since == top || !within(since, top, limits)) {
    reply({since == top, top, {}});
    return;
  }
  Channel& channel = *subscription.channel_;
  auto held = std::make_unique<Held>();
  const std::uint64_t id = held->id = ++held_count_;
  held->subscription = &subscription;
  held->begin = held->last = top;
  channel.held.reserve(channel.held.size() + 1);
  held->encoder = &take(subscription);
  subscription.channel_ = &channel;
  subscription.group_ = Subscription::kHeld;
  subscription.index_ = static_cast<std::uint32_t>(channel.held.size());
  channel.held.push_back(std::move(held));
  const HistoryQuery query{
      .since = since, .limit = limits.publications, .bytes = limits.bytes};
  broker_.history(broker_.name(channel.ref), query,
                  [self = self_, ref = channel.ref, id, since,
                   reply](const Result<HistoryPage>& page) {
                    if (*self == nullptr) return;
                    auto& channels = (*self)->channels_;
                    const auto found = channels.find(ref);
                    if (found == channels.end()) return;
                    (*self)->recovered(*found->second, id, since, page, reply);
                  });
}

void Hub::recovered(Channel& channel, std::uint64_t id, const Position& since,
                    const Result<HistoryPage>& page,
                    const RecoveryReply& reply) {
  const auto found = std::ranges::find_if(
      channel.held, [id](const auto& held) { return held->id == id; });
  if (found == channel.held.end()) return;  // it left
  const Position begin = (*found)->begin;
  const bool complete = page && page->top.epoch == begin.epoch &&
                        page->top.offset >= begin.offset &&
                        is_complete(*page, since);
  if (complete) {
    reply({true, page->top, page->publications});
    go_on(channel, id, page->top);
  } else {
    reply({false, begin, {}});
    go_on(channel, id, begin);
  }
}

/// What came meanwhile, from `from` on; and back into the fan-out.
void Hub::go_on(Channel& channel, std::uint64_t id, const Position& from) {
  const auto found = std::ranges::find_if(
      channel.held, [id](const auto& held) { return held->id == id; });
  assert(found != channel.held.end());
  Subscription& subscription = *(*found)->subscription;
  const std::vector<Kept> live = std::move((*found)->live);
  const bool lost = (*found)->lost;
  const Position last = std::max((*found)->last, from);
  Encoder& encoder = take(subscription);
  put(subscription, channel, encoder, last);
  Run& run = add_run();
  for (const Kept& kept : live) {
    if (kept.position.offset <= from.offset) continue;
    encoder.encode(as_publication(broker_.name(channel.ref), kept), run.bytes);
    ++run.count;
  }
  if (run.count > 0) {
    subscription.owner_.deliver(subscription, run.bytes, run.count);
  }
  if (lost) subscription.owner_.gap(subscription);
}

void Hub::hold_back(Held& held, const Publication& publication) {
  const Position& next = publication.position;
  const bool hole =
      next.epoch != held.last.epoch || next.offset != held.last.offset + 1;
  held.bytes +=
      sizeof(Kept) + publication.data.size() + publication.extra.size();
  if (held.lost || hole || held.bytes > kMaxHeld) {
    held.lost = true;
    return;
  }
  held.live.push_back({next, publication.kind, std::string(publication.data),
                       std::string(publication.extra)});
  held.last = next;
}

/// What this drain brought is void.
void Hub::forget_after(Held& held, const Position& position) {
  while (held.last != held.begin && (held.last.epoch != position.epoch ||
                                     held.last.offset > position.offset)) {
    held.live.pop_back();
    held.last = held.live.empty() ? held.begin : held.live.back().position;
  }
}

// ---- after a loss ----------------------------------------------------------

/// Until the history answers, nothing else of the channel is delivered: most
/// of what the log still brings the history has. Where it was read too early
/// for that, it is read again.
void Hub::repair(Channel& channel) {
  channel.repairing = true;
  channel.skipped = {};
  const HistoryQuery query{.since = channel.last};
  broker_.history(
      broker_.name(channel.ref), query,
      [self = self_, ref = channel.ref](const Result<HistoryPage>& page) {
        if (*self != nullptr) (*self)->repaired(ref, page);
      });
}

void Hub::repaired(ChannelRef ref, const Result<HistoryPage>& page) {
  const auto found = channels_.find(ref);
  if (found == channels_.end()) return;
  Channel& channel = *found->second;
  channel.repairing = false;
  if (!page || !is_complete(*page, channel.last)) {
    tell_gap(channel, broker_.position(ref));
    return;
  }
  for (const Kept& kept : page->publications) {
    on_publication(ref, as_publication(broker_.name(ref), kept));
  }
  fan_out();
  if (is_behind(channel)) repair(channel);
}

/// Something was skipped that the history, as it was read, had not.
bool Hub::is_behind(const Channel& channel) {
  const Position& skipped = channel.skipped;
  if (skipped.epoch == channel.last.epoch) {
    return skipped.offset > channel.last.offset;
  }
  return skipped.epoch == broker_.position(channel.ref).epoch;
}

void Hub::tell_gap(Channel& channel, const Position& top) {
  channel.last = top;
  for (Group& group : channel.groups) {
    const Position& after = group.after;
    if (after.epoch == top.epoch && after.offset >= top.offset) continue;
    for (Subscription* member : group.members) member->owner_.gap(*member);
  }
  catch_up(channel);
}

}  // namespace paperboy::hub
