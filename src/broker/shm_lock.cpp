#include "broker/shm_lock.hpp"

#include <algorithm>
#include <cerrno>
#include <ctime>

#include <cstdlib>

namespace paperboy::broker::shm {

namespace {

constexpr std::uint64_t kOffsetMask = (std::uint64_t{1} << 56) - 1;
// What stands before it in a zone never changes.
constexpr std::uint64_t kFirstChanging = offsetof(Header, writer);
// The lock is held for well under a microsecond, and a little longer by one
// who was put aside by the scheduler.
// Where many workers share few processors that takes until all others have had
// their turn.
constexpr std::uint64_t kWaitMs = 1000;
constexpr std::uint64_t kPatientWaitMs = 10'000;
// Who waited in vain doesn't wait again for so long, or until it finds the lock
// free: it only tries.
constexpr std::uint64_t kImpatientMs = 10'000;
// Before it sleeps it looks again so often, and after so many naps.
constexpr int kLooks = 100;
constexpr int kNaps = 20;
constexpr timespec kNap{.tv_sec = 0, .tv_nsec = 50'000};

std::uint64_t now_ms() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<std::uint64_t>(now.tv_sec) * 1000 +
         static_cast<std::uint64_t>(now.tv_nsec) / 1'000'000;
}

void pause() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#endif
}

/// To sleep on it is dear for all: whoever unlocks has to wake the next, who
/// starts late and finds others queueing behind it, of whom each has to be
/// woken. So a lock that is held for less time than that is looked at again
/// first, and then the processor left to others for moments, since one of them
/// may have been put aside with the lock. (Who yields instead is put behind all
/// others, also for when it has the lock itself.)
int look_again(pthread_mutex_t& mutex) {
  int rc = pthread_mutex_trylock(&mutex);
  for (int i = 0; rc == EBUSY && i < kLooks + kNaps; i++) {
    if (i < kLooks) {
      pause();
    } else {
      nanosleep(&kNap, nullptr);
    }
    rc = pthread_mutex_trylock(&mutex);
  }
  return rc;
}

thread_local std::uint64_t impatient_until = 0;

int sleep_for(pthread_mutex_t& mutex, Patience patience) {
  const std::uint64_t now = now_ms();
  const bool patient = patience == Patience::more;
  if (!patient && now < impatient_until) return EBUSY;
  const std::uint64_t end = now + (patient ? kPatientWaitMs : kWaitMs);
  const timespec until{.tv_sec = static_cast<time_t>(end / 1000),
                       .tv_nsec = static_cast<long>(end % 1000 * 1'000'000)};
  const int rc = pthread_mutex_clocklock(&mutex, CLOCK_MONOTONIC, &until);
  if (rc == ETIMEDOUT) impatient_until = end + kImpatientMs;
  return rc;
}

bool take(Header& header, Patience patience) {
  int rc = look_again(header.writer);
  if (rc == EBUSY) {
    header.lock_waits.fetch_add(1, std::memory_order_relaxed);
    rc = sleep_for(header.writer, patience);
  }
  const bool held = rc == 0 || rc == EOWNERDEAD;
  if (held) impatient_until = 0;
  return held;
}

}  // namespace

StepHook step_hook = nullptr;

/// Last first, and the count last of all: whoever is killed in here leaves the
/// same journal to the next, and storing an old value twice does no harm.
void roll_back(View view) {
  Journal& journal = view.header().journal;
  for (std::uint32_t i = journal.count.load(std::memory_order_relaxed);
       i-- > 0;) {
    const JournalEntry& entry = journal.entries[i];
    std::memcpy(view.at<std::byte>(entry.where & kOffsetMask), &entry.old,
                entry.where >> 56);
    step();
  }
  journal.count.store(0, std::memory_order_release);
  step();
}

bool journal_is_sound(View view) {
  const Journal& journal = view.header().journal;
  const std::uint32_t count = journal.count.load(std::memory_order_relaxed);
  if (count > Journal::kCapacity) return false;
  const std::uint64_t size = view.geometry().size;
  return std::all_of(journal.entries, journal.entries + count,
                     [size](const auto& entry) {
                       const std::uint64_t bytes = entry.where >> 56;
                       const std::uint64_t at = entry.where & kOffsetMask;
                       return bytes >= 1 && bytes <= 8 &&
                              at >= kFirstChanging && at + bytes <= size;
                     });
}

void make_robust(pthread_mutex_t& mutex) {
  pthread_mutexattr_t attributes;
  pthread_mutexattr_init(&attributes);
  pthread_mutexattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED);
  pthread_mutexattr_setrobust(&attributes, PTHREAD_MUTEX_ROBUST);
  pthread_mutex_init(&mutex, &attributes);
  pthread_mutexattr_destroy(&attributes);
}

Tried try_robust(pthread_mutex_t& mutex) {
  switch (pthread_mutex_trylock(&mutex)) {
    case 0:
      return Tried::free;
    case EOWNERDEAD:
      pthread_mutex_consistent(&mutex);
      return Tried::orphaned;
    default:
      return Tried::held;
  }
}

// The journal decides, not EOWNERDEAD: a locker that dies in the midst of a
// rollback, before or after it has called the mutex consistent, leaves the
// next one the same work. pthread_mutex_consistent on a mutex that isn't
// inconsistent does nothing but return EINVAL.
WriterLock::WriterLock(View view, Patience patience)
    : view_(view), held_(take(view.header(), patience)) {
  if (!held_) {
    return;
  }
  step();
  Header& header = view.header();
  if (header.journal.count.load(std::memory_order_relaxed) != 0) {
    roll_back(view);
    header.rollbacks.fetch_add(1, std::memory_order_relaxed);
  }
  pthread_mutex_consistent(&header.writer);
  step();
}

// A kill between the unlocking and the waking of the next waiter is the
// kernel's to mend (since 5.5; before, it costs the waiter its second).
WriterLock::~WriterLock() {
  if (held_) {
    step();
    pthread_mutex_unlock(&view_.header().writer);
    step();
  }
}

Error WriterLock::error() {
  return {ErrorCode::unavailable,
          "the shared zone is locked by a process that doesn't go on"};
}

Transaction::~Transaction() {
  if (view_.header().journal.count.load(std::memory_order_relaxed) != 0) {
    roll_back(view_);
  }
}

void Transaction::commit() {
  step();
  view_.header().journal.count.store(0, std::memory_order_release);
  step();
}

void Transaction::record(const void* field, std::size_t size,
                         std::uint64_t old) {
  Journal& journal = view_.header().journal;
  const std::uint32_t n = journal.count.load(std::memory_order_relaxed);
  // A change with more steps is our bug: better this worker's end, which the
  // journal undoes, than a step that it can't undo.
  if (n >= Journal::kCapacity) std::abort();
  step();
  journal.entries[n] = {view_.offset_of(field) | std::uint64_t{size} << 56,
                        old};
  step();
  journal.count.store(n + 1, std::memory_order_release);
  step();
}

}  // namespace paperboy::broker::shm
