#include "ledger.hpp"

#include <algorithm>
#include <cassert>

namespace paperboy::fault {

namespace {

std::string text(const Stamp& stamp) {
  return "publisher " + std::to_string(stamp.publisher) + ", channel " +
         std::to_string(stamp.channel) + ", number " +
         std::to_string(stamp.number);
}

}  // namespace

Ledger::Ledger(std::size_t publishers, std::size_t channels, Tally& tally)
    : publishers_(publishers),
      channels_(channels),
      tally_(tally),
      rows_(publishers * channels),
      columns_(channels),
      newest_(channels),
      left_(channels) {}

std::uint32_t Ledger::next(std::uint32_t publisher,
                           std::uint32_t channel) const {
  return static_cast<std::uint32_t>(
      rows_[publisher * channels_ + channel].size() + 1);
}

void Ledger::publish(const Stamp& stamp) {
  assert(stamp.number == next(stamp.publisher, stamp.channel));
  Entry& fresh =
      rows_[stamp.publisher * channels_ + stamp.channel].emplace_back();
  fresh.hash = stamp.hash;
}

Ledger::Entry* Ledger::entry(const Stamp& stamp) {
  return const_cast<Entry*>(find(stamp.publisher, stamp.channel, stamp.number));
}

const Ledger::Entry* Ledger::find(std::uint32_t publisher,
                                  std::uint32_t channel,
                                  std::uint32_t number) const {
  if (publisher >= publishers_ || channel >= channels_) return nullptr;
  const Row& row = rows_[publisher * channels_ + channel];
  return number >= 1 && number <= row.size() ? &row[number - 1] : nullptr;
}

void Ledger::repeat(const Stamp& stamp) {
  entry(stamp)->repeated = true;
  ++tally_.counts.repeated;
}

void Ledger::acknowledge(const Stamp& stamp, const Place& place, double now) {
  Entry& here = *entry(stamp);
  here.answered = now;
  ++tally_.counts.published;
  if (place.epoch == 0 || place.offset == 0) {
    tally_.contradiction(text(stamp) + " acknowledged without a position");
  } else {
    this->place(stamp, here, place);
    advance(newest_[stamp.channel], left_[stamp.channel], place);
  }
  here.fate = Fate::acknowledged;
}

void Ledger::advance(Place& newest, std::set<std::uint64_t>& left,
                     const Place& place) {
  if (newest.epoch == place.epoch) {
    newest.offset = std::max(newest.offset, place.offset);
  } else if (!left.contains(place.epoch)) {
    left.insert(newest.epoch);
    newest = place;
  }
}

void Ledger::refuse(const Stamp& stamp) {
  Entry& here = *entry(stamp);
  here.fate = Fate::refused;
  ++tally_.counts.refused;
  if (here.place.epoch != 0) {
    tally_.contradiction(text(stamp) + " refused, yet delivered");
  }
}

void Ledger::lose(const Stamp& stamp) {
  entry(stamp)->fate = Fate::unknown;
  ++tally_.counts.unknown;
}

bool Ledger::claim(const Stamp& stamp, const Place& place) {
  Entry* const here = entry(stamp);
  if (here == nullptr || here->hash != stamp.hash) {
    tally_.contradiction(text(stamp) + " at " + place_text(place) +
                         " was never published so");
    return false;
  }
  if (here->fate == Fate::refused) {
    tally_.contradiction(text(stamp) + " delivered, yet refused");
  }
  this->place(stamp, *here, place);
  return true;
}

/// A message that was repeated may stand in two epochs: its key lives no longer
/// than the zone.
void Ledger::place(const Stamp& stamp, Entry& entry, const Place& place) {
  Column& column = columns_[stamp.channel][place.epoch];
  if (column.size() <= place.offset) column.resize(place.offset + 1);
  Who& who = column[place.offset];
  if (who.number == 0) {
    who = {stamp.publisher, stamp.number};
  } else if (who.publisher != stamp.publisher || who.number != stamp.number) {
    fork(stamp.channel, place.epoch,
         text(stamp) + " at " + place_text(place) + ", where number " +
             std::to_string(who.number) + " of publisher " +
             std::to_string(who.publisher) + " stands");
  }
  const bool other_zone = entry.repeated && entry.place.epoch != place.epoch;
  if (entry.place.epoch != 0 && entry.place != place && !other_zone) {
    complain(Kind::contradiction, stamp.channel, place.epoch,
             text(stamp) + " at " + place_text(place) + " and at " +
                 place_text(entry.place));
  }
  const bool settled = entry.fate == Fate::acknowledged;
  if (entry.place.epoch == 0 || (other_zone && !settled)) entry.place = place;
}

bool Ledger::is_due(std::uint32_t publisher, std::uint32_t channel,
                    std::uint32_t number, std::uint64_t epoch) const {
  const Entry* const here = find(publisher, channel, number);
  return here != nullptr && here->fate == Fate::acknowledged &&
         here->place.epoch == epoch;
}

// ---- forks -----------------------------------------------------------------

void Ledger::complain(Kind kind, std::uint32_t channel, std::uint64_t epoch,
                      const std::string& text) {
  if (!forks_allowed_) return file(kind, text);
  tally_.note("in doubt: " + text);
  doubts_[{channel, epoch}].charges.push_back({kind, text});
}

void Ledger::fork(std::uint32_t channel, std::uint64_t epoch,
                  const std::string& text) {
  doubts_[{channel, epoch}].forked = true;
  complain(Kind::contradiction, channel, epoch, text);
}

void Ledger::settle(const std::vector<Place>& ends) {
  for (const auto& [where, doubts] : doubts_) {
    const auto& [channel, epoch] = where;
    if (doubts.forked && ends[channel].epoch != epoch) {
      ++tally_.counts.forks;
      continue;
    }
    for (const Charge& charge : doubts.charges) file(charge.kind, charge.text);
  }
  doubts_.clear();
}

void Ledger::file(Kind kind, const std::string& text) {
  switch (kind) {
    case Kind::untold:
      return tally_.untold(1, text);
    case Kind::duplicate:
      return tally_.duplicate(text);
    case Kind::reorder:
      return tally_.reorder(text);
    case Kind::contradiction:
      return tally_.contradiction(text);
  }
}

}  // namespace paperboy::fault
