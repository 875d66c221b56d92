// The hub's way back to what one subscriber missed that was away, and to where
// it begins where that isn't known at once.
//
//   subscribe   its top is T; what comes after T is its own from here on
//   hold        it leaves the fan-out; what comes is kept (after T)
//   read        the history answers with all after `since`, up to its top R
//   merge       it is told what was missed up to R, gets what was kept after R,
//               and is back in the fan-out behind the last of that
//
// Since it is counted as a subscriber before the history is read, R is no less
// than T, and what comes after R is or will be kept: nothing lies between.
// Since the kept up to R are dropped, nothing comes twice. Where this worker
// hasn't heard of R yet, it goes on behind R, ahead of the others.
//
// T may not be known: then the channel's anchor is T, or, if the history is
// faster, R. R may be of another epoch than T, a newer one, which the channel
// has yet to come to: what was kept before that is void, as T is.
#include <algorithm>
#include <cassert>

#include "hub/hub.hpp"

namespace paperboy::hub {

namespace {

constexpr Error kNotAsked{ErrorCode::not_found, "it is known where it begins"};

/// Whether it needs no history to know that it can't have what lacks.
bool is_beyond(const Position& since, const Position& top,
               const RecoveryLimits& limits) {
  return since.epoch == top.epoch && since.offset <= top.offset &&
         top.offset - since.offset > limits.publications;
}

Recovery judge(const Position& begin, const std::optional<Position>& since,
               const HistoryPage& page) {
  const Position& top = page.top;
  const bool same = top.epoch == begin.epoch;
  if (same && top.offset < begin.offset) return {false, begin, {}};
  if (since) {
    const Position from{since->epoch == 0 ? top.epoch : since->epoch,
                        since->offset};
    if (is_complete(page, from)) return {true, top, page.publications};
    // It has more than this worker, which must not bring it that again.
    if (same && from.epoch == top.epoch && from.offset > begin.offset) {
      return {false, top, {}};
    }
  }
  return {false, same ? begin : top, {}};
}

}  // namespace

Publication as_publication(Bytes channel, const Kept& kept) {
  return {channel, kept.position, kept.kind, kept.data, kept.extra};
}

void Hub::recover(Subscription& subscription, std::optional<Position> since,
                  const RecoveryLimits& limits, const RecoveryReply& reply) {
  if (subscription.group_ != Subscription::kHeld) {
    const Position top = subscription.position();
    if (since && since->epoch == 0) since->epoch = top.epoch;
    if (top.epoch != 0 &&
        (!since || *since == top || is_beyond(*since, top, limits))) {
      reply(Recovery{since == top, top, {}});
      return;
    }
  }
  const auto held = hold(subscription);
  if (!since && held->begin.epoch != 0) {
    recovered(*held, since, kNotAsked, reply);
    return;
  }
  if (since && since == held->begin) {
    recovered(*held, since, HistoryPage{held->begin, {}}, reply);
    return;
  }
  HistoryQuery query{.since = since,
                     .limit = since ? limits.publications : 0,
                     .bytes = limits.bytes};
  if (held->begin.epoch != 0) query.until = held->begin;
  const auto answer = [self = self_, waits = std::weak_ptr(held), id = held->id,
                       since, reply](const Result<HistoryPage>& page) {
    const auto here = waits.lock();
    if (here && here->id == id && here->subscription != nullptr) {
      (*self)->recovered(*here, since, page, reply);
    }
  };
  try {
    broker_.history(subscription.channel_name(), query, answer);
  } catch (const std::bad_alloc&) {
    answer(Error{ErrorCode::unavailable, "no memory to read the history"});
  }
}

/// Out of the fan-out. One that is held already, and has lost something of what
/// was kept for it, begins anew.
const std::shared_ptr<Held>& Hub::hold(Subscription& subscription) {
  Channel& channel = *subscription.channel_;
  if (subscription.group_ == Subscription::kHeld) {
    const auto& held = apart(channel).held[subscription.index_];
    held->id = ++held_count_;
    if (held->lost || !has_after(held->begin, *held)) {
      held->begin = held->last = channel.last;
      held->first = Held::kNothing;
      held->lost = held->anchored = false;
    }
    return held;
  }
  auto held = std::make_shared<Held>();
  held->id = ++held_count_;
  held->subscription = &subscription;
  held->begin = held->last = subscription.position();
  auto& all = need_apart(channel).held;
  try {
    all.reserve(all.size() + 1);
  } catch (...) {
    tidy(channel);
    throw;
  }
  held->encoder = &take(subscription);
  subscription.channel_ = &channel;
  subscription.group_ = Subscription::kHeld;
  subscription.index_ = static_cast<std::uint32_t>(all.size());
  all.push_back(std::move(held));
  return all.back();
}

/// Whether there was room for all that came for it after `from`.
bool Hub::has_after(const Position& from, const Held& held) {
  const Live& live = apart(*held.subscription->channel_).live;
  if (held.first == Held::kNothing || held.first >= live.base) return true;
  if (held.last <= from) return true;
  if (live.kept.empty()) return false;
  const Position& oldest = live.kept.front().position;
  return oldest.epoch == from.epoch && oldest.offset <= from.offset + 1;
}

/// `held` is the caller's too.
void Hub::recovered(Held& held, const std::optional<Position>& since,
                    const Result<HistoryPage>& page,
                    const RecoveryReply& reply) {
  const std::uint64_t id = held.id = ++held_count_;  // it is answered once
  if (!page &&
      (page.error().code == ErrorCode::unavailable || held.begin.epoch == 0)) {
    reply(page.error());
    return;
  }
  const Result<Recovery> recovery =
      page ? judge(held.begin, since, *page) : Recovery{false, held.begin, {}};
  const auto waits = [&] {
    return held.subscription != nullptr && held.id == id;
  };
  try {
    reply(recovery);
  } catch (...) {
    held.lost = true;
    if (waits()) go_on(held, recovery->position);
    throw;
  }
  if (waits()) go_on(held, recovery->position);
}

/// What came meanwhile, from `from` on; and back into the fan-out.
void Hub::go_on(const Held& held, const Position& from) {
  Subscription& subscription = *held.subscription;
  Channel& channel = *subscription.channel_;
  const bool same = from.epoch == held.last.epoch;
  const bool all = same && has_after(from, held);
  bool lost = held.lost || (same && !all);
  Position at = from;
  if (same) {
    at = all ? std::max(held.last, from) : channel.last;
  } else if (from.epoch == channel.last.epoch) {
    lost = from.offset < channel.last.offset;
  } else {
    lost = lost || held.anchored;
    if (lost) at = channel.last;
  }
  Run& run = add_run();
  try {
    if (all) encode_after(from, held, run);
    channel.groups.make_room(*held.encoder, begin_in(channel, at));
  } catch (...) {
    tell_hole(subscription);
    throw;
  }
  Encoder& encoder = take(subscription);
  put(subscription, channel, encoder, at);
  hand(subscription, run);
  if (lost) tell_hole(subscription);
  if (failure_) std::rethrow_exception(std::exchange(failure_, nullptr));
}

void Hub::encode_after(const Position& from, const Held& held, Run& run) {
  if (held.first == Held::kNothing) return;
  const Bytes name = held.subscription->channel_name();
  const Live& live = apart(*held.subscription->channel_).live;
  const std::uint64_t first = std::max(held.first, live.base);
  for (std::size_t i = first - live.base; i < live.kept.size(); ++i) {
    const Kept& kept = live.kept[i];
    if (kept.position.offset > from.offset) {
      held.encoder->encode(as_publication(name, kept), run.bytes);
      ++run.count;
    }
    if (kept.position == held.last) return;
  }
}

void Hub::hold_back(Channel& channel, const Publication& publication) {
  const Position& next = publication.position;
  Live& live = apart(channel).live;
  bool wanted = false;
  for (const auto& held : held(channel)) {
    if (held->lost || !is_for(held->last, channel, publication)) continue;
    held->lost =
        next.epoch != held->last.epoch || next.offset != held->last.offset + 1;
    if (held->lost) continue;
    if (held->first == Held::kNothing) held->first = live.end();
    held->last = next;
    wanted = true;
  }
  if (!wanted) return;
  const auto cost = [](const Kept& kept) {
    return sizeof(Kept) + kept.data.size() + kept.extra.size();
  };
  live.kept.push_back({next, publication.kind, std::string(publication.data),
                       std::string(publication.extra)});
  live.bytes += cost(live.kept.back());
  for (; live.bytes > kMaxHeld; ++live.base) {
    live.bytes -= cost(live.kept.front());
    live.kept.pop_front();
  }
}

/// What this drain brought is void.
void Hub::forget_after(Channel& channel, const Position& position) noexcept {
  const auto is_void = [&](const Position& at) {
    return at.epoch != position.epoch || at.offset > position.offset;
  };
  if (channel.has_apart == 0) return;
  Live& live = apart(channel).live;
  while (!live.kept.empty() && is_void(live.kept.back().position)) {
    live.bytes -= sizeof(Kept) + live.kept.back().data.size() +
                  live.kept.back().extra.size();
    live.kept.pop_back();
  }
  for (const auto& held : held(channel)) {
    if (held->first != Held::kNothing && held->first >= live.end()) {
      held->first = Held::kNothing;
      held->last = held->begin;
    } else if (live.kept.empty()) {
      held->lost = held->lost || held->first != Held::kNothing;
    } else if (held->first != Held::kNothing && is_void(held->last)) {
      held->last = live.kept.back().position;
    }
    if (position.epoch == 0 && std::exchange(held->anchored, false)) {
      held->begin = held->last = {};
      held->lost = false;
    }
  }
}

}  // namespace paperboy::hub
