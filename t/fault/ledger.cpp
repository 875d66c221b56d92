#include "ledger.hpp"

#include <algorithm>
#include <cassert>

namespace paperboy::fault {

namespace {

/// What was acknowledged so long before a fault may be lost by it, s.
constexpr double kMoment = 3;
constexpr double kMinute = 60;

std::string text(const Stamp& stamp) {
  return "publisher " + std::to_string(stamp.publisher) + ", channel " +
         std::to_string(stamp.channel) + ", number " +
         std::to_string(stamp.number);
}

}  // namespace

Ledger::Ledger(std::size_t publishers, std::size_t channels, Tally& tally,
               std::size_t users)
    : publishers_(publishers),
      channels_(channels),
      all_(channels + users),
      tally_(tally),
      rows_(publishers * all_),
      columns_(all_),
      newest_(channels),
      left_(channels) {}

std::uint32_t Ledger::next(std::uint32_t publisher,
                           std::uint32_t channel) const {
  return static_cast<std::uint32_t>(rows_[publisher * all_ + channel].size() +
                                    1);
}

void Ledger::publish(const Stamp& stamp, Way way) {
  assert(stamp.number == next(stamp.publisher, stamp.channel));
  Entry& fresh = rows_[stamp.publisher * all_ + stamp.channel].emplace_back();
  fresh.hash = stamp.hash;
  fresh.serial = ++begun_;
  fresh.way = way;
  // Several nodes publish it, with one key.
  fresh.repeated = way == Way::topic;
  fresh.excused = is_in_doubt(fresh);
  if (is_of_user(stamp.channel)) {
    this->place(stamp, fresh, {kUserEpoch, stamp.number});
  }
}

void Ledger::accept(const Stamp& stamp, double now) {
  Entry& here = *entry(stamp);
  here.answered = now;
  here.fate = Fate::acknowledged;
  here.excused = here.excused || is_in_doubt(here);
  ++tally_.counts.published;
  while (!accepted_.empty() &&
         entry(accepted_.front())->answered < now - kMinute) {
    accepted_.pop_front();
  }
  accepted_.push_back(stamp);
}

bool Ledger::is_in_doubt(const Entry& entry) const {
  return entry.way == Way::topic
             ? doubt_ >= Doubt::topics
             : entry.way == Way::broadcast && doubt_ == Doubt::all;
}

void Ledger::doubt(Doubt doubt, double now) {
  doubt_ = doubt;
  ++doubt_changes_;
  for (const Stamp& stamp : accepted_) {
    Entry& here = *entry(stamp);
    if (here.answered >= now - kMoment && is_in_doubt(here)) {
      here.excused = true;
    }
  }
}

Ledger::Entry* Ledger::entry(const Stamp& stamp) {
  return const_cast<Entry*>(find(stamp.publisher, stamp.channel, stamp.number));
}

const Ledger::Entry* Ledger::find(std::uint32_t publisher,
                                  std::uint32_t channel,
                                  std::uint32_t number) const {
  if (publisher >= publishers_ || channel >= all_) return nullptr;
  const Row& row = rows_[publisher * all_ + channel];
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
  const bool known =
      !is_of_user(stamp.channel) && come(stamp, place_text(place)) != nullptr;
  if (known) this->place(stamp, *entry(stamp), place);
  return known;
}

bool Ledger::hear(const Stamp& stamp) {
  if (come(stamp, "no position") == nullptr) return false;
  entry(stamp)->heard = true;
  return true;
}

/// Of what has come to somebody, there; complains where it may not.
const Ledger::Entry* Ledger::come(const Stamp& stamp,
                                  const std::string& where) {
  const Entry* const here = entry(stamp);
  if (here == nullptr || here->hash != stamp.hash) {
    tally_.contradiction(text(stamp) + " at " + where +
                         " was never published so");
    return nullptr;
  }
  if (here->fate == Fate::refused) {
    tally_.contradiction(text(stamp) + " delivered, yet refused");
  }
  return here;
}

std::optional<Place> Ledger::where(const Stamp& stamp,
                                   std::uint64_t epoch) const {
  const Entry* const here = find(stamp.publisher, stamp.channel, stamp.number);
  if (here == nullptr || here->place.epoch == 0) return {};
  const bool again = here->again.epoch != 0 && here->again.epoch == epoch;
  return again ? here->again : here->place;
}

Stamp Ledger::stamp_at(std::uint32_t channel, const Place& place) const {
  const auto column = columns_[channel].find(place.epoch);
  if (column == columns_[channel].end() ||
      column->second.size() <= place.offset) {
    return {};
  }
  const Who& who = column->second[place.offset];
  return {who.publisher, channel, who.number, 0};
}

const Ledger::Entry* Ledger::standing(std::uint32_t channel,
                                      const Place& place) const {
  const Stamp who = stamp_at(channel, place);
  return find(who.publisher, channel, who.number);
}

/// A message that was repeated may stand in two epochs: its key lives no longer
/// than the zone.
void Ledger::place(const Stamp& stamp, Entry& entry, const Place& place) {
  Column& column = columns_[stamp.channel][place.epoch];
  if (column.size() <= place.offset) column.resize(place.offset + 1);
  Who& who = column[place.offset];
  if (who.number == 0) {
    who = {stamp.publisher, stamp.number};
    ++entry.stands;
  } else if (who.publisher != stamp.publisher || who.number != stamp.number) {
    fork(stamp.channel, place.epoch,
         text(stamp) + " at " + place_text(place) + ", where number " +
             std::to_string(who.number) + " of publisher " +
             std::to_string(who.publisher) + " stands");
  }
  const bool other_zone = entry.repeated && entry.place.epoch != place.epoch;
  const Place& before =
      entry.again.epoch == place.epoch ? entry.again : entry.place;
  const bool elsewhere = before.epoch != 0 && before != place;
  const bool same = elsewhere && before.epoch == place.epoch;
  // Several take it, and the key that tells so may be what was lost.
  const bool keyless = entry.way == Way::topic && entry.excused;
  if (elsewhere && (!other_zone || same) && !keyless) {
    complain(Kind::contradiction, stamp.channel, place.epoch,
             text(stamp) + " at " + place_text(place) + " and at " +
                 place_text(before));
  }
  const bool settled = entry.fate == Fate::acknowledged;
  if (entry.place.epoch == 0 || (other_zone && !settled)) {
    if (entry.place.epoch != 0) entry.again = entry.place;
    entry.place = place;
  } else if (other_zone) {
    entry.again = place;
  }
}

bool Ledger::is_due(std::uint32_t publisher, std::uint32_t channel,
                    std::uint32_t number, std::uint64_t epoch) const {
  const Entry* const here = find(publisher, channel, number);
  return here != nullptr && here->fate == Fate::acknowledged &&
         !here->excused && here->place.epoch == epoch;
}

void Ledger::excuse(double since) {
  for (const Stamp& stamp : accepted_) {
    Entry& here = *entry(stamp);
    if (here.answered >= since && here.way == Way::topic) here.excused = true;
  }
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
  find_lost();
}

void Ledger::find_lost() {
  for (std::size_t i = 0; i < rows_.size(); ++i) {
    const auto channel = static_cast<std::uint32_t>(i % all_);
    if (is_of_user(channel)) continue;
    for (std::size_t n = 0; n < rows_[i].size(); ++n) {
      const Entry& here = rows_[i][n];
      const bool has_come =
          here.way == Way::http || here.place.epoch != 0 || here.heard;
      if (has_come || here.excused || here.fate != Fate::acknowledged) continue;
      tally_.lost(text({static_cast<std::uint32_t>(i / all_), channel,
                        static_cast<std::uint32_t>(n + 1), 0}) +
                  " was accepted, and has come nowhere");
    }
  }
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
