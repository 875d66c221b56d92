#include "base/wheel.hpp"

#include <algorithm>
#include <functional>
#include <memory>
#include <vector>

#include "test.hpp"

namespace paperboy {
namespace {

constexpr std::uint64_t kTick = Wheel::kTickMs;
constexpr std::uint64_t kStart = 123'456;
constexpr std::uint64_t kLap = 512 * kTick;

class Bell final : public Timer {
 public:
  explicit Bell(std::function<void()> then = {}) : then_(std::move(then)) {}

  static void ring(Timer& timer) {
    auto& bell = static_cast<Bell&>(timer);
    ++bell.rung;
    if (bell.then_) bell.then_();
  }

  int rung = 0;

 private:
  std::function<void()> then_;
};

/// Goes on as a loop would: sleeps to next_ms(), and no further than `end`.
void run_until(Wheel& wheel, std::uint64_t& now, std::uint64_t end) {
  for (;;) {
    const auto next = wheel.next_ms();
    if (!next || *next > end) break;
    now = std::max(now, *next);
    wheel.advance(now);
  }
  now = end;
  wheel.advance(now);
}

void a_timer_fires_within_two_ticks_of_its_delay(void**) {
  for (std::uint64_t begin = 0; begin < 2 * kTick; begin += 7) {
    for (const std::uint64_t delay :
         {0UL, 1UL, 99UL, 100UL, 101UL, 2500UL, 60'000UL, 200'000UL}) {
      Wheel wheel(kStart, Bell::ring);
      std::uint64_t now = kStart + begin;
      const std::uint64_t armed_at = now;
      std::uint64_t fired_at = 0;
      Bell bell([&] { fired_at = now; });
      wheel.arm(bell, now, delay);
      run_until(wheel, now, kStart + begin + delay + 3 * kTick);
      assert_int_equal(bell.rung, 1);
      assert_true(fired_at >= armed_at + delay);
      assert_true(fired_at <= armed_at + delay + 2 * kTick);
    }
  }
}

void a_timer_is_exact_after_a_long_rest_of_the_wheel(void**) {
  Wheel wheel(kStart, Bell::ring);
  std::uint64_t now = kStart + 3'600'000;  // nothing was due: no advance
  Bell bell;
  wheel.arm(bell, now, 1000);
  assert_true(wheel.next_ms().value() >= now + 1000);
  run_until(wheel, now, now + 999);
  assert_int_equal(bell.rung, 0);
  run_until(wheel, now, now + 1 + 2 * kTick);
  assert_int_equal(bell.rung, 1);
}

void a_timer_fires_once(void**) {
  Wheel wheel(kStart, Bell::ring);
  std::uint64_t now = kStart;
  Bell bell;
  wheel.arm(bell, now, 500);
  assert_true(bell.armed());
  run_until(wheel, now, kStart + 3 * kLap);
  assert_int_equal(bell.rung, 1);
  assert_false(bell.armed());
}

void a_cancelled_timer_never_fires(void**) {
  Wheel wheel(kStart, Bell::ring);
  std::uint64_t now = kStart;
  Bell bell;
  bell.cancel();  // not armed: nothing happens
  wheel.arm(bell, now, 500);
  bell.cancel();
  assert_false(bell.armed());
  run_until(wheel, now, kStart + kLap);
  assert_int_equal(bell.rung, 0);
}

void an_armed_timer_is_moved(void**) {
  Wheel wheel(kStart, Bell::ring);
  std::uint64_t now = kStart;
  Bell later;
  Bell sooner;
  wheel.arm(later, now, 500);
  wheel.arm(later, now, 5000);
  wheel.arm(sooner, now, 5000);
  wheel.arm(sooner, now, 500);
  run_until(wheel, now, kStart + 700);
  assert_int_equal(later.rung, 0);
  assert_int_equal(sooner.rung, 1);
  run_until(wheel, now, kStart + 5200);
  assert_int_equal(later.rung, 1);
  assert_int_equal(sooner.rung, 1);
}

void a_timer_may_arm_itself_again(void**) {
  Wheel wheel(kStart, Bell::ring);
  std::uint64_t now = kStart;
  Bell* self = nullptr;
  Bell bell([&] { wheel.arm(*self, now, 1000); });
  self = &bell;
  wheel.arm(bell, now, 1000);
  run_until(wheel, now, kStart + 10'000);
  // Each turn takes 1000 to 1200 ms.
  assert_in_range(bell.rung, 8, 10);
}

void a_timer_armed_without_delay_waits_for_the_next_turn(void**) {
  Wheel wheel(kStart, Bell::ring);
  const std::uint64_t now = kStart + 10'000;
  Bell* self = nullptr;
  Bell bell([&] { wheel.arm(*self, now, 0); });
  self = &bell;
  wheel.arm(bell, kStart, 0);
  wheel.advance(now);
  assert_int_equal(bell.rung, 1);
  assert_true(bell.armed());
}

void a_timer_may_cancel_those_due_with_it(void**) {
  Wheel wheel(kStart, Bell::ring);
  std::vector<std::unique_ptr<Bell>> bells;
  for (int i = 0; i < 5; ++i) {
    bells.push_back(std::make_unique<Bell>([&] {
      for (const auto& bell : bells) bell->cancel();
    }));
    wheel.arm(*bells.back(), kStart, 300);
  }
  wheel.advance(kStart + 1000);
  int rung = 0;
  for (const auto& bell : bells) rung += bell->rung;
  assert_int_equal(rung, 1);
}

void a_timer_may_destroy_another_that_is_due(void**) {
  Wheel wheel(kStart, Bell::ring);
  auto victim = std::make_unique<Bell>();
  Bell bell([&] { victim.reset(); });
  wheel.arm(bell, kStart, 300);
  wheel.arm(*victim, kStart, 300);
  wheel.advance(kStart + 1000);
  assert_int_equal(bell.rung, 1);
  assert_null(victim.get());
}

void delays_of_several_laps_are_kept(void**) {
  Wheel wheel(kStart, Bell::ring);
  std::uint64_t now = kStart;
  Bell near;
  Bell far;
  Bell farther;
  wheel.arm(near, now, 1000);
  wheel.arm(far, now, 1000 + kLap);
  wheel.arm(farther, now, 1000 + 5 * kLap);
  run_until(wheel, now, kStart + 1200);
  assert_int_equal(near.rung, 1);
  run_until(wheel, now, kStart + kLap + 999);
  assert_int_equal(far.rung, 0);
  run_until(wheel, now, kStart + kLap + 1200);
  assert_int_equal(far.rung, 1);
  run_until(wheel, now, kStart + 5 * kLap + 999);
  assert_int_equal(farther.rung, 0);
  run_until(wheel, now, kStart + 5 * kLap + 1200);
  assert_int_equal(farther.rung, 1);
}

void a_long_pause_makes_up_for_everything_at_once(void**) {
  Wheel wheel(kStart, Bell::ring);
  std::vector<std::unique_ptr<Bell>> bells;
  for (std::uint64_t i = 0; i < 2000; ++i) {
    bells.push_back(std::make_unique<Bell>());
    wheel.arm(*bells.back(), kStart, i * kTick);
  }
  wheel.advance(kStart + 1000 * kTick);
  for (std::uint64_t i = 0; i < 2000; ++i) {
    assert_int_equal(bells[i]->rung, i < 1000 ? 1 : 0);
  }
  wheel.advance(kStart + 50 * kLap);
  for (const auto& bell : bells) assert_int_equal(bell->rung, 1);
}

void what_a_timer_arms_after_a_pause_isnt_early(void**) {
  Wheel wheel(kStart, Bell::ring);
  std::uint64_t now = kStart + 30'000;
  Bell second;
  Bell first([&] { wheel.arm(second, now, 5000); });
  wheel.arm(first, kStart, 1000);
  wheel.advance(now);
  assert_int_equal(first.rung, 1);
  assert_int_equal(second.rung, 0);
  run_until(wheel, now, now + 4999);
  assert_int_equal(second.rung, 0);
  run_until(wheel, now, now + 1 + 2 * kTick);
  assert_int_equal(second.rung, 1);
}

void the_next_time_is_never_later_than_the_first_timer(void**) {
  Wheel wheel(kStart, Bell::ring);
  assert_false(wheel.next_ms().has_value());
  Bell far;
  Bell near;
  wheel.arm(far, kStart, 20'000);
  assert_true(wheel.next_ms().value() <= kStart + 20'200);
  wheel.arm(near, kStart, 2000);
  assert_true(wheel.next_ms().value() <= kStart + 2200);
  wheel.arm(far, kStart, 20'000);
  assert_true(wheel.next_ms().value() <= kStart + 2200);
  wheel.advance(wheel.next_ms().value());
  assert_int_equal(near.rung, 1);
  assert_true(wheel.next_ms().value() > kStart + 19'900);
  wheel.advance(wheel.next_ms().value());
  assert_int_equal(far.rung, 1);
  assert_false(wheel.next_ms().has_value());
}

void a_second_look_forgets_cancelled_timers(void**) {
  Wheel wheel(kStart, Bell::ring);
  Bell near;
  Bell far;
  wheel.arm(near, kStart, 2000);
  wheel.arm(far, kStart, 20'000);
  near.cancel();
  wheel.look_again();
  assert_true(wheel.next_ms().value() >= kStart + 20'000);
  far.cancel();
  wheel.look_again();
  assert_false(wheel.next_ms().has_value());
}

void either_may_be_destroyed_first(void**) {
  Bell survivor;
  {
    Wheel wheel(kStart, Bell::ring);
    Bell dies;
    wheel.arm(dies, kStart, 1000);
    wheel.arm(survivor, kStart, 1000);
  }
  assert_false(survivor.armed());
  Wheel wheel(kStart, Bell::ring);
  {
    const auto bell = std::make_unique<Bell>();
    wheel.arm(*bell, kStart, 1000);
  }
  wheel.arm(survivor, kStart, 1000);
  wheel.advance(kStart + 2000);
  assert_int_equal(survivor.rung, 1);
}

void the_longest_delay_is_24_days(void**) {
  Wheel wheel(kStart, Bell::ring);
  constexpr std::uint64_t kDay = 24UL * 3600 * 1000;
  Bell bell;
  wheel.arm(bell, kStart, ~0ULL);
  wheel.advance(kStart + 24 * kDay);
  assert_int_equal(bell.rung, 0);
  wheel.advance(kStart + 24 * kDay + 2 * kTick);
  assert_int_equal(bell.rung, 1);
}

}  // namespace
}  // namespace paperboy

int main() {
  using namespace paperboy;
  const CMUnitTest tests[] = {
      cmocka_unit_test(a_timer_fires_within_two_ticks_of_its_delay),
      cmocka_unit_test(a_timer_is_exact_after_a_long_rest_of_the_wheel),
      cmocka_unit_test(a_timer_fires_once),
      cmocka_unit_test(a_cancelled_timer_never_fires),
      cmocka_unit_test(an_armed_timer_is_moved),
      cmocka_unit_test(a_timer_may_arm_itself_again),
      cmocka_unit_test(a_timer_armed_without_delay_waits_for_the_next_turn),
      cmocka_unit_test(a_timer_may_cancel_those_due_with_it),
      cmocka_unit_test(a_timer_may_destroy_another_that_is_due),
      cmocka_unit_test(delays_of_several_laps_are_kept),
      cmocka_unit_test(a_long_pause_makes_up_for_everything_at_once),
      cmocka_unit_test(what_a_timer_arms_after_a_pause_isnt_early),
      cmocka_unit_test(the_next_time_is_never_later_than_the_first_timer),
      cmocka_unit_test(a_second_look_forgets_cancelled_timers),
      cmocka_unit_test(either_may_be_destroyed_first),
      cmocka_unit_test(the_longest_delay_is_24_days),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
