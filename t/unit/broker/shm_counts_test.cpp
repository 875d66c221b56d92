// Counts that workers share, and what is left of those of a killed one, killed
// at any step.
#include "broker/shm_counts.hpp"

#include <map>
#include <memory>
#include <random>
#include <vector>

#include "broker/shm_limits.hpp"
#include "broker/shm_lock.hpp"
#include "shm_support.hpp"

namespace paperboy::broker::shm {
namespace {

using Added = Counts::Added;

constexpr std::uint64_t kMany = 1'000'000;

struct Table {
  explicit Table(std::size_t entries = 64)
      : memory(sizeof(Counts::Head) + entries * sizeof(Counts::Entry)),
        entries_({reinterpret_cast<Counts::Entry*>(memory.bytes().data() +
                                                   sizeof(Counts::Head)),
                  entries}) {
    Counts::format(head());
  }

  Counts::Head& head() { return *memory.as<Counts::Head>(); }
  std::unique_ptr<Counts> worker() {
    return std::make_unique<Counts>(head(), entries_);
  }

  SharedMemory memory;
  std::span<Counts::Entry> entries_;
};

/// In a process of its own, which is then killed.
template <typename Work>
void in_a_killed_worker(Table& table, Work work) {
  wait_for(spawn([&] {
    const auto counts = table.worker();
    work(*counts);
    kill(getpid(), SIGKILL);
  }));
}

void so_many_and_not_one_more(void**) {
  Table table;
  const auto counts = table.worker();
  for (int i = 0; i < 3; ++i) assert_true(counts->add(9, 3) == Added::counted);
  assert_true(counts->add(9, 3) == Added::over);
  assert_true(counts->add(10, 3) == Added::counted);
  assert_true(counts->subtract(9));
  assert_true(counts->add(9, 3) == Added::counted);
  assert_true(counts->add(9, 3) == Added::over);
}

void workers_count_together(void**) {
  Table table;
  const auto one = table.worker();
  const SharedMemory told(4096);
  assert_true(one->add(9, 3) == Added::counted);
  wait_for(spawn([&] {
    const auto other = table.worker();
    told.as<int>()[0] = other->add(9, 3) == Added::counted;
    told.as<int>()[1] = other->add(9, 3) == Added::counted;
    told.as<int>()[2] = other->add(9, 3) == Added::over;
    told.as<int>()[3] = other->subtract(9);
    told.as<int>()[4] = static_cast<int>(other->of(9));
  }));
  for (int i = 0; i < 4; ++i) assert_int_equal(told.as<int>()[i], 1);
  assert_int_equal(told.as<int>()[4], 2);
}

void a_killed_worker_takes_its_counts_along(void**) {
  Table table;
  const auto counts = table.worker();
  assert_true(counts->add(9, 3) == Added::counted);
  in_a_killed_worker(table, [](Counts& dead) {
    (void)dead.add(9, 3);
    (void)dead.add(9, 3);
  });
  assert_true(counts->add(9, 3) == Added::counted);
  assert_true(counts->add(9, 3) == Added::counted);
  assert_true(counts->add(9, 3) == Added::over);
}

void who_comes_after_it_inherits_nothing(void**) {
  Table table;
  in_a_killed_worker(table, [](Counts& dead) { (void)dead.add(9, 3); });
  const auto next = table.worker();
  assert_int_equal(next->of(9), 0);
  assert_true(next->subtract(9));
  assert_int_equal(next->of(9), 0);
}

void a_full_table_counts_no_more_until_somebody_goes(void**) {
  Table table(64);
  const auto counts = table.worker();
  for (Mark mark = 1; mark <= 48; ++mark) {
    assert_true(counts->add(mark, kMany) == Added::counted);
  }
  assert_true(counts->add(99, kMany) == Added::no_room);
  assert_true(counts->add(7, kMany) == Added::counted);
  assert_true(counts->subtract(8));
  assert_true(counts->add(99, kMany) == Added::counted);
}

void the_dead_make_room(void**) {
  Table table(64);
  const auto counts = table.worker();
  in_a_killed_worker(table, [](Counts& dead) {
    for (Mark mark = 1; mark <= 48; ++mark) (void)dead.add(mark, kMany);
  });
  assert_true(counts->add(99, kMany) == Added::counted);
  assert_true(table.head().used < 4);
}

void without_an_owner_nothing_is_counted(void**) {
  Table table;
  std::vector<std::unique_ptr<Counts>> all;
  for (std::size_t i = 0; i < Counts::kOwners; ++i) {
    all.push_back(table.worker());
  }
  const auto late = table.worker();
  assert_true(late->add(9, 3) == Added::no_room);
  all.pop_back();
  assert_true(table.worker()->add(9, 3) == Added::counted);
}

/// As a map does, with marks that want the same places.
void is_a_map_whatever_comes(void**) {
  Table table(64);
  const auto counts = table.worker();
  std::map<Mark, std::uint64_t> model;
  std::minstd_rand random(1);
  for (int i = 0; i < 20'000; ++i) {
    const Mark mark = 1 + random() % 8 + 64 * (random() % 4);
    if (random() % 2 == 0) {
      if (counts->add(mark, 3) == Added::counted) ++model[mark];
      assert_true(model[mark] <= 3);
    } else if (model[mark] != 0) {
      assert_true(counts->subtract(mark));
      --model[mark];
    }
  }
  std::uint64_t used = 0;
  for (const auto& [mark, count] : model) {
    assert_int_equal(counts->of(mark), count);
    used += count != 0 ? 1 : 0;
  }
  assert_int_equal(table.head().used, used);
}

int steps_left;

void die_in_time() {
  if (--steps_left == 0) kill(getpid(), SIGKILL);
}

/// One change, which a kill cuts off at each of its steps: what the living
/// counted is as it was.
template <typename Change>
void survives_each_step(Change change) {
  for (int at = 1; at < 60; ++at) {
    Table table(16);
    const auto counts = table.worker();
    for (const Mark mark : {3, 19, 35, 4, 20, 5}) {
      assert_true(counts->add(mark, kMany) == Added::counted);
    }
    in_a_killed_worker(table, [&](Counts& dead) {
      for (const Mark mark : {3, 51}) (void)dead.add(mark, kMany);
      steps_left = at;
      step_hook = die_in_time;
      change(dead);
    });
    for (const Mark mark : {3, 19, 35, 4, 20, 5}) {
      assert_int_equal(counts->of(mark), 1);
    }
    assert_int_equal(counts->of(51), 0);
    for (const Mark mark : {3, 19, 35, 4, 20, 5}) {
      assert_true(counts->subtract(mark));
    }
    assert_int_equal(table.head().used, 0);
  }
}

void a_kill_while_one_is_added_harms_nobody(void**) {
  survives_each_step([](Counts& dead) { (void)dead.add(67, kMany); });
}

void a_kill_while_one_is_removed_harms_nobody(void**) {
  survives_each_step([](Counts& dead) { (void)dead.subtract(3); });
}

void memory_is_divided(void**) {
  const SharedMemory memory(Limits::kLeast);
  assert_true(Limits::format(memory.bytes()));
  Limits limits(memory.bytes());
  const Mark mark = limits.mark("address 127.0.0.1");
  assert_int_equal(mark, limits.mark("address 127.0.0.1"));
  assert_true(mark != limits.mark("address 127.0.0.2"));
  const Rate rate = Rate::of(1, 1'000'000'000, 1);
  for (Mark i = 1; i < 900; ++i) {
    assert_true(limits.counts().add(i, 1) == Added::counted);
    assert_int_equal(limits.rates().charge(i, rate, i * 1'000'000'000), 0);
  }
  for (Mark i = 1; i < 900; ++i) assert_int_equal(limits.counts().of(i), 1);
}

}  // namespace
}  // namespace paperboy::broker::shm

int main() {
  using namespace paperboy::broker::shm;
  const CMUnitTest tests[] = {
      cmocka_unit_test(so_many_and_not_one_more),
      cmocka_unit_test(workers_count_together),
      cmocka_unit_test(a_killed_worker_takes_its_counts_along),
      cmocka_unit_test(who_comes_after_it_inherits_nothing),
      cmocka_unit_test(a_full_table_counts_no_more_until_somebody_goes),
      cmocka_unit_test(the_dead_make_room),
      cmocka_unit_test(without_an_owner_nothing_is_counted),
      cmocka_unit_test(is_a_map_whatever_comes),
      cmocka_unit_test(a_kill_while_one_is_added_harms_nobody),
      cmocka_unit_test(a_kill_while_one_is_removed_harms_nobody),
      cmocka_unit_test(memory_is_divided),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
