#include "broker/redis_shares.hpp"

#include <map>

#include "test.hpp"  // last: a macro of its own is called fail

namespace paperboy::broker::redis {
namespace {

std::map<shm::SeatIndex, int> counted(const Shares& shares) {
  std::map<shm::SeatIndex, int> all;
  for (Bucket bucket = 0; bucket < kBuckets; ++bucket) {
    ++all[shares.owner(bucket).value()];
  }
  return all;
}

int moved(const Shares& before, const Shares& after) {
  int all = 0;
  for (Bucket bucket = 0; bucket < kBuckets; ++bucket) {
    all += before.owner(bucket) != after.owner(bucket) ? 1 : 0;
  }
  return all;
}

void nobody_owns_anything_at_first(void**) {
  assert_false(Shares().owner(0).has_value());
}

void buckets_are_divided_about_evenly(void**) {
  Shares shares;
  assert_true(shares.update({{0, 1}, {3, 1}, {4, 7}, {9, 2}}));
  const auto all = counted(shares);
  assert_int_equal(all.size(), 4);
  for (const auto& [seat, buckets] : all) {
    assert_in_range(buckets, 256 / 4 / 2, 256 / 4 * 2);
  }
}

void two_that_know_the_same_come_to_the_same(void**) {
  Shares one;
  Shares other;
  (void)one.update({{1, 1}, {2, 1}, {3, 1}});
  (void)other.update({{2, 1}});
  assert_true(other.update({{1, 1}, {2, 1}, {3, 1}}));
  assert_int_equal(moved(one, other), 0);
  assert_false(other.update({{1, 1}, {2, 1}, {3, 1}}));
}

void one_that_goes_gives_its_share_and_no_more(void**) {
  Shares before;
  Shares after;
  (void)before.update({{1, 1}, {2, 1}, {3, 1}});
  (void)after.update({{1, 1}, {3, 1}});
  assert_int_equal(moved(before, after), counted(before).at(2));
}

}  // namespace
}  // namespace paperboy::broker::redis

int main() {
  using namespace paperboy::broker::redis;
  const CMUnitTest tests[] = {
      cmocka_unit_test(nobody_owns_anything_at_first),
      cmocka_unit_test(buckets_are_divided_about_evenly),
      cmocka_unit_test(two_that_know_the_same_come_to_the_same),
      cmocka_unit_test(one_that_goes_gives_its_share_and_no_more),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
