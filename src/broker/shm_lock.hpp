// The writer lock, and the journal that makes a change whole or undone.
//
// Every change of the zone's structure happens under one robust mutex, and
// every store inside goes through a Transaction, which first writes the old
// bytes into the journal in the zone. Whoever is killed leaves the mutex to
// the kernel, which hands it to the next locker, and the journal to that one,
// who stores the old bytes back, last first. So the zone is as it was before
// the killed change, or, once the journal's count was set to 0, as after it.
//
// What is needed for that at *any* instruction is the order of one process's
// own stores: journal entry, then count, then the field. A killed process has
// done a prefix of its instructions, and the kernel's handing over of the
// mutex makes that prefix visible to the next owner on any machine; what has
// to be kept in order is the compiler, as for a signal handler, and for that
// atomic_signal_fence is the word. (The release stores are for readers.)
#pragma once

#include <atomic>
#include <cstdint>
#include <cstring>
#include <type_traits>

#include "base/result.hpp"
#include "broker/shm_layout.hpp"

namespace paperboy::broker::shm {

/// A test's way to be killed: called before and after each step that a kill
/// could separate from the next. Null outside tests.
using StepHook = void (*)();
extern StepHook step_hook;

inline void step() {
  std::atomic_signal_fence(std::memory_order_seq_cst);
  if (step_hook != nullptr) [[unlikely]] {
    step_hook();
  }
  std::atomic_signal_fence(std::memory_order_seq_cst);
}

/// Makes a mutex that survives its owner, for use by several processes.
void make_robust(pthread_mutex_t& mutex);

/// What a try for a robust mutex found. The mutex is ours unless it is `held`.
enum class Tried : std::uint8_t { held, free, orphaned };
Tried try_robust(pthread_mutex_t& mutex);

/// Undoes the change that is under way. REQUIRES: the writer lock, or nobody
/// else who could want it; a journal that is sound.
void roll_back(View view);

/// Whether all entries lie inside the zone. They do, unless the zone was
/// written to by somebody else.
[[nodiscard]] bool journal_is_sound(View view);

/// How long one waits for the writer lock.
enum class Patience : std::uint8_t {
  usual,  // a second, and not at all for ten seconds after that was in
          // vain: a process that was stopped while it held the lock must not
          // stop the others
  more,   // seconds, for who serves nobody yet
};

/// Takes the writer lock for its own lifetime; rolls back what a dead owner
/// left. Lives on the stack of one public call.
class WriterLock {
 public:
  explicit WriterLock(View view, Patience patience = Patience::usual);
  WriterLock(const WriterLock&) = delete;
  WriterLock& operator=(const WriterLock&) = delete;
  ~WriterLock();

  [[nodiscard]] bool held() const { return held_; }

  /// For the call that finds it not held.
  [[nodiscard]] static Error error();

 private:
  View view_;
  bool held_;
};

/// One change of the zone. Undone by its destructor unless committed. One at a
/// time; REQUIRES: the writer lock.
class Transaction {
 public:
  explicit Transaction(View view) : view_(view) {}
  Transaction(const Transaction&) = delete;
  Transaction& operator=(const Transaction&) = delete;
  ~Transaction();

  /// Stores `value` in `field`, which lies in the zone and is read under the
  /// lock only (a rollback would take it back under a reader's eyes).
  template <typename T>
  void set(T& field, std::type_identity_t<T> value) {
    static_assert(std::is_trivially_copyable_v<T> && sizeof(T) <= 8);
    std::uint64_t old = 0;
    std::memcpy(&old, &field, sizeof(T));
    record(&field, sizeof(T), old);
    std::atomic_ref<T>(field).store(value, std::memory_order_release);
    step();
  }

  /// From here the change stays.
  void commit();

 private:
  void record(const void* field, std::size_t size, std::uint64_t old);

  View view_;
};

}  // namespace paperboy::broker::shm
