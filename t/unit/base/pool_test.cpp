#include "base/pool.hpp"

#include <cstdint>
#include <iterator>
#include <map>
#include <random>
#include <set>
#include <vector>

#include "test.hpp"

namespace paperboy {
namespace {

/// Knows how many of it there are.
struct Thing {
  Thing(int& count, int name) noexcept : count(count), name(name) { ++count; }
  ~Thing() { --count; }

  int& count;
  const int name;
};

void each_is_under_its_number_at_its_address(void**) {
  int count = 0;
  Pool<Thing> pool;
  std::map<std::uint32_t, const Thing*> all;
  std::set<const Thing*> places;
  for (int i = 0; i < 5000; ++i) {
    const auto number = pool.make(count, i);
    assert_int_not_equal(number, 0);
    assert_true(all.emplace(number, &pool[number]).second);
    assert_true(places.insert(&pool[number]).second);
  }
  assert_int_equal(count, 5000);
  int i = 0;
  for (const auto& [number, thing] : all) {
    assert_ptr_equal(&pool[number], thing);
    assert_int_equal(thing->name, i++);
  }
  for (const auto& one : all) pool.drop(one.first);
  assert_int_equal(count, 0);
}

void what_was_dropped_is_taken_again(void**) {
  int count = 0;
  Pool<Thing> pool;
  std::set<std::uint32_t> numbers;
  for (int i = 0; i < 3000; ++i) numbers.insert(pool.make(count, 1));
  for (const auto number : numbers) pool.drop(number);
  for (int i = 0; i < 3000; ++i) {
    assert_true(numbers.contains(pool.make(count, 2)));
  }
  assert_false(numbers.contains(pool.make(count, 3)));
  assert_int_equal(count, 3001);
  numbers.insert(3001);
  for (const auto number : numbers) pool.drop(number);
}

void others_stay_as_they_are(void**) {
  int count = 0;
  std::mt19937 random(7);
  Pool<Thing> pool;
  std::map<std::uint32_t, int> all;
  for (int i = 0; i < 20'000; ++i) {
    if (!all.empty() && random() % 5 < 2) {
      const auto gone = std::next(all.begin(), random() % all.size() % 50);
      pool.drop(gone->first);
      all.erase(gone);
    } else {
      assert_true(all.emplace(pool.make(count, i), i).second);
    }
  }
  assert_int_equal(count, all.size());
  for (const auto& [number, name] : all) {
    assert_int_equal(pool[number].name, name);
    pool.drop(number);
  }
}

#ifdef PAPERBOY_SANITIZE
void what_was_dropped_may_not_be_used(void**) {
  int count = 0;
  Pool<Thing> pool;
  const auto number = pool.make(count, 1);
  Thing* const thing = &pool[number];
  assert_false(__asan_address_is_poisoned(thing));
  pool.drop(number);
  assert_true(__asan_address_is_poisoned(thing));
  assert_int_equal(pool.make(count, 2), number);
  assert_false(__asan_address_is_poisoned(thing));
  pool.drop(number);
}
#endif

}  // namespace
}  // namespace paperboy

int main() {
  using namespace paperboy;
  const CMUnitTest tests[] = {
      cmocka_unit_test(each_is_under_its_number_at_its_address),
      cmocka_unit_test(what_was_dropped_is_taken_again),
      cmocka_unit_test(others_stay_as_they_are),
#ifdef PAPERBOY_SANITIZE
      cmocka_unit_test(what_was_dropped_may_not_be_used),
#endif
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
