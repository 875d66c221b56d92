#include "hearing.hpp"

#include <algorithm>
#include <utility>

namespace paperboy::fault {

namespace {

/// How far back something may stand that was published later, offsets.
constexpr std::uint64_t kInFlight = 256;
constexpr std::uint64_t kMost = 10000;

}  // namespace

Hearing::Hearing(std::string name, std::uint32_t channel, Ledger& ledger,
                 Tally& tally, bool returns)
    : name_(std::move(name)),
      channel_(channel),
      ledger_(ledger),
      tally_(tally),
      returns_(returns && !ledger.is_of_user(channel)) {}

// ---- its connections -------------------------------------------------------

void Hearing::begins(bool told) {
  if (listens_) return;
  listens_ = true;
  heard_ = false;
  const bool sound =
      ledger_.doubt() == Doubt::none && ledger_.doubts() == doubts_at_end_;
  is_sent_after_ = returns_ && noted_ && sound;
  waiting_.push_back({.stamp = {},
                      .told = told,
                      .begin = ledger_.begun(),
                      .due = is_sent_after_});
}

/// Who has heard nothing was somewhere all the same, but nobody knows where,
/// unless it was to go on from where it had been.

void Hearing::ends(bool noted) {
  if (!listens_) return;
  const bool is_known = is_placed_ || is_sent_after_;
  listens_ = heard_ = is_placed_ = false;
  noted_ = noted && is_known && ledger_.doubt() == Doubt::none;
  doubts_at_end_ = ledger_.doubts();
}

void Hearing::receives(const Stamp& stamp) {
  ++tally_.counts.deliveries;
  if (!listens_) {
    tally_.contradiction(here(stamp, {}) + ", before it was let in");
    return;
  }
  if (stamp.channel != channel_) {
    tally_.contradiction(here(stamp, {}) + ", of channel " +
                         std::to_string(stamp.channel));
    return;
  }
  if (!ledger_.hear(stamp)) return show();
  heard_ = true;
  const auto* const entry =
      ledger_.find(stamp.publisher, channel_, stamp.number);
  is_placed_ = is_placed_ || !is_in_doubt(*entry);
  waiting_.push_back({.stamp = stamp});
  settle();
}

// ---- the judgement ---------------------------------------------------------

void Hearing::settle() { settle(false); }

void Hearing::settle(bool all) {
  for (; !waiting_.empty(); waiting_.pop_front()) {
    const Event& event = waiting_.front();
    if (event.stamp.number == 0) {
      fresh_ = true;
      told_ = event.told;
      settled_ = !event.told;
      begin_ = event.begin;
      due_ = event.due;
      doubtful_.begins();
      continue;
    }
    const auto* const entry =
        ledger_.find(event.stamp.publisher, channel_, event.stamp.number);
    if (is_in_doubt(*entry)) {
      doubtful_.hears(event.stamp);
      continue;
    }
    const auto place = ledger_.where(event.stamp, place_.epoch);
    if (place) {
      judge(event.stamp, *place);
    } else if (all) {
      ++unplaced_;
    } else {
      return;
    }
  }
}

void Hearing::judge(const Stamp& stamp, const Place& place) {
  last_[next_last_++ % kLast] = {stamp, place};
  const auto* const entry =
      ledger_.find(stamp.publisher, channel_, stamp.number);
  // What stood in two epochs was taken for that of the other one.
  const auto moved = ledger_.where(at_, place.epoch);
  if (!fresh_ && place.epoch != place_.epoch && moved &&
      moved->epoch == place.epoch) {
    place_ = *moved;
  }
  if (fresh_) {
    fresh_ = false;
    first(stamp, place);
  } else if (place.epoch != place_.epoch) {
    tally_.untold(1, here(stamp, place) + ": another epoch than that of " +
                         place_text(place_));
    show();
    missing_.clear();
    skipped_.clear();
    place_ = place;
  } else if (place.offset <= place_.offset) {
    return late(stamp, place);
  } else {
    if (place.offset > place_.offset + 1) jump(stamp, place);
    place_ = place;
    const bool repeats =
        repeats_.epoch == place.epoch && place.offset <= repeats_.offset;
    if (repeats) ++tally_.counts.again;
  }
  settled_ = settled_ || entry->serial > begin_;
  at_ = stamp;
}

/// Of a connection: what was published after it was let in may not be missing,
/// nor what was to be sent after.
void Hearing::first(const Stamp& stamp, const Place& place) {
  missing_.clear();
  skipped_.clear();
  early_.clear();
  repeats_ = {};
  start_ = place.offset;
  const Place before = std::exchange(place_, place);
  const bool same = before.epoch == place.epoch;
  if (same && place.offset <= before.offset) {
    // Another worker may not have been as far.
    ++tally_.counts.again;
    repeats_ = before;
    return;
  }
  const std::uint64_t from = same ? before.offset : 0;
  if (same && due_) {
    place_ = before;
    settled_ = true;
    if (place.offset > place_.offset + 1) jump(stamp, place);
    place_ = place;
    return;
  }
  std::uint64_t holes = 0;
  const std::uint64_t back = std::min(place.offset - 1 - from, kInFlight);
  for (std::uint64_t i = 1; i <= back && told_; ++i) {
    const std::uint64_t offset = place.offset - i;
    const auto* const entry = ledger_.standing(channel_, {place.epoch, offset});
    if (entry == nullptr || entry->serial <= begin_) continue;
    if (lacks(offset, place)) ++holes;
  }
  if (holes > 0) {
    tally_.untold(holes, here(stamp, place) + ", the first that came, and " +
                             std::to_string(holes) +
                             " since it was let in didn't");
    show();
  }
  if (same && !ledger_.is_of_user(channel_)) {
    tally_.counts.between += place.offset - 1 - from - holes;
  }
}

/// What back ends said to all, while something was broken.
bool Hearing::is_in_doubt(const Ledger::Entry& entry) const {
  return entry.way == Way::topic && entry.excused &&
         !ledger_.is_of_user(channel_);
}

/// Of what was passed over: whether it had to come.
bool Hearing::lacks(std::uint64_t offset, const Place& place) {
  const auto* const entry = ledger_.standing(channel_, {place.epoch, offset});
  const bool before = entry == nullptr || entry->serial <= begin_;
  bool due = settled_ || !before;
  if (ledger_.is_of_user(channel_)) {
    due = due && entry != nullptr && entry->fate == Fate::acknowledged &&
          !entry->excused;
  } else if (due && entry == nullptr) {
    doubtful_.passes(Place{place.epoch, offset});
    due = false;
  } else if (due && is_in_doubt(*entry)) {
    doubtful_.passes(ledger_.stamp_at(channel_, {place.epoch, offset}),
                     place.epoch);
    due = false;
  }
  (due ? missing_ : skipped_).insert(offset);
  return due;
}

void Hearing::jump(const Stamp& stamp, const Place& place) {
  std::uint64_t holes = 0;
  const std::uint64_t end = std::min(place.offset, place_.offset + kMost);
  for (std::uint64_t i = place_.offset + 1; i < end; ++i) {
    if (lacks(i, place)) ++holes;
  }
  if (holes == 0) return;
  tally_.untold(holes, here(stamp, place) + ", after " + place_text(place_));
  show();
}

/// What was received already, or should have been.
void Hearing::late(const Stamp& stamp, const Place& place) {
  const auto* const entry =
      ledger_.find(stamp.publisher, channel_, stamp.number);
  // A copy of what a back end said to the channel, or its user, while it was
  // let in; of the latter it isn't told when.
  const bool early = (told_ || ledger_.is_of_user(channel_)) &&
                     entry->serial <= begin_ && entry->way == Way::topic;
  // One that takes it had failed, and another was slower.
  const bool in_doubt = entry->way == Way::topic && entry->excused;
  if (in_doubt && early_.insert(place.offset).second) return;
  const bool passed = place.offset < start_ || skipped_.contains(place.offset);
  if (early && passed && early_.insert(place.offset).second) return;
  const std::string text = here(stamp, place) + ", after " + place_text(place_);
  if (missing_.erase(place.offset) != 0) {
    --tally_.counts.untold;
    tally_.reorder(text);
  } else if (place.offset < start_ || doubtful_.fills(place)) {
    tally_.reorder(text);
  } else {
    tally_.duplicate(text);
  }
  show();
}

void Hearing::finish(const Place& last) {
  settle(true);
  doubtful_.finish(name_, channel_, ledger_, unplaced_);
  if (place_ == last) return;
  const std::string text = name_ + ": ends at " + place_text(place_) +
                           ", and the channel at " + place_text(last);
  const bool same = place_.epoch == last.epoch && place_.offset < last.offset;
  tally_.untold(same ? last.offset - place_.offset : 1, text);
  show();
}

// ---- for whoever has to find out why ---------------------------------------

std::string Hearing::here(const Stamp& stamp, const Place& place) const {
  return name_ + ": number " + std::to_string(stamp.number) + " of publisher " +
         std::to_string(stamp.publisher) + " at " + place_text(place);
}

void Hearing::show() {
  std::string text = name_ + " got last:";
  const std::size_t number = std::min(next_last_, kLast);
  for (std::size_t i = next_last_ - number; i < next_last_; ++i) {
    const auto& [stamp, place] = last_[i % kLast];
    text += " " + place_text(place) + "=" + std::to_string(stamp.publisher) +
            "/" + std::to_string(stamp.number);
  }
  tally_.note(text);
}

}  // namespace paperboy::fault
