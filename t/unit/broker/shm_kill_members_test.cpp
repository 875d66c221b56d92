// kill -9 at every step (shm_kill.hpp) of entering, leaving, and sweeping up
// after a dead worker, whose announced members are told to have left once.

#include <algorithm>

#include "shm_kill.hpp"

namespace paperboy::broker::shm {
namespace {

Member called(Bytes client) { return {.client = client, .user = "u"}; }

/// The parent's own member, which nobody's death concerns.
void parents_member(Scene& scene) {
  const auto ref = scene.zone().subscribe(scene.reader, "news")->ref;
  (void)scene.zone().enter(scene.reader, ref, called("parent"), true);
}

void enter_news(Scene& scene, SeatIndex seat) {
  static int number = 0;
  const std::string client = "child " + std::to_string(number++);
  const auto ref = scene.zone().subscribe(seat, "news")->ref;
  (void)scene.zone().enter(seat, ref, called(client), true);
}

/// And leaves the first, the middle and the last.
void enter_and_leave(Scene& scene, SeatIndex seat) {
  const auto ref = scene.zone().subscribe(seat, "news")->ref;
  MemberRef refs[3];
  for (MemberRef& m : refs) {
    m = scene.zone().enter(seat, ref, called("child"), false).value();
  }
  for (const int i : {1, 0, 2}) (void)scene.zone().leave(seat, refs[i]);
}

/// Of two, one in a channel of its own; all are announced.
void dead_members(Scene& scene) {
  parents_member(scene);
  (void)scene.zone().subscribe(scene.reader, "alone");  // to hear of it
  for (const char* client : {"a", "b"}) {
    wait_for(spawn([&] {
      const SeatIndex seat = scene.zone().claim_seat().value();
      for (const char* channel : {"news", "alone"}) {
        const auto ref = scene.zone().subscribe(seat, channel)->ref;
        (void)scene.zone().enter(seat, ref, called(client), true);
      }
    }));
  }
}

void release(Scene& scene, SeatIndex seat) { scene.zone().release_seat(seat); }
void reap(Scene& scene, SeatIndex) { (void)scene.zone().reap_dead_seats(); }
void claim(Scene& scene, SeatIndex) { (void)scene.zone().claim_seat(); }

/// The dead are gone and were told of at most once; the living are there.
void assert_only_the_living(Scene& scene, const char* what) {
  for (int i = 0; i < 2; i++) (void)scene.zone().reap_dead_seats();
  read(scene, what);
  const auto there = scene.zone().members("news").value();
  if (there.size() != 1 || there[0].client != "parent") {
    fail_msg("%s: %zu are there", what, there.size());
  }
  if (scene.zone().stats().members != 1) fail_msg("%s: one is left", what);
  auto told = scene.events;
  std::ranges::sort(told);
  if (std::ranges::adjacent_find(told) != told.end()) {
    fail_msg("%s: told twice", what);
  }
}

void assert_all_told(Scene& scene, const char* what) {
  assert_only_the_living(scene, what);
  // "news" and "alone", of "a" and "b"
  if (scene.events.size() != 4) {
    fail_msg("%s: %zu were told", what, scene.events.size());
  }
}

void any_step_of_entering_and_leaving(void**) {
  kill_at_any_step(
      {
          {"enter", parents_member, nothing_either, enter_news},
          {"enter, another", parents_member, enter_news, enter_news},
          {"release, with members", parents_member, enter_news, release},
          {"leave", parents_member, nothing_either, enter_and_leave},
      },
      assert_only_the_living);
}

void any_step_of_sweeping_up_after_the_dead(void**) {
  kill_at_any_step(
      {
          {"reap, members", dead_members, nothing_either, reap},
          {"claim, with members", dead_members, nothing_either, claim},
      },
      assert_all_told);
}

}  // namespace
}  // namespace paperboy::broker::shm

int main() {
  using namespace paperboy::broker::shm;
  const CMUnitTest tests[] = {
      cmocka_unit_test(any_step_of_entering_and_leaving),
      cmocka_unit_test(any_step_of_sweeping_up_after_the_dead),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
