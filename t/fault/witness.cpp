#include "witness.hpp"

#include <algorithm>

namespace paperboy::fault {

using Kind = Ledger::Kind;

Witness::Witness(std::string name, std::uint32_t channel, Ledger& ledger,
                 Tally& tally)
    : name_(std::move(name)),
      channel_(channel),
      ledger_(ledger),
      tally_(tally),
      numbers_(ledger.publishers()) {}

// ---- where it stands -------------------------------------------------------

void Witness::begins(const Place& place) { restart(place); }

/// A new run. Numbers still have to go up, but may leave any out.
void Witness::restart(const Place& place) {
  const bool other_epoch = place.epoch != place_.epoch;
  place_ = place;
  start_ = place.offset;
  lost_place_ = false;
  missing_.clear();
  for (Numbers& numbers : numbers_) {
    numbers.from = numbers.last;
    // A message that was repeated may stand in both.
    if (other_epoch) numbers = {};
  }
}

void Witness::recovered(const Place& place) {
  ++tally_.counts.recovered;
  if (place == place_) return;
  const std::string text = name_ + ": recovered up to " + place_text(place) +
                           ", but has come to " + place_text(place_);
  if (place.epoch != place_.epoch) {
    tally_.untold(1, text + ", of another epoch");
  } else if (place.offset > place_.offset) {
    tally_.untold(place.offset - place_.offset, text);
  } else {
    tally_.contradiction(text);
  }
  show_events();
  restart(place);
}

void Witness::told(const Place& place) {
  ++tally_.counts.told;
  const bool back = place.epoch == place_.epoch && place.offset < place_.offset;
  if (back) {
    // As where Redis has come back with less than it had.
    ledger_.fork(channel_, place.epoch,
                 name_ + ": told of a hole up to " + place_text(place) +
                     ", but has come to " + place_text(place_));
  }
  restart(place);
}

void Witness::told() {
  ++tally_.counts.told;
  lost_place_ = true;
}

/// Who was told of a hole may hear its old place before the new one.
void Witness::stands(const Place& place) {
  if (place == place_) return;
  if (lost_place_) return restart(place);
  const std::string text = name_ + ": stands at " + place_text(place) +
                           ", but has come to " + place_text(place_);
  if (place.epoch == place_.epoch && place.offset < place_.offset) {
    tally_.contradiction(text);
  } else {
    const bool same = place.epoch == place_.epoch;
    tally_.untold(same ? place.offset - place_.offset : 1, text);
  }
  show_events();
  restart(place);
}

// ---- what it gets ----------------------------------------------------------

void Witness::receives(const Stamp& stamp, const Place& place) {
  ++tally_.counts.deliveries;
  remember(stamp, place);
  if (stamp.channel != channel_) {
    tally_.contradiction(here(stamp, place) + ", of another channel");
    return;
  }
  if (!ledger_.claim(stamp, place)) {
    show_events();
    return;
  }
  if (lost_place_) restart({place.epoch, place.offset - 1});
  if (in_order(stamp, place)) check_numbers(stamp);
}

bool Witness::in_order(const Stamp& stamp, const Place& place) {
  if (place.epoch != place_.epoch) {
    tally_.untold(1, here(stamp, place) + ": another epoch than that of " +
                         place_text(place_));
    show_events();
    restart(place);
    return false;
  }
  if (place.offset <= place_.offset) {
    late(stamp, place);
    return false;
  }
  if (place.offset > place_.offset + 1) jump(stamp, place);
  place_ = place;
  return true;
}

/// What was received already, or should have been.
void Witness::late(const Stamp& stamp, const Place& place) {
  const std::string text = here(stamp, place) + ", after " + place_text(place_);
  if (missing_.erase(place.offset) != 0) {
    --tally_.counts.untold;
    tally_.reorder(text);
  } else if (place.offset > start_) {
    tally_.duplicate(text);
  } else {
    tally_.reorder(text);
  }
  show_events();
}

void Witness::jump(const Stamp& stamp, const Place& place) {
  const std::uint64_t hole = place.offset - place_.offset - 1;
  tally_.untold(hole, here(stamp, place) + ", after " + place_text(place_));
  show_events();
  constexpr std::uint64_t kMost = 10000;
  for (std::uint64_t i = 1; i <= std::min(hole, kMost); ++i) {
    missing_.insert(place_.offset + i);
  }
  // The numbers between are in the same hole.
  for (Numbers& numbers : numbers_) numbers.from = numbers.last;
}

/// Offsets are without a hole; so are a publisher's numbers, but for those that
/// were refused, are unknown, or stand in another epoch.
void Witness::check_numbers(const Stamp& stamp) {
  Numbers& numbers = numbers_[stamp.publisher];
  if (stamp.number <= numbers.last) {
    // One node had lost it, and another was slower.
    if (ledger_.find(stamp.publisher, channel_, stamp.number)->excused) return;
    const bool again = numbers.from < stamp.number;
    ledger_.complain(
        again ? Kind::duplicate : Kind::reorder, channel_, place_.epoch,
        here(stamp, place_) + ", after number " + std::to_string(numbers.last));
    show_events();
    return;
  }
  const bool sure = numbers.last != 0 && numbers.from != numbers.last;
  if (numbers.last == 0) numbers.from = stamp.number - 1;
  if (sure) {
    for (std::uint32_t n = numbers.last + 1; n < stamp.number; ++n) {
      if (!ledger_.is_due(stamp.publisher, channel_, n, place_.epoch)) continue;
      ledger_.complain(Kind::untold, channel_, place_.epoch,
                       here(stamp, place_) + ": number " + std::to_string(n) +
                           " was acknowledged, and left out");
      show_events();
    }
  } else if (numbers.last != 0) {
    numbers.from = stamp.number - 1;
  }
  numbers.last = stamp.number;
}

void Witness::ends(const Place& last) {
  if (place_ == last) return;
  const std::string text = name_ + ": ends at " + place_text(place_) +
                           ", and the channel at " + place_text(last);
  if (place_.epoch == last.epoch && place_.offset < last.offset) {
    tally_.untold(last.offset - place_.offset, text);
  } else {
    tally_.untold(1, text);
  }
  show_events();
}

// ---- for whoever has to find out why ---------------------------------------

void Witness::remember(const Stamp& stamp, const Place& place) {
  events_[next_event_++ % kEvents] = {place, stamp.publisher, stamp.number};
}

std::string Witness::here(const Stamp& stamp, const Place& place) const {
  return name_ + ": number " + std::to_string(stamp.number) + " of publisher " +
         std::to_string(stamp.publisher) + " at " + place_text(place);
}

void Witness::show_events() {
  std::string text = name_ + " got last:";
  const std::size_t number = std::min(next_event_, kEvents);
  for (std::size_t i = next_event_ - number; i < next_event_; ++i) {
    const Event& event = events_[i % kEvents];
    text += " " + place_text(event.place) + "=" +
            std::to_string(event.publisher) + "/" +
            std::to_string(event.number);
  }
  tally_.note(text);
}

}  // namespace paperboy::fault
