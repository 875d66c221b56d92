#include "broker/shm_lock.hpp"

#include <cerrno>
#include <memory>

#include "shm_support.hpp"

namespace paperboy::broker::shm {
namespace {

/// A header is all that a lock needs.
struct Bare {
  Bare() : header(new (memory.as<void>()) Header{}), view(base()) {
    make_robust(header->writer);
  }

  std::byte* base() const { return memory.bytes().data(); }

  SharedMemory memory{sizeof(Header)};
  Header* header;
  View view;
};

void a_transaction_stays_once_it_is_committed(void**) {
  Bare bare;
  const WriterLock lock(bare.view);
  assert_true(lock.held());
  Transaction tx(bare.view);
  tx.set(bare.header->arena.used_bytes, 7);
  tx.set(bare.header->arena.free_count, 8);
  tx.commit();
  assert_int_equal(bare.header->arena.used_bytes, 7);
  assert_int_equal(bare.header->arena.free_count, 8);
}

void a_transaction_that_is_left_is_undone_last_first(void**) {
  Bare bare;
  const WriterLock lock(bare.view);
  bare.header->directory.newest = 5;
  {
    Transaction tx(bare.view);
    tx.set(bare.header->directory.newest, 6);
    tx.set(bare.header->directory.oldest, 9);
    tx.set(bare.header->directory.newest, 7);
  }
  assert_int_equal(bare.header->directory.newest, 5);
  assert_int_equal(bare.header->directory.oldest, 0);
}

void what_the_dead_left_is_undone_by_the_next(void**) {
  Bare bare;
  wait_for(spawn([&bare] {
    const WriterLock lock(bare.view);
    Transaction tx(bare.view);
    tx.set(bare.header->arena.used_bytes, 7);
    kill(getpid(), SIGKILL);
  }));
  assert_int_equal(bare.header->arena.used_bytes, 7);
  const WriterLock lock(bare.view);
  assert_true(lock.held());
  assert_int_equal(bare.header->arena.used_bytes, 0);
  assert_int_equal(bare.header->rollbacks.load(), 1);
}

// A stopped one keeps it; a second later its would-be successors go on, and
// when it does too, nothing is broken.
void a_stopped_holder_costs_a_second(void**) {
  Bare bare;
  const pid_t pid = spawn([&bare] {
    const WriterLock lock(bare.view);
    Transaction tx(bare.view);
    tx.set(bare.header->arena.used_bytes, 7);
    raise(SIGSTOP);
    tx.commit();
  });
  int status = 0;
  assert_int_equal(waitpid(pid, &status, WUNTRACED), pid);
  assert_true(WIFSTOPPED(status));
  assert_false(WriterLock(bare.view).held());
  assert_true(WriterLock::error().code == ErrorCode::unavailable);
  assert_int_equal(bare.header->lock_waits.load(), 1);
  kill(pid, SIGCONT);
  assert_int_equal(wait_for(pid), 0);
  assert_true(WriterLock(bare.view).held());
  assert_int_equal(bare.header->arena.used_bytes, 7);
}

void a_robust_mutex_tells_life_from_death(void**) {
  Bare bare;
  pthread_mutex_t& mutex = bare.header->writer;
  int ready[2];
  assert_int_equal(pipe(ready), 0);
  const pid_t pid = spawn([&] {
    (void)try_robust(mutex);
    (void)!write(ready[1], "x", 1);
    pause();
  });
  char c = 0;
  assert_int_equal(read(ready[0], &c, 1), 1);
  assert_true(try_robust(mutex) == Tried::held);
  kill(pid, SIGKILL);
  wait_for(pid);
  assert_true(try_robust(mutex) == Tried::orphaned);
  pthread_mutex_unlock(&mutex);
  assert_true(try_robust(mutex) == Tried::free);
  pthread_mutex_unlock(&mutex);
  close(ready[0]);
  close(ready[1]);
}

}  // namespace
}  // namespace paperboy::broker::shm

int main() {
  using namespace paperboy::broker::shm;
  const CMUnitTest tests[] = {
      cmocka_unit_test(a_transaction_stays_once_it_is_committed),
      cmocka_unit_test(a_transaction_that_is_left_is_undone_last_first),
      cmocka_unit_test(what_the_dead_left_is_undone_by_the_next),
      cmocka_unit_test(a_stopped_holder_costs_a_second),
      cmocka_unit_test(a_robust_mutex_tells_life_from_death),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
