#include "broker/shm_counts.hpp"

#include <cerrno>
#include <ctime>
#include <limits>
#include <vector>

#include "broker/shm_lock.hpp"
#include "broker/shm_seats.hpp"

namespace paperboy::broker::shm {

namespace {

// The lock is held for well under a microsecond; who holds it longer was put
// aside, or stopped.
constexpr long kWaitNs = 100'000'000;
constexpr std::size_t kNone = std::numeric_limits<std::size_t>::max();

int lock_in_time(pthread_mutex_t& mutex) {
  const int rc = pthread_mutex_trylock(&mutex);
  if (rc != EBUSY) return rc;
  timespec until{};
  clock_gettime(CLOCK_MONOTONIC, &until);
  until.tv_nsec += kWaitNs;
  if (until.tv_nsec >= 1'000'000'000) {
    until.tv_nsec -= 1'000'000'000;
    ++until.tv_sec;
  }
  return pthread_mutex_clocklock(&mutex, CLOCK_MONOTONIC, &until);
}

}  // namespace

/// For its own lifetime; mends what a dead owner left.
class Counts::Lock {
 public:
  explicit Lock(Counts& counts) : head_(counts.head_) {
    const int rc = lock_in_time(head_.lock);
    held_ = rc == 0 || rc == EOWNERDEAD;
    if (rc != EOWNERDEAD) return;
    // Who dies in here leaves the same work to the next.
    counts.repair();
    step();
    pthread_mutex_consistent(&head_.lock);
  }
  Lock(const Lock&) = delete;
  Lock& operator=(const Lock&) = delete;
  ~Lock() {
    if (held_) pthread_mutex_unlock(&head_.lock);
  }

  [[nodiscard]] bool held() const { return held_; }

 private:
  Head& head_;
  bool held_ = false;
};

void Counts::format(Head& head) {
  make_robust(head.lock);
  for (Owner& owner : head.owners) make_robust(owner.alive);
}

Counts::Counts(Head& head, std::span<Entry> entries)
    : head_(head), entries_(entries) {
  const Lock lock(*this);
  for (std::size_t i = 0; lock.held() && i < kOwners; ++i) {
    Owner& owner = head_.owners[i];
    if (try_robust(owner.alive) == Tried::held) continue;
    ++owner.generation;
    step();
    owner.taken = 1;
    owner_ = static_cast<SeatIndex>(i);
    return;
  }
}

Counts::~Counts() {
  if (!owner_) return;
  Owner& owner = head_.owners[*owner_];
  owner.taken = 0;
  pthread_mutex_unlock(&owner.alive);
}

bool Counts::lives(Interest count) const {
  const Owner& owner = head_.owners[interest::seat(count)];
  return owner.taken != 0 && (owner.generation & interest::kGenerations) ==
                                 interest::generation(count);
}

/// Whether there were any whom nobody knew to be dead.
bool Counts::bury_dead() {
  bool found = false;
  for (Owner& owner : head_.owners) {
    if (owner.taken == 0 || try_robust(owner.alive) == Tried::held) continue;
    owner.taken = 0;
    pthread_mutex_unlock(&owner.alive);
    found = true;
  }
  return found;
}

// ---- under the lock --------------------------------------------------------

/// Removes on its way what dead workers counted.
Counts::Seen Counts::look(Mark mark) {
  Seen seen{.total = 0, .own = kNone, .free = home(mark)};
  while (entries_[seen.free].mark != 0) {
    const Entry& entry = entries_[seen.free];
    if (!lives(entry.count)) {
      erase(seen.free);
      continue;
    }
    if (entry.mark == mark) {
      seen.total += interest::count(entry.count);
      if (owner_ && interest::seat(entry.count) == *owner_) {
        seen.own = seen.free;
      }
    }
    seen.free = next(seen.free);
  }
  return seen;
}

/// Those behind it move up, so that none is behind a gap. A kill in the midst
/// leaves one twice, or out of reach.
void Counts::erase(std::size_t hole) {
  entries_[hole].mark = 0;
  step();
  const std::size_t size = entries_.size();
  for (std::size_t at = next(hole); entries_[at].mark != 0; at = next(at)) {
    const std::size_t moved = (at + size - home(entries_[at].mark)) % size;
    if (moved < (at + size - hole) % size) continue;
    insert(entries_[at]);
    --head_.used;
    entries_[at].mark = 0;
    step();
    hole = at;
  }
  --head_.used;
}

/// At the first place from its home on.
void Counts::insert(const Entry& entry) {
  std::size_t at = home(entry.mark);
  while (entries_[at].mark != 0) at = next(at);
  entries_[at].count = entry.count;
  step();
  entries_[at].mark = entry.mark;
  step();
  ++head_.used;
}

void Counts::sweep() {
  bury_dead();
  for (std::size_t at = 0; at < entries_.size();) {
    const Entry& entry = entries_[at];
    if (entry.mark != 0 && !lives(entry.count)) {
      erase(at);
    } else {
      ++at;
    }
  }
}

/// Puts all in their places, each once.
void Counts::repair() {
  std::vector<Entry> all;
  for (const Entry& entry : entries_) {
    if (entry.mark != 0) all.push_back(entry);
  }
  for (Entry& entry : entries_) entry.mark = 0;
  head_.used = 0;
  for (const Entry& entry : all) {
    bool known = false;
    for (std::size_t at = home(entry.mark); entries_[at].mark != 0;
         at = next(at)) {
      known = known || (entries_[at].mark == entry.mark &&
                        entries_[at].count >> 28 == entry.count >> 28);
    }
    if (!known) insert(entry);
  }
}

// ---- for all ---------------------------------------------------------------

Counts::Added Counts::add(Mark mark, std::uint64_t most) {
  const Lock lock(*this);
  if (!lock.held() || !owner_) return Added::no_room;
  Seen seen = look(mark);
  if (seen.total >= most && bury_dead()) seen = look(mark);
  if (seen.total >= most) return Added::over;
  if (seen.own != kNone) {
    ++entries_[seen.own].count;
    return Added::counted;
  }
  // A quarter stays free, so that ways are short.
  const std::size_t limit = entries_.size() / 4 * 3;
  if (head_.used >= limit) sweep();
  if (head_.used >= limit) return Added::no_room;
  const Owner& owner = head_.owners[*owner_];
  insert({mark, interest::make(*owner_, owner.generation, 1)});
  return Added::counted;
}

bool Counts::subtract(Mark mark) {
  const Lock lock(*this);
  if (!lock.held()) return false;
  const Seen seen = look(mark);
  if (seen.own == kNone) return true;
  if (interest::count(entries_[seen.own].count) == 1) {
    erase(seen.own);
  } else {
    --entries_[seen.own].count;
  }
  return true;
}

std::uint64_t Counts::of(Mark mark) {
  const Lock lock(*this);
  if (!lock.held()) return 0;
  bury_dead();
  return look(mark).total;
}

}  // namespace paperboy::broker::shm
