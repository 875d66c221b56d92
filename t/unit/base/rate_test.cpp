#include "base/rate.hpp"

#include "test.hpp"

namespace {

using paperboy::charge;
using paperboy::Rate;

constexpr std::uint64_t kSecond = 1'000'000'000;

void a_burst_passes_and_not_one_more(void**) {
  const Rate rate = Rate::of(3, kSecond, 5);
  std::uint64_t over = 0;
  for (int i = 0; i < 5; ++i) {
    assert_int_equal(charge(rate, over, kSecond), 0);
  }
  assert_true(charge(rate, over, kSecond) != 0);
}

void who_waits_as_told_passes(void**) {
  const Rate rate = Rate::of(2, kSecond, 1);
  std::uint64_t over = 0;
  assert_int_equal(charge(rate, over, kSecond), 0);
  const auto wait = charge(rate, over, kSecond);
  assert_int_equal(wait, kSecond / 2);
  assert_true(charge(rate, over, kSecond + wait - 1) != 0);
  assert_int_equal(charge(rate, over, kSecond + wait), 0);
}

void what_is_refused_costs_nothing(void**) {
  const Rate rate = Rate::of(1, kSecond, 1);
  std::uint64_t over = 0;
  assert_int_equal(charge(rate, over, kSecond), 0);
  for (int i = 0; i < 100; ++i) (void)charge(rate, over, kSecond);
  assert_int_equal(charge(rate, over, 2 * kSecond), 0);
}

void rest_fills_it_up_to_its_burst(void**) {
  const Rate rate = Rate::of(10, kSecond, 2);
  std::uint64_t over = 0;
  const std::uint64_t late = 1000 * kSecond;
  assert_int_equal(charge(rate, over, late), 0);
  assert_int_equal(charge(rate, over, late), 0);
  assert_true(charge(rate, over, late) != 0);
}

void many_at_once_are_all_or_nothing(void**) {
  const Rate rate = Rate::of(1000, kSecond, 1000);
  std::uint64_t over = 0;
  assert_int_equal(charge(rate, over, kSecond, 600), 0);
  assert_true(charge(rate, over, kSecond, 500) != 0);
  assert_int_equal(charge(rate, over, kSecond, 400), 0);
}

// In nanoseconds it is more than fits in a number.
void a_burst_may_take_longer_than_a_lifetime(void**) {
  constexpr std::uint64_t kHour = 3600 * kSecond;
  const std::uint64_t now = 1'000'000 * kHour;
  for (const std::uint64_t burst :
       {5'000'000ULL, 10'000'000ULL, 1'000'000'000ULL}) {
    const Rate rate = Rate::of(1, kHour, burst);
    std::uint64_t over = 0;
    for (int i = 0; i < 1000; ++i) {
      assert_int_equal(charge(rate, over, now), 0);
    }
    assert_int_equal(over, now + 1000 * kHour);
    assert_int_equal(charge(rate, over, now, 1'000'000), 0);
    assert_true(charge(rate, over, now, 1'000'000'000) != 0);
  }
}

void a_rate_may_be_faster_than_a_nanosecond(void**) {
  const Rate rate = Rate::of(4 * kSecond, kSecond, 8);
  std::uint64_t over = 0;
  assert_int_equal(charge(rate, over, kSecond, 8), 0);
  assert_true(charge(rate, over, kSecond, 8) != 0);
}

}  // namespace

int main() {
  const CMUnitTest tests[] = {
      cmocka_unit_test(a_burst_passes_and_not_one_more),
      cmocka_unit_test(who_waits_as_told_passes),
      cmocka_unit_test(what_is_refused_costs_nothing),
      cmocka_unit_test(rest_fills_it_up_to_its_burst),
      cmocka_unit_test(many_at_once_are_all_or_nothing),
      cmocka_unit_test(a_burst_may_take_longer_than_a_lifetime),
      cmocka_unit_test(a_rate_may_be_faster_than_a_nanosecond),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
