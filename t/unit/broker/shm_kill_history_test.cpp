// kill -9 at every step (shm_kill.hpp) of what keeps publications and lets
// them go: a publication is kept if and only if it was published.

#include "shm_kill.hpp"

namespace paperboy::broker::shm {
namespace {

constexpr Retention kMany{.count = 100'000};
constexpr Retention kTwo{.count = 2};
constexpr Retention kPinned{.count = 2, .pinned = true};

void drain(Scene& scene) {
  Notes notes;
  (void)scene.zone().drain(scene.reader, {}, notes);
  scene.top = scene.zone().position("news").value();
}

bool keep(Scene& scene, Bytes channel, std::size_t size,
          const Retention& keep) {
  const std::string data(size, 'x');
  return scene.zone()
      .publish({.channel = channel, .data = data, .keep = keep})
      .ok();
}

std::function<void(Scene&)> kept_before(std::size_t size, int number) {
  return [=](Scene& scene) {
    for (int i = 0; i < number; i++) {
      assert_true(keep(scene, "news", size, kTwo));
      drain(scene);
    }
  };
}

std::function<void(Scene&, SeatIndex)> keeping(Bytes channel, std::size_t size,
                                               const Retention& rule) {
  return
      [=](Scene& scene, SeatIndex) { (void)keep(scene, channel, size, rule); };
}

std::function<void(Scene&)> full_history(std::size_t size) {
  return [=](Scene& scene) {
    while (scene.zone().stats().history_evictions == 0) {
      assert_true(keep(scene, "other", size, kMany));
      drain(scene);
    }
    assert_true(keep(scene, "news", 10, kMany));
    drain(scene);
  };
}

/// Of channels that nobody listens to, with something kept.
void full_arena(Scene& scene) {
  for (int i = 0; scene.zone().stats().arena_free > 0; i++) {
    assert_true(keep(scene, "idle" + std::to_string(i), 10, kMany));
    drain(scene);
  }
}

void some_over_their_age(Scene& scene) {
  for (int i = 0; i < 3; i++) {
    const Retention rule{.count = 10, .age_ms = 1000};
    assert_true(keep(scene, "news", 5000, rule));
    assert_true(keep(scene, "other" + std::to_string(i), 10, rule));
    drain(scene);
  }
  scene.it.clock.now += 5000;
}

void forget(Scene& scene, SeatIndex) {
  (void)scene.zone().remove_history("news");
}
void sweep(Scene& scene, SeatIndex) { scene.zone().sweep(); }
void read_history(Scene& scene, SeatIndex) {
  (void)scene.zone().history("news", {});
}
void subscribe_new(Scene& scene, SeatIndex seat) {
  (void)scene.zone().subscribe(seat, std::string(300, 'n'));
}

void any_step_of_keeping(void**) {
  kill_at_any_step({
      {"keep, the first", nothing, nothing_either, keeping("news", 10, kTwo)},
      {"keep, another", kept_before(10, 1), nothing_either,
       keeping("news", 10, kTwo)},
      {"keep, a new channel's", nothing, nothing_either,
       keeping("new", 10, kTwo)},
      {"keep, a long one", nothing, nothing_either,
       keeping("news", 15'000, kTwo)},
      {"keep, in place of another", kept_before(10, 2), nothing_either,
       keeping("news", 10, kTwo)},
      {"keep, in place of a long one", kept_before(15'000, 2), nothing_either,
       keeping("news", 15'000, kTwo)},
      {"keep, a lesser rule", kept_before(10, 2), nothing_either,
       keeping("news", 10, {.count = 1, .bytes = 5})},
      {"keep, pinned", nothing, nothing_either, keeping("new", 10, kPinned)},
      {"keep, pinned beside a full history", full_history(100), nothing_either,
       keeping("new", 100, kPinned)},
  });
}

void any_step_of_making_room(void**) {
  kill_at_any_step({
      {"evict", full_history(100), nothing_either, keeping("news", 100, kMany)},
      {"evict, long ones", full_history(15'000), nothing_either,
       keeping("news", 15'000, kMany)},
      {"evict, for a long one", full_history(900), nothing_either,
       keeping("news", 15'000, kMany)},
      {"evict, refused", full_history(900), nothing_either,
       keeping("news", 900, {.count = 100'000, .evict = false})},
      {"evict, for a channel", full_arena, nothing_either, subscribe_new},
      {"evict, for a channel that keeps", full_arena, nothing_either,
       keeping("a channel that there wasn't, and is long", 3000, kTwo)},
  });
}

void any_step_of_forgetting(void**) {
  kill_at_any_step({
      {"forget", kept_before(10, 2), nothing_either, forget},
      {"forget, long ones", kept_before(15'000, 2), nothing_either, forget},
      {"sweep", some_over_their_age, nothing_either, sweep},
      {"read what is over its age", some_over_their_age, nothing_either,
       read_history},
  });
}

/// Who frees what a killed one left is killed too.
void any_step_of_the_recovery(void**) {
  const Operation operation{"keep, in place of a long one",
                            kept_before(15'000, 2), nothing_either,
                            keeping("news", 15'000, kTwo)};
  long kills = 0;
  bool first_killed = true;
  for (long n = 1; first_killed; n += 17) {
    bool second_killed = true;
    for (long m = 1; second_killed && first_killed; m += 11) {
      Scene scene;
      operation.in_parent(scene);
      first_killed = killed_at(scene, operation, n);
      second_killed = wait_for(spawn([&] {
                        steps_left = m;
                        step_hook = count_down;
                        (void)scene.zone().reap_dead_seats();
                      })) == SIGKILL;
      kills++;
      read(scene, operation.name);
      assert_contiguous(scene, operation.name);
      assert_usable(scene, operation.name);
    }
  }
  print_message("           %ld pairs of kills\n", kills);
}

}  // namespace
}  // namespace paperboy::broker::shm

int main() {
  using namespace paperboy::broker::shm;
  const CMUnitTest tests[] = {
      cmocka_unit_test(any_step_of_keeping),
      cmocka_unit_test(any_step_of_making_room),
      cmocka_unit_test(any_step_of_forgetting),
      cmocka_unit_test(any_step_of_the_recovery),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
