// Times that workers share, and what a full table does.
#include "broker/shm_rates.hpp"

#include <vector>

#include "shm_support.hpp"

namespace paperboy::broker::shm {
namespace {

constexpr std::uint64_t kSecond = 1'000'000'000;
constexpr std::uint64_t kNow = 5 * kSecond;

struct Table {
  explicit Table(std::size_t buckets)
      : memory(buckets * sizeof(Rates::Bucket)),
        rates({memory.as<Rates::Bucket>(), buckets}) {}

  SharedMemory memory;
  Rates rates;
};

void those_of_one_mark_are_counted_together(void**) {
  Table table(8);
  const Rate rate = Rate::of(1, 60 * kSecond, 3);
  for (int i = 0; i < 3; ++i) {
    assert_int_equal(table.rates.charge(7, rate, kNow), 0);
    assert_int_equal(table.rates.charge(8, rate, kNow), 0);
  }
  assert_true(table.rates.charge(7, rate, kNow) != 0);
  assert_int_equal(table.rates.charge(9, rate, kNow), 0);
}

/// Each of four tells how many passed.
void workers_together_let_exactly_so_many_pass(void**) {
  Table table(4);
  const SharedMemory told(4096);
  const Rate rate = Rate::of(1, 3600 * kSecond, 1000);
  std::vector<pid_t> all;
  for (int worker = 0; worker < 4; ++worker) {
    all.push_back(spawn([&, worker] {
      for (int i = 0; i < 1000; ++i) {
        told.as<int>()[worker] += table.rates.charge(3, rate, kNow) == 0;
      }
    }));
  }
  int passed = 0;
  for (const pid_t one : all) wait_for(one);
  for (int worker = 0; worker < 4; ++worker) passed += told.as<int>()[worker];
  assert_int_equal(passed, 1000);
}

void who_is_full_again_gives_its_place_up(void**) {
  Table table(1);
  const Rate rate = Rate::of(1, kSecond, 1);
  for (Mark mark = 1; mark <= 100; ++mark) {
    assert_int_equal(table.rates.charge(mark, rate, kNow + mark * kSecond), 0);
  }
  assert_int_equal(table.rates.forgotten(), 0);
}

void where_all_are_busy_who_is_free_first_is_forgotten(void**) {
  Table table(1);
  const Rate slow = Rate::of(1, 100 * kSecond, 1);
  const Rate quick = Rate::of(1, 10 * kSecond, 1);
  assert_int_equal(table.rates.charge(1, slow, kNow), 0);
  assert_int_equal(table.rates.charge(2, quick, kNow), 0);
  assert_int_equal(table.rates.charge(3, slow, kNow), 0);
  assert_int_equal(table.rates.charge(4, slow, kNow), 0);
  assert_int_equal(table.rates.charge(5, slow, kNow), 0);
  assert_int_equal(table.rates.forgotten(), 1);
  for (const Mark kept : {1, 3, 4, 5}) {
    assert_true(table.rates.charge(kept, slow, kNow) != 0);
  }
  assert_int_equal(table.rates.charge(2, quick, kNow), 0);
}

void who_is_held_is_so_until_its_end(void**) {
  Table table(4);
  assert_int_equal(table.rates.held(6, kNow), 0);
  table.rates.hold(6, kNow, kNow + 10);
  assert_int_equal(table.rates.held(6, kNow), 10);
  assert_int_equal(table.rates.held(5, kNow), 0);
  assert_int_equal(table.rates.held(6, kNow + 9), 1);
  assert_int_equal(table.rates.held(6, kNow + 10), 0);
}

}  // namespace
}  // namespace paperboy::broker::shm

int main() {
  using namespace paperboy::broker::shm;
  const CMUnitTest tests[] = {
      cmocka_unit_test(those_of_one_mark_are_counted_together),
      cmocka_unit_test(workers_together_let_exactly_so_many_pass),
      cmocka_unit_test(who_is_full_again_gives_its_place_up),
      cmocka_unit_test(where_all_are_busy_who_is_free_first_is_forgotten),
      cmocka_unit_test(who_is_held_is_so_until_its_end),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
