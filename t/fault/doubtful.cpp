#include "doubtful.hpp"

namespace paperboy::fault {

void Doubtful::begins() {
  for (const auto& [said, times] : heard_) {
    if (times > 1) open_.push_back({said, times, 0});
  }
  for (const auto& [said, epoch] : passed_) {
    const bool came = heard_.contains(said) || before_.contains(said);
    if (!came) open_.push_back({said, 0, epoch});
  }
  before_ = std::exchange(heard_, {});
  passed_.clear();
}

void Doubtful::hears(const Stamp& stamp) {
  ++heard_[{stamp.publisher, stamp.number}];
  all_.emplace(stamp.publisher, stamp.number);
}

void Doubtful::passes(const Stamp& stamp, std::uint64_t epoch) {
  passed_[{stamp.publisher, stamp.number}] = epoch;
}

void Doubtful::passes(const Place& place) {
  blanks_.emplace(place.epoch, place.offset);
}

bool Doubtful::fills(const Place& place) {
  return blanks_.erase({place.epoch, place.offset}) != 0;
}

/// Those that came, of which nobody has told where they stand, fill some.
void Doubtful::judge_blanks(const std::string& who, std::uint32_t channel,
                            Ledger& ledger, std::uint64_t unplaced) const {
  for (const auto& [publisher, number] : all_) {
    if (ledger.find(publisher, channel, number)->stands == 0) ++unplaced;
  }
  for (const auto& [epoch, offset] : blanks_) {
    const Place place{epoch, offset};
    const auto* const entry = ledger.standing(channel, place);
    if (entry != nullptr && entry->way == Way::topic && entry->excused)
      continue;
    if (entry == nullptr && unplaced > 0) {
      --unplaced;
      continue;
    }
    ledger.complain(
        Ledger::Kind::untold, channel, epoch,
        who + ": what stands at " + place_text(place) + " didn't come");
  }
}

void Doubtful::finish(const std::string& who, std::uint32_t channel,
                      Ledger& ledger, std::uint64_t unplaced) {
  begins();
  judge_blanks(who, channel, ledger, unplaced);
  for (const auto& [said, times, epoch] : open_) {
    const auto* const entry = ledger.find(said.first, channel, said.second);
    const std::string text = who + ": number " + std::to_string(said.second) +
                             " of publisher " + std::to_string(said.first) +
                             ", which stands " + std::to_string(entry->stands) +
                             " times, came " + std::to_string(times) + " times";
    if (times > 1 && times > entry->stands) {
      ledger.complain(Ledger::Kind::duplicate, channel, entry->place.epoch,
                      text);
    } else if (times == 0 && entry->stands == 1) {
      ledger.complain(Ledger::Kind::untold, channel, epoch, text);
    }
  }
  open_.clear();
}

}  // namespace paperboy::fault
