#include "base/table.hpp"

#include <cstdint>
#include <deque>
#include <random>
#include <set>

#include "test.hpp"

namespace paperboy {
namespace {

struct Thing {
  std::uint64_t key;
};

struct ByKey {
  static std::uint64_t key(const Thing* thing) { return thing->key; }
  static std::uint64_t number(std::uint64_t key) { return key; }
};

/// All have the same place.
struct Crowded : ByKey {
  static std::uint64_t number(std::uint64_t) { return UINT64_MAX; }
};

template <typename Traits>
void assert_holds(const Table<Thing*, Traits>& table,
                  const std::deque<Thing>& things,
                  const std::set<std::uint64_t>& in) {
  assert_int_equal(table.size(), in.size());
  for (const Thing& thing : things) {
    const Thing* const expected = in.contains(thing.key) ? &thing : nullptr;
    assert_ptr_equal(table.find(thing.key), expected);
  }
  std::set<std::uint64_t> seen;
  table.for_each(
      [&](const Thing* thing) { assert_true(seen.insert(thing->key).second); });
  assert_true(seen == in);
}

/// What is put in and taken out at random, against a set.
template <typename Traits>
void try_at_random(std::uint64_t keys, int steps) {
  std::mt19937_64 random(42);
  std::deque<Thing> things;
  for (std::uint64_t i = 0; i < keys; ++i) things.push_back({i * 3});
  Table<Thing*, Traits> table;
  std::set<std::uint64_t> in;
  for (int i = 0; i < steps; ++i) {
    Thing& thing = things[random() % keys];
    if (in.contains(thing.key)) {
      table.erase(&thing);
      in.erase(thing.key);
    } else {
      table.insert(&thing);
      in.insert(thing.key);
    }
    if (i % 97 == 0) assert_holds(table, things, in);
  }
  assert_holds(table, things, in);
}

void it_holds_what_a_set_holds(void**) {
  try_at_random<ByKey>(300, 5000);
  try_at_random<ByKey>(7, 1000);
}

void keys_may_share_a_place(void**) { try_at_random<Crowded>(30, 3000); }

void what_is_not_there_is_not_found(void**) {
  Table<Thing*, ByKey> table;
  assert_null(table.find(std::uint64_t{1}));
  Thing one{1};
  Thing other{1};
  table.erase(&one);
  table.insert(&one);
  table.erase(&other);
  assert_ptr_equal(table.find(std::uint64_t{1}), &one);
  assert_int_equal(table.size(), 1);
}

}  // namespace
}  // namespace paperboy

int main() {
  const CMUnitTest tests[] = {
      cmocka_unit_test(paperboy::it_holds_what_a_set_holds),
      cmocka_unit_test(paperboy::keys_may_share_a_place),
      cmocka_unit_test(paperboy::what_is_not_there_is_not_found),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
