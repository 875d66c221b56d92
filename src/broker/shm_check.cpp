#include "broker/shm_check.hpp"

#include <bit>
#include <cstring>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

#include "broker/shm_check_history.hpp"
#include "broker/shm_check_keys.hpp"
#include "broker/shm_check_members.hpp"
#include "broker/shm_hash.hpp"

namespace paperboy::broker::shm {

namespace {

/// Whose offsets follow each other.
struct Story {
  ChannelRef ref;
  std::uint64_t epoch;

  friend bool operator==(const Story&, const Story&) = default;
};

struct StoryHash {
  std::size_t operator()(const Story& it) const {
    return mix(it.epoch ^ it.ref);
  }
};

class Checker {
 public:
  Checker(View view, const Directory& directory, const Arena& arena,
          const Members& members)
      : view_(view),
        zone_(view.header()),
        map_(view.geometry()),
        directory_(directory),
        arena_(arena),
        members_(members) {}

  const char* run() {
    using Walk = const char* (Checker::*)();
    for (const Walk walk :
         {&Checker::free_pages, &Checker::partial_pages, &Checker::pages,
          &Checker::chains, &Checker::order, &Checker::history,
          &Checker::members, &Checker::keys, &Checker::blocks, &Checker::log,
          &Checker::seats, &Checker::sightings, &Checker::round}) {
      const char* wrong = (this->*walk)();
      if (wrong != nullptr) {
        return wrong;
      }
    }
    return nullptr;
  }

 private:
  const Page& page(std::uint32_t number) const {
    return view_.pages()[number - 1];
  }

  const char* free_pages() {
    std::uint32_t count = 0;
    for (auto n = zone_.arena.free_pages; n != 0; n = page(n).next) {
      if (n > map_.pages || ++count > map_.pages) {
        return "free pages: bad link";
      }
      if (page(n).size_class != 0 || page(n).used != 0) {
        return "free pages: a page in use";
      }
      listed_.insert(n);
    }
    return count == zone_.arena.free_count ? nullptr : "free pages: bad count";
  }

  const char* partial_pages() {
    for (std::size_t u = 0; u < kUses; u++) {
      const char* wrong = partial_pages(static_cast<Use>(u));
      if (wrong != nullptr) {
        return wrong;
      }
    }
    return nullptr;
  }

  const char* partial_pages(Use use) {
    const auto& partial = zone_.arena.partial[static_cast<std::size_t>(use)];
    for (std::size_t c = 0; c < kClasses.size(); c++) {
      std::uint32_t before = 0;
      for (auto n = partial[c]; n != 0; n = page(n).next) {
        if (n > map_.pages || !listed_.insert(n).second) {
          return "pages with room: bad link";
        }
        if (page(n).size_class != c + 1 || page(n).use != use ||
            page(n).previous != before || page(n).used == 0 ||
            page(n).used == kPageSize / kClasses[c]) {
          return "pages with room: a page that doesn't belong";
        }
        before = n;
      }
    }
    return nullptr;
  }

  const char* pages() {
    std::uint64_t bytes = 0;
    for (std::uint32_t n = 1; n <= map_.pages; n++) {
      if (page(n).size_class > kClasses.size() ||
          static_cast<std::size_t>(page(n).use) >= kUses) {
        return "page: bad size or use";
      }
      unsigned taken = 0;
      for (const std::uint64_t word : page(n).taken) {
        taken += static_cast<unsigned>(std::popcount(word));
      }
      if (taken != page(n).used) {
        return "page: bitmap and count differ";
      }
      if (page(n).size_class > 0) {
        const std::size_t size = kClasses[page(n).size_class - 1U];
        bytes += taken * size;
        if (!listed_.contains(n) && taken != kPageSize / size) {
          return "page: lost";
        }
      } else if (!listed_.contains(n)) {
        return "free page: lost";
      }
    }
    return bytes == zone_.arena.used_bytes ? nullptr : "arena: bad sum";
  }

  const char* channel(ChannelRef ref, std::uint64_t bucket) {
    if (!arena_.is_taken(ref) || !reached_.insert(ref).second) {
      return "chain: bad link";
    }
    const Channel& it = directory_.channel(ref);
    const Bytes name = directory_.name(ref);
    if (kChannelSize + name.size() > arena_.block_size(ref) ||
        (siphash(zone_.directory.hash_key, name) & (map_.buckets - 1)) !=
            bucket) {
      return "chain: bad name";
    }
    channels_.push_back(ref);
    own_ += name.starts_with('\0') ? 1 : 0;
    if (name.starts_with('\0') && (it.form & Channel::kTold) != 0) {
      return "channel: one of our own, and told of";
    }
    const Ref many = it.many();
    if (many != 0 &&
        (!arena_.is_taken(many) || !reached_.insert(many).second)) {
      return "channel: bad block of interests";
    }
    const std::size_t room =
        many != 0 ? arena_.block_size(many) / sizeof(Interest) : 1;
    if (it.interests > room) {
      return "channel: too many interests";
    }
    annexes_ += it.annex() != 0 ? 1 : 0;
    std::unordered_set<SeatIndex> seats;
    for (const Interest i : directory_.interests(ref)) {
      if (interest::seat(i) >= map_.seats || interest::count(i) == 0 ||
          !seats.insert(interest::seat(i)).second) {
        return "channel: bad interest";
      }
    }
    return nullptr;
  }

  const char* chains() {
    for (std::uint64_t b = 0; b < map_.buckets; b++) {
      for (Ref ref = view_.buckets()[b]; ref != 0;
           ref = directory_.channel(ref).next) {
        const char* wrong = channel(ref, b);
        if (wrong != nullptr) {
          return wrong;
        }
      }
    }
    return channels_.size() == zone_.directory.channels &&
                   own_ == zone_.directory.own
               ? nullptr
               : "channels: bad count";
  }

  /// Of those that have no annex.
  const char* order() {
    std::uint64_t count = 0;
    Ref newer = 0;
    for (Ref ref = zone_.directory.newest; ref != 0;
         ref = directory_.channel(ref).older) {
      if (!reached_.contains(ref) || directory_.channel(ref).newer != newer ||
          directory_.channel(ref).annex() != 0 || ++count > channels_.size()) {
        return "order of use: bad link";
      }
      newer = ref;
    }
    return newer == zone_.directory.oldest &&
                   count + annexes_ == channels_.size()
               ? nullptr
               : "order of use: incomplete";
  }

  const char* members() {
    return check_members(view_, arena_, members_, reached_);
  }

  const char* keys() { return check_keys(view_, arena_, reached_); }

  const char* history() { return check_history(view_, arena_, reached_); }

  const char* blocks() {
    std::uint64_t bytes = 0;
    for (const Ref ref : reached_) {
      bytes += arena_.block_size(ref);
    }
    return bytes == zone_.arena.used_bytes ? nullptr : "arena: a block is lost";
  }

  const char* log() {
    const LogHeader& log = zone_.log;
    const std::uint64_t head = log.head.load();
    if (log.tail.load() != log.end || log.announced.load() != log.end ||
        head > log.end || log.end - head > map_.log_size ||
        head % Record::kAlign != 0) {
      return "log: bad positions";
    }
    for (std::uint64_t at = head; at < log.end;) {
      Record record;
      std::memcpy(&record, view_.log() + at % map_.log_size, sizeof(record));
      if (record.size() == 0 || record.size() % Record::kAlign != 0 ||
          at % map_.log_size + record.size() > map_.log_size ||
          at + record.size() > log.end) {
        return "log: bad record";
      }
      if (record.kind != Record::kPadding && !follows(record)) {
        return "log: a hole between offsets";
      }
      at += record.size();
    }
    return last_offsets();
  }

  bool follows(const Record& record) {
    const auto event = static_cast<Event>(record.event);
    const std::uint64_t offset = record.position.offset;
    const auto [at, first] =
        offsets_.try_emplace({record.ref, record.position.epoch}, offset);
    const std::uint64_t before = std::exchange(at->second, offset);
    return first || event == Event::anchor ||
           offset == (event == Event::message ? before + 1 : before);
  }

  const char* last_offsets() {
    for (const ChannelRef ref : channels_) {
      const Position top = directory_.position(ref);
      const auto logged = offsets_.find({ref, top.epoch});
      if (logged != offsets_.end() && logged->second != top.offset) {
        return "channel: its offset isn't that of its last record";
      }
    }
    return nullptr;
  }

  const char* seats() {
    for (std::uint64_t i = 0; i < map_.seats; i++) {
      const Seat& seat = view_.seat(static_cast<SeatIndex>(i));
      if (seat.taken > 1 ||
          (seat.state.load() & ~state::kFlags) > zone_.log.end) {
        return "seat: bad state";
      }
    }
    return nullptr;
  }

  const char* sightings() {
    for (const SightingEntry& it : zone_.sightings) {
      const bool nothing = it.generation == 0;
      if (nothing ? (it.salt | it.source | it.top) != 0 : it.top >> 48 == 0) {
        return "sightings: half of one";
      }
    }
    return nullptr;
  }

  const char* round() {
    const DirectoryHeader& it = zone_.directory;
    const bool sound = it.watched <= 1 && it.round_at < map_.buckets &&
                       it.round_left <= map_.buckets;
    return sound ? nullptr : "round: bad place";
  }

  View view_;
  const Header& zone_;
  const Geometry& map_;
  const Directory& directory_;
  const Arena& arena_;
  const Members& members_;
  std::unordered_set<std::uint32_t> listed_;
  std::unordered_set<Ref> reached_;
  std::vector<ChannelRef> channels_;
  std::uint64_t annexes_ = 0;
  std::uint64_t own_ = 0;  // channels of Paperboy's
  std::unordered_map<Story, std::uint64_t, StoryHash> offsets_;
};

}  // namespace

const char* check(View view, const Directory& directory, const Arena& arena,
                  const Members& members) {
  return Checker(view, directory, arena, members).run();
}

}  // namespace paperboy::broker::shm
