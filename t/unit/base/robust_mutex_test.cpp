// A process that is killed while it holds a lock leaves it to the others.
#include "base/robust_mutex.hpp"

#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <mutex>
#include <new>
#include <type_traits>

#include "test.hpp"

namespace paperboy {
namespace {

static_assert(std::is_trivially_destructible_v<RobustMutex>);

struct Shared {
  RobustMutex mutex;
  std::atomic<int> held;  // by how many of the children so far
};

Shared& make_shared_memory() {
  void* const memory = mmap(nullptr, sizeof(Shared), PROT_READ | PROT_WRITE,
                            MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  assert_true(memory != MAP_FAILED);
  return *new (memory) Shared{};
}

/// It waits for the lock, and keeps it.
pid_t start_holder(Shared& shared) {
  const pid_t child = fork();
  assert_true(child >= 0);
  if (child == 0) {
    shared.mutex.lock();
    ++shared.held;
    for (;;) pause();
  }
  return child;
}

void await(const Shared& shared, int held) {
  while (shared.held.load() < held) usleep(1000);
}

void kill_one(pid_t child) {
  kill(child, SIGKILL);
  assert_int_equal(waitpid(child, nullptr, 0), child);
}

void who_is_killed_leaves_it_to_the_next(void**) {
  Shared& shared = make_shared_memory();
  for (int round = 1; round <= 3; ++round) {
    const pid_t child = start_holder(shared);
    await(shared, round);
    kill_one(child);
    const std::lock_guard guard(shared.mutex);
  }
  munmap(&shared, sizeof shared);
}

void who_waits_for_it_gets_it(void**) {
  Shared& shared = make_shared_memory();
  const pid_t first = start_holder(shared);
  await(shared, 1);
  const pid_t second = start_holder(shared);
  kill_one(first);
  await(shared, 2);
  kill_one(second);
  shared.mutex.lock();
  shared.mutex.unlock();
  munmap(&shared, sizeof shared);
}

}  // namespace
}  // namespace paperboy

int main() {
  using namespace paperboy;
  const CMUnitTest tests[] = {
      cmocka_unit_test(who_is_killed_leaves_it_to_the_next),
      cmocka_unit_test(who_waits_for_it_gets_it),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
