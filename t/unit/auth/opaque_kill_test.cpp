// A process that is killed amid its work on the table of opaque tokens leaves
// one that is good to look at and to go on with.
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <string>

#include "auth/opaque_table.hpp"

#include "test.hpp"

namespace paperboy::auth {
namespace {

using Standing = OpaqueTable::Standing;
using Put = OpaqueTable::Put;

constexpr std::int64_t kNow = 1'700'000'000;
constexpr std::int64_t kEnd = kNow + 1'000'000;
constexpr OpaqueTable::Limits kLimits{.most = 50, .size = 64};
constexpr unsigned kGood = 3;  // the last ones that were made

struct Shared {
  Shared()
      : size(OpaqueTable::size_for(kLimits) + 64),
        memory(
            static_cast<std::byte*>(mmap(nullptr, size, PROT_READ | PROT_WRITE,
                                         MAP_SHARED | MAP_ANONYMOUS, -1, 0))) {
    assert_true(memory != MAP_FAILED);
    done = reinterpret_cast<std::atomic<unsigned>*>(memory);
    const std::span table_memory(memory + 64, size - 64);
    assert_true(OpaqueTable::format(table_memory, kLimits));
    table.attach(table_memory);
  }
  Shared(const Shared&) = delete;
  Shared& operator=(const Shared&) = delete;
  ~Shared() { munmap(memory, size); }

  std::size_t size;
  std::byte* memory;
  std::atomic<unsigned>* done;  // made so far
  OpaqueTable table;
};

TokenHash hash(unsigned n) {
  TokenHash made;
  for (int i = 0; i < 4; ++i) {
    made.bytes[static_cast<std::size_t>(7 - i)] =
        static_cast<unsigned char>((n + 1) >> (8 * i));
  }
  return made;
}

TokenRecord record(unsigned n) {
  return {.hash = std::string(hash(n).view()),
          .expires = kEnd,
          .issued = kNow,
          .sliding = 60,
          .claims = "{\"sub\":" + std::to_string(n) + "}"};
}

/// Makes one, ends an older one, and looks after all.
void work(Shared& shared) {
  for (unsigned n = shared.done->load();; ++n) {
    (void)shared.table.put(record(n), {7, 1}, kNow);
    if (n >= kGood) (void)shared.table.end(hash(n - kGood), {7, 1}, kNow);
    (void)shared.table.keep(hash(n).number(), kNow);
    (void)shared.table.due({7, n}, 1000, kNow + n % 500);
    shared.done->store(n + 1);
  }
}

void kill_amid_work(Shared& shared, unsigned after_us) {
  const pid_t child = fork();
  assert_true(child >= 0);
  if (child == 0) {
    work(shared);
    _exit(1);
  }
  usleep(after_us);
  kill(child, SIGKILL);
  int status = 0;
  assert_int_equal(waitpid(child, &status, 0), child);
  assert_true(WIFSIGNALED(status));
}

/// Of what was done when it was killed.
void check(const Shared& shared) {
  const unsigned done = shared.done->load();
  for (unsigned n = done > 10 ? done - 10 : 0; n < done; ++n) {
    const auto found = shared.table.find(hash(n), kNow);
    // The next one may have been on its way, and with it the end of another.
    if (n + kGood == done) continue;
    const bool good = n + kGood > done;
    assert_int_equal(found.standing, good ? Standing::good : Standing::ended);
    const std::string claims = "{\"sub\":" + std::to_string(n) + "}";
    if (good) assert_string_equal(found.record.claims.c_str(), claims.c_str());
  }
}

void whoever_is_killed_leaves_a_good_table(void**) {
  Shared shared;
  std::srand(1);
  for (int round = 0; round < 200; ++round) {
    kill_amid_work(shared, static_cast<unsigned>(std::rand()) % 3000);
    check(shared);
  }
  assert_true(shared.done->load() > 1000);
  // All are over: all slots are free, and none is in a chain.
  (void)shared.table.due({7, 1}, 1000, kEnd + 1000);
  assert_int_equal(shared.table.count(), 0);
  unsigned room = 0;
  while (shared.table.put(record(1'000'000 + room), {7, 1}, kNow) ==
         Put::done) {
    ++room;
  }
  Shared fresh;
  unsigned all = 0;
  while (fresh.table.put(record(all), {7, 1}, kNow) == Put::done) ++all;
  assert_int_equal(room, all);
  for (unsigned n = 0; n < room; ++n) {
    assert_int_equal(shared.table.find(hash(1'000'000 + n), kNow).standing,
                     Standing::good);
  }
}

}  // namespace
}  // namespace paperboy::auth

int main() {
  using namespace paperboy::auth;
  const CMUnitTest tests[] = {
      cmocka_unit_test(whoever_is_killed_leaves_a_good_table),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
