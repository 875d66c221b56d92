#include "base/pace.hpp"

#include <string>

#include "test.hpp"

namespace {

using namespace paperboy;

void assert_pace(Bytes text, Amount amount, std::uint32_t number,
                 std::uint32_t seconds) {
  const auto pace = parse_pace(text, amount);
  assert_true(pace.has_value());
  assert_int_equal(pace->number, number);
  assert_int_equal(pace->seconds, seconds);
  assert_int_equal(pace->burst, 0);
}

void a_rate_has_a_number_and_a_unit(void**) {
  assert_pace("10/s", Amount::number, 10, 1);
  assert_pace("100/m", Amount::number, 100, 60);
  assert_pace("1000000000/h", Amount::number, 1'000'000'000, 3600);
  assert_pace("10/s", Amount::size, 10, 1);
  assert_pace("64k/s", Amount::size, 65'536, 1);
  assert_pace("2M/m", Amount::size, 2'097'152, 60);
}

void what_is_no_rate_is_none(void**) {
  for (const Bytes text :
       {"", "/", "/s", "10", "10/", "10/d", "10/ss", "0/s", "-1/s", "+1/s",
        "1.5/s", " 1/s", "1 /s", "1/s ", "1k/s", "1000000001/s", "4294967297/s",
        "99999999999999999999/s", "0x1/s"}) {
    assert_false(parse_pace(text, Amount::number).has_value());
  }
  for (const Bytes text :
       {"k/s", "0k/s", "1kk/s", "1g/s", "1000m/s", "4194305k/s", "1k"}) {
    assert_false(parse_pace(text, Amount::size).has_value());
  }
}

void a_burst_is_named(void**) {
  assert_int_equal(parse_burst("burst=7", Amount::number).value(), 7);
  assert_int_equal(parse_burst("burst=1k", Amount::size).value(), 1024);
  for (const Bytes text : {"", "7", "burst", "burst=", "burst=0", "burst=-1",
                           "burst=1k", "Burst=1", " burst=1", "burst=1 "}) {
    assert_false(parse_burst(text, Amount::number).has_value());
  }
}

/// How many pass at once.
int at_once(const Rate& rate) {
  std::uint64_t over = 0;
  int passed = 0;
  while (passed < 100 && charge(rate, over, 1) == 0) ++passed;
  return passed;
}

void without_a_burst_the_number_or_the_least_passes_at_once(void**) {
  const Pace plain{.number = 3, .seconds = 60};
  assert_int_equal(plain.at_once(), 3);
  assert_int_equal(at_once(plain.rate(1)), 3);
  assert_int_equal(at_once(plain.rate(9)), 9);
  const Pace burst{.number = 3, .seconds = 60, .burst = 5};
  assert_int_equal(burst.at_once(), 5);
  assert_int_equal(at_once(burst.rate(9)), 5);
  assert_int_equal(at_once(burst.rate_of(9)), 9);
}

void the_unit_says_how_long_one_takes(void**) {
  const Rate rate = Pace{.number = 2, .seconds = 3600}.rate(1);
  assert_int_equal(rate.cost_ns(1), 1'800'000'000'000);
}

}  // namespace

int main() {
  const CMUnitTest tests[] = {
      cmocka_unit_test(a_rate_has_a_number_and_a_unit),
      cmocka_unit_test(what_is_no_rate_is_none),
      cmocka_unit_test(a_burst_is_named),
      cmocka_unit_test(without_a_burst_the_number_or_the_least_passes_at_once),
      cmocka_unit_test(the_unit_says_how_long_one_takes),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
