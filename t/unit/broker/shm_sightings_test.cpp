// What is seen elsewhere, in the zone: which of two stays, who raises it, and
// kill -9 at every step.
#include "broker/shm_sightings.hpp"

#include "shm_kill.hpp"

namespace paperboy::broker::shm {
namespace {

constexpr std::size_t kPart = 7;
constexpr Sighting kFirst{3, 0xabc, 0xa, 10};

Sighting there(Zone& zone) { return zone.sightings().value()[kPart]; }

/// Whether `it` stays after `before`.
bool replaces(const Sighting& before, const Sighting& it) {
  TestZone zone;
  assert_true(zone.zone.note_sighting(kPart, before).value() != 0);
  const SightingMark mark = zone.zone.note_sighting(kPart, it).value();
  zone.assert_sound();
  assert_true(there(zone.zone) == (mark != 0 ? it : before));
  return mark != 0;
}

void nothing_was_seen_at_first(void**) {
  TestZone it;
  const auto all = it.zone.sightings().value();
  assert_int_equal(all.size(), kSightings);
  for (const Sighting& one : all) assert_true(one == Sighting{});
  it.assert_sound();
}

void the_stronger_stays(void**) {
  assert_true(replaces(kFirst, {3, 0xabc, 0xa, 11}));
  assert_true(replaces(kFirst, {4, 0x1, 0xb, 2}));
  assert_false(replaces(kFirst, {2, 0xfff, 0xa, 99}));
  // As many generations, and nobody knows which came later.
  assert_false(replaces(kFirst, {3, 0xfff, 0xa, 99}));
  assert_false(replaces(kFirst, {3, 0x1, 0xa, 99}));
  assert_true(replaces(kFirst, {3, 0xabc, 0xb, 11}));
  assert_true(replaces(kFirst, {3, 0xabc, 0xb, 10}));
  assert_false(replaces(kFirst, {3, 0xabc, 0xb, 9}));
}

void of_one_sighting_the_highest_sequence_stays(void**) {
  TestZone it;
  const SightingMark mark = it.zone.note_sighting(kPart, kFirst).value();
  Sighting lower = kFirst;
  lower.sequence = 8;
  assert_int_equal(it.zone.note_sighting(kPart, lower).value(), mark);
  assert_true(there(it.zone) == kFirst);
  assert_true(it.zone.raise_sighting(kPart, mark, 9));
  assert_int_equal(there(it.zone).sequence, 10);
  assert_true(it.zone.raise_sighting(kPart, mark, 12));
  assert_int_equal(there(it.zone).sequence, 12);
}

void nobody_raises_what_isnt_his(void**) {
  TestZone it;
  const SightingMark mark = it.zone.note_sighting(kPart, kFirst).value();
  const Sighting second{4, 0x1, 0xb, 2};
  assert_true(it.zone.note_sighting(kPart, second).value() != mark);
  assert_false(it.zone.raise_sighting(kPart, mark, 11));
  assert_true(there(it.zone) == second);
}

void marks_go_round_and_leave_0_out(void**) {
  TestZone it;
  for (std::uint64_t n = 1; n < 70'000; n++) {
    const auto mark = it.zone.note_sighting(kPart, {n, 1, 1, n}).value();
    assert_true(mark != 0);
    assert_true(it.zone.raise_sighting(kPart, mark, n + 1));
    assert_int_equal(there(it.zone).sequence, n + 1);
  }
  it.assert_sound();
}

void a_sequence_never_touches_the_mark(void**) {
  TestZone it;
  constexpr std::uint64_t kMost = (std::uint64_t{1} << 48) - 1;
  const auto mark = it.zone.note_sighting(kPart, {1, 1, 1, UINT64_MAX}).value();
  assert_int_equal(there(it.zone).sequence, kMost);
  assert_true(it.zone.raise_sighting(kPart, mark, UINT64_MAX));
  assert_true(it.zone.raise_sighting(kPart, mark, 1));
  assert_int_equal(there(it.zone).sequence, kMost);
}

void all_raise_it_together(void**) {
  constexpr std::uint64_t kRaises = 20'000;
  constexpr int kChildren = 3;
  TestZone it;
  const auto mark = it.zone.note_sighting(kPart, {1, 1, 1, 0}).value();
  std::vector<pid_t> children;
  for (int child = 0; child < kChildren; child++) {
    children.push_back(spawn([&, child] {
      for (std::uint64_t n = 0; n <= kRaises; n++) {
        (void)it.zone.raise_sighting(
            kPart, mark, n * kChildren + static_cast<std::uint64_t>(child));
      }
    }));
  }
  for (const pid_t child : children) assert_int_equal(wait_for(child), 0);
  assert_int_equal(there(it.zone).sequence,
                   kRaises * kChildren + kChildren - 1);
}

void it_is_whole_after_a_kill(void**) {
  const Sighting kSecond{3, 0xabc, 0xb, 12};
  const Sighting kThird{4, 0x1, 0xc, 2};
  for (const Sighting& next : {kSecond, kThird}) {
    bool was_before = false;
    bool was_after = false;
    kill_at_any_step(
        {{"a sighting",
          [](Scene& scene) {
            assert_true(scene.zone().note_sighting(kPart, kFirst).ok());
          },
          nothing_either,
          [&](Scene& scene, SeatIndex) {
            (void)scene.zone().note_sighting(kPart, next);
          }}},
        [&](Scene& scene, const char* what) {
          const Sighting now = there(scene.zone());
          was_before |= now == kFirst;
          was_after |= now == next;
          if (now != kFirst && now != next) fail_msg("%s: half of it", what);
        });
    assert_true(was_before && was_after);
  }
}

void it_outlives_the_users_of_a_zone(void**) {
  TestZone it;
  assert_true(it.zone.note_sighting(kPart, kFirst).ok());
  const auto bytes = it.memory.bytes();
  auto again = Zone::reopen(bytes, small_options(), it.clock, it.waker);
  assert_true(again.ok());
  assert_true(there(*again) == kFirst);
}

void half_of_one_is_damage(void**) {
  const auto opens_with = [](const SightingEntry& entry) {
    TestZone it;
    it.memory.as<Header>()->sightings[kPart] = entry;
    const auto bytes = it.memory.bytes();
    return Zone::reopen(bytes, small_options(), it.clock, it.waker).ok();
  };
  constexpr std::uint64_t kMark = std::uint64_t{1} << 48;
  assert_true(opens_with({0, 0, 0, 0}));
  assert_true(opens_with({1, 0, 0, kMark}));
  assert_false(opens_with({1, 1, 1, 1}));
  assert_false(opens_with({0, 1, 0, 0}));
  assert_false(opens_with({0, 0, 1, 0}));
  assert_false(opens_with({0, 0, 0, kMark}));
}

}  // namespace
}  // namespace paperboy::broker::shm

int main() {
  using namespace paperboy::broker::shm;
  const CMUnitTest tests[] = {
      cmocka_unit_test(nothing_was_seen_at_first),
      cmocka_unit_test(the_stronger_stays),
      cmocka_unit_test(of_one_sighting_the_highest_sequence_stays),
      cmocka_unit_test(nobody_raises_what_isnt_his),
      cmocka_unit_test(marks_go_round_and_leave_0_out),
      cmocka_unit_test(a_sequence_never_touches_the_mark),
      cmocka_unit_test(all_raise_it_together),
      cmocka_unit_test(it_is_whole_after_a_kill),
      cmocka_unit_test(it_outlives_the_users_of_a_zone),
      cmocka_unit_test(half_of_one_is_damage),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
