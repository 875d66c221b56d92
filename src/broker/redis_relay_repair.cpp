// Where channels stand, and what is missing of them. A hole is read from the
// stream once, for all clients of the node, and comes before what waits.
#include <algorithm>

#include "broker/redis_relay.hpp"

namespace paperboy::broker::redis {

namespace {

constexpr std::size_t kPlaced = 100;     // channels in one call
constexpr std::size_t kPlacing = 32;     // calls at a time, about
constexpr std::uint32_t kPage = 500;     // entries of a hole in one read
constexpr std::uint32_t kWindow = 5000;  // entries to begin with
constexpr std::uint64_t kWindowBytes = 1024UL * 1024;
constexpr std::uint64_t kRetryMs = 200;
constexpr std::uint8_t kDoublings = 5;  // of it, where Redis refuses each time

Draft as_draft(Bytes channel, const Kept& kept, const Retention& keep) {
  return {.channel = channel,
          .kind = kept.kind,
          .data = kept.data,
          .extra = kept.extra,
          .keep = keep};
}

}  // namespace

// ---- placing ---------------------------------------------------------------

void Relay::place(const std::string& channel) {
  Topic* const topic = find(channel);
  if (topic == nullptr) return;
  topic->state = State::placing;
  to_place_.insert(channel);
  if (!place_alarm_->is_set()) place_alarm_->set(0);
}

/// All that a turn brought, in few calls, and so many of them at a time.
void Relay::place_all() {
  std::map<Bucket, std::vector<std::string>> plain;
  while (!to_place_.empty() && placing_ < kPlacing) {
    const std::string channel =
        std::move(to_place_.extract(to_place_.begin()).value());
    if (keep(channel).count > 0) {
      place_with_window(channel);
      continue;
    }
    const Bucket bucket = bucket_of(channel);
    auto& some = plain[bucket];
    some.push_back(channel);
    if (some.size() < kPlaced) continue;
    place_some(bucket, some);
    some.clear();
  }
  for (const auto& [bucket, some] : plain) {
    if (!some.empty()) place_some(bucket, some);
  }
}

void Relay::place_more() {
  --placing_;
  if (!to_place_.empty() && !place_alarm_->is_set()) place_alarm_->set(0);
}

void Relay::place_some(Bucket bucket,
                       const std::vector<std::string>& channels) {
  ++placing_;
  store_.positions(
      bucket, standings(channels),
      [self = self_, channels](const Result<std::vector<Standing>>& standings) {
        if (*self == nullptr) return;
        (*self)->place_more();
        if (!standings) {
          for (const auto& channel : channels) (*self)->refused(channel);
          return;
        }
        for (const auto& one : *standings) {
          (*self)->placed(one.channel, one.position, {});
        }
      });
}

/// Where the zone has them.
std::vector<Standing> Relay::standings(
    const std::vector<std::string>& channels) const {
  std::vector<Standing> all;
  for (const std::string& channel : channels) {
    const auto at = zone_.position(channel);
    all.push_back({channel, at ? *at : Position{}});
  }
  return all;
}

/// What the channel keeps comes with its place, so that whoever comes back
/// finds it in the zone.
void Relay::place_with_window(const std::string& channel) {
  const Retention kept = keep(channel);
  const WindowQuery query{.limit = std::min(kept.count, kWindow),
                          .bytes = kWindowBytes,
                          .reverse = true,
                          .kept = kept};
  ++placing_;
  store_.window(channel, query,
                [self = self_, channel](const Result<Window>& window) {
                  if (*self == nullptr) return;
                  (*self)->place_more();
                  if (!window) return (*self)->refused(channel);
                  auto entries = window->entries;
                  std::ranges::reverse(entries);
                  (*self)->placed(channel, window->top, entries);
                });
}

void Relay::placed(const std::string& channel, const Position& at,
                   std::span<const shm::Recent> window) {
  Topic* const topic = find(channel);
  if (topic == nullptr || topic->state != State::placing) return;
  const auto here = zone_.position(channel);
  if (here && here->epoch != 0) {
    // Another worker was first.
    topic->again |= is_behind({channel, at});
    return follow(channel, *topic);
  }
  // Only what reaches up to the place without a hole.
  std::size_t first = window.size();
  while (first > 0 && window[first - 1].kept.position.offset ==
                          at.offset - (window.size() - first)) {
    --first;
  }
  const auto anchored =
      zone_.anchor(channel, at, window.subspan(first), keep(channel));
  if (anchored) return follow(channel, *topic);
  if (anchored.error().code == ErrorCode::not_found) {
    // Nobody wants it any more; the sweep lets it go.
    topic->pending.reset();
    topic->state = State::following;
    return;
  }
  failed(channel);
}

/// The zone had no time for it: once more, soon.
void Relay::failed(const std::string& channel) { retry_in(channel, kRetryMs); }

/// Redis may have had no time either; or it never will, since somebody else
/// wrote to a key of the channel.
void Relay::refused(const std::string& channel) {
  Topic* const topic = find(channel);
  if (topic == nullptr) return;
  retry_in(channel, kRetryMs << topic->refusals);
  if (topic->refusals < kDoublings) ++topic->refusals;
}

void Relay::retry_in(const std::string& channel, std::uint64_t ms) {
  to_retry_[channel] = now() + ms;
  if (!retry_alarm_->is_set()) retry_alarm_->set(kRetryMs);
}

/// A message came: what was refused may go well by now.
void Relay::hasten(const std::string& channel, const Topic& topic) {
  if (topic.refusals == 0) return;
  const auto found = to_retry_.find(channel);
  if (found != to_retry_.end()) found->second = 0;
}

void Relay::retry() {
  std::vector<std::string> due;
  std::erase_if(to_retry_, [&](const auto& item) {
    if (item.second > now()) return false;
    due.push_back(item.first);
    return true;
  });
  if (!to_retry_.empty()) retry_alarm_->set(kRetryMs);
  for (const std::string& channel : due) {
    Topic* const topic = find(channel);
    if (topic == nullptr) continue;
    if (!engine_.is_up(engine_.shard_of(bucket_of(channel)))) {
      continue;  // it is asked for anew when that is up
    }
    if (topic->state == State::placing) {
      place(channel);
    } else if (topic->state == State::repairing) {
      topic->state = State::following;
      repair(channel);
    } else if (topic->state == State::following &&
               std::exchange(topic->again, false)) {
      repair(channel);
    }
  }
}

// ---- repairing -------------------------------------------------------------

void Relay::repair(const std::string& channel) {
  Topic* const topic = find(channel);
  if (topic == nullptr || topic->state == State::placing) return;
  if (topic->state != State::following) {
    topic->again = true;
    return;
  }
  if (!stalled_.empty()) {
    // What seems to be missing may wait for room, and the stream may not reach
    // back to it any more.
    topic->again = true;
    return failed(channel);
  }
  topic->state = State::repairing;
  const auto from = zone_.position(channel);
  if (!from && from.error().code == ErrorCode::not_found) {
    topic->state = State::following;  // nobody wants it any more
    return;
  }
  if (!from) return failed(channel);
  if (from->epoch == 0) return place(channel);
  read_hole(channel, *from);
}

/// After `from`; where the channel has begun anew, from its beginning.
void Relay::read_hole(const std::string& channel, const Position& from) {
  const WindowQuery query{
      .epoch = from.epoch, .offset = from.offset, .limit = kPage};
  store_.window(channel, query,
                [self = self_, channel, from](const Result<Window>& window) {
                  if (*self == nullptr) return;
                  Relay& here = **self;
                  Topic* const topic = here.find(channel);
                  if (topic == nullptr || topic->state != State::repairing) {
                    return;
                  }
                  if (!window) return here.refused(channel);
                  if (window->top.epoch != from.epoch) {
                    return here.read_hole(channel, {window->top.epoch, 0});
                  }
                  here.fill(channel, from, *window);
                });
}

void Relay::fill(const std::string& channel, const Position& from,
                 const Window& window) {
  if (!bring(channel, from, window)) return failed(channel);
  Topic& topic = *find(channel);
  const auto here = zone_.position(channel);
  topic.futile = here && *here == from;
  if (is_behind({channel, window.top})) {
    // There is more of it.
    topic.state = State::following;
    return repair(channel);
  }
  follow(channel, topic);
}

/// False: the zone has no room now; what it has stays, and is gone on from.
bool Relay::bring(const std::string& channel, const Position& from,
                  const Window& window) {
  const auto here = zone_.position(channel);
  if (!here) return here.error().code == ErrorCode::not_found;
  const std::uint64_t next = window.entries.empty()
                                 ? window.top.offset + 1
                                 : window.entries.front().kept.position.offset;
  const bool anew = here->epoch != from.epoch;
  if (anew || next > std::max(here->offset, from.offset) + 1) {
    if (!leave_out(channel, {from.epoch, next - 1})) return false;
  }
  return std::ranges::all_of(window.entries, [&](const shm::Recent& entry) {
    return bring_one(channel, entry.kept);
  });
}

bool Relay::bring_one(const std::string& channel, const Kept& kept) {
  const Position& at = kept.position;
  const Draft draft = as_draft(channel, kept, keep(channel));
  auto imported = zone_.import(draft, at);
  if (imported && *imported == shm::Import::hole) {
    // The stream has one of its own.
    if (!leave_out(channel, {at.epoch, at.offset - 1})) return false;
    imported = zone_.import(draft, at);
  }
  if (!imported && imported.error().code == ErrorCode::too_large) {
    return leave_out(channel, at);  // other nodes have more memory
  }
  if (!imported) return imported.error().code == ErrorCode::not_found;
  if (*imported == shm::Import::appended) {
    counters_.add(Counter::redis_repaired);
  }
  return true;
}

/// What the channel lacks up to there is a gap.
bool Relay::leave_out(const std::string& channel, const Position& to) {
  const auto told = zone_.anchor(channel, to, {}, keep(channel));
  if (!told) return told.error().code == ErrorCode::not_found;
  counters_.add(Counter::redis_gaps);
  return true;
}

// ---- comparing -------------------------------------------------------------

bool Relay::is_behind(const Standing& standing) {
  const auto here = zone_.position(standing.channel);
  if (!here) return here.error().code != ErrorCode::not_found;
  return here->epoch != standing.position.epoch ||
         here->offset < standing.position.offset;
}

/// `proof`: the probe that comes behind all that the channel is said to have;
/// 0: nothing can be on its way, or what is doesn't matter.
void Relay::compare(const Standing& standing, std::uint64_t proof) {
  const Topic* const topic = find(standing.channel);
  if (topic == nullptr) return;
  // It may miss this, and isn't repaired yet.
  if (topic->state == State::asked) return forget(bucket_of(standing.channel));
  if (keeps_removed(standing)) (void)zone_.remove_history(standing.channel);
  if (!is_behind(standing)) return;
  if (proof == 0) return repair(standing.channel);
  Probe& probe = this->probe(engine_.shard_of(bucket_of(standing.channel)));
  // Alone: there may be very many others.
  if (proof <= probe.returned) return repair(standing.channel);
  probe.suspects.push_back({standing, proof});
}

/// The word that it was to be forgotten was lost.
bool Relay::keeps_removed(const Standing& standing) {
  if (standing.removed == 0) return false;
  const auto first = zone_.history(standing.channel, {.limit = 1});
  return first && first->top.epoch == standing.position.epoch &&
         !first->publications.empty() &&
         first->publications[0].position.offset <= standing.removed;
}

void Relay::look_at_suspects(Probe& probe) {
  std::erase_if(probe.suspects, [&](const Suspect& suspect) {
    if (suspect.proof > probe.returned) return false;
    if (is_behind(suspect.standing)) repair(suspect.standing.channel);
    return true;
  });
}

}  // namespace paperboy::broker::redis
