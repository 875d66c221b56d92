// kill -9 at every step (shm_kill.hpp) of what brings in publications from
// elsewhere: a channel stands where it did, or where it is to stand, each with
// what is kept there, or it has no position, and nothing of it is read.

#include "shm_kill.hpp"

#include <array>

#include "broker/shm_elsewhere.hpp"

namespace paperboy::broker::shm {
namespace {

/// A channel's position, and what is kept.
struct State {
  Position top;
  std::string kept;

  friend bool operator==(const State&, const State&) = default;
};

State state(Scene& scene) {
  return {scene.zone().position("news").value(), kept(scene.zone())};
}

bool anchor(Scene& scene, std::uint64_t offset,
            const std::vector<Recent>& recent = {}) {
  return scene.zone().anchor("news", {kEpoch, offset}, recent, kThousands).ok();
}

/// Whatever it was, the next relay anchors it.
void assert_anchored_again(Scene& scene, const char* what) {
  const auto subscribed =
      scene.zone().subscribe(scene.reader, "news", 0, Anchor::later);
  assert_true(subscribed.ok());
  assert_true(anchor(scene, 2000, window(1996, 2000)));
  assert_text(kept(scene.zone()), "1996 1997 1998 1999 2000 of 2000");
  read(scene, what);
  if (scene.top != Position{kEpoch, 2000}) fail_msg("%s: not told", what);
}

struct Case {
  Operation operation;
  bool between = false;  // it may be left without a position
  bool told = true;      // by an anchor
};

/// Killed or not, it is as before, or as after, or without a position.
void before_or_after(const std::vector<Case>& cases) {
  for (const Case& it : cases) {
    State before;
    State after;
    {
      Scene scene;
      it.operation.in_parent(scene);
      before = state(scene);
      it.operation.act(scene, scene.it.claim());
      after = state(scene);
    }
    bool between = false;
    kill_at_any_step({it.operation}, [&](Scene& scene, const char* what) {
      const char* wrong = scene.zone().check();
      if (wrong != nullptr) fail_msg("%s: %s", what, wrong);
      const State now = state(scene);
      // By position() somebody has recovered: what is there is told.
      read(scene, what);
      if (now == State{{}, "of 0"}) {
        between = true;
      } else if (now != before && now != after) {
        fail_msg("%s: at %zu, \"%s\"", what, now.top.offset, now.kept.c_str());
      } else if (it.told && scene.top != now.top) {
        fail_msg("%s: at %zu, told %zu", what, now.top.offset,
                 scene.top.offset);
      }
      assert_anchored_again(scene, what);
    });
    if (between != it.between) {
      fail_msg("%s: was it without a position?", it.operation.name);
    }
  }
}

void without_window(Scene& scene) {
  assert_true(anchor(scene, 5));
  read(scene, "before");
}

std::function<void(Scene&)> with_window(std::uint64_t last,
                                        std::size_t size = 0) {
  return [=](Scene& scene) {
    assert_true(anchor(scene, last, window(1, last, size)));
    read(scene, "before");
  };
}

/// Others' messages, which have to go.
void full_history(Scene& scene) {
  const std::string data(900, 'x');
  while (scene.zone().stats().history_evictions == 0) {
    assert_true(
        scene.zone()
            .publish({.channel = "other", .data = data, .keep = kThousands})
            .ok());
    read(scene, "before");
  }
  without_window(scene);
}

/// By one who was killed.
void half_a_window(Scene& scene) {
  const auto recent = window(1, 300);
  Slowly slowly(scene.it);
  Anchoring anchoring("news", {kEpoch, 300}, recent, kThousands);
  assert_false(slowly.go_on(anchoring));
}

void leave_a_dead_seat(Scene& scene) {
  without_window(scene);
  wait_for(spawn([&scene] {
    const SeatIndex seat = scene.zone().claim_seat().value();
    (void)scene.zone().subscribe(seat, "news", 0, Anchor::later);
  }));
}

std::function<void(Scene&, SeatIndex)> anchoring(std::uint64_t first,
                                                 std::uint64_t last,
                                                 std::size_t size = 0) {
  return [=](Scene& scene, SeatIndex) {
    (void)anchor(scene, last, window(first, last, size));
  };
}

std::function<void(Scene&, SeatIndex)> importing(std::uint64_t offset,
                                                 std::size_t size = 0) {
  return [=](Scene& scene, SeatIndex) {
    const std::string data = made(offset) + std::string(size, 'x');
    (void)scene.zone().import(
        {.channel = "news", .data = data, .keep = {.count = 3}},
        {kEpoch, offset});
  };
}

void import_event(Scene& scene, SeatIndex) {
  (void)scene.zone().import(
      {.channel = "news", .event = Event::join, .data = "x"}, {kEpoch, 5});
}

void anchor_again(Scene& scene, SeatIndex) { (void)anchor(scene, 5); }
void anchor_elsewhere(Scene& scene, SeatIndex) { (void)anchor(scene, 9); }

void nobody_wants_it(Scene& scene) {
  with_window(5)(scene);
  const auto ref =
      scene.zone().subscribe(scene.reader, "news", 0, Anchor::later)->ref;
  (void)scene.zone().unsubscribe(scene.reader, ref);
  (void)scene.zone().unsubscribe(scene.reader, ref);
}

void release(Scene& scene, SeatIndex) { (void)scene.zone().release("news"); }

void subscribe_now(Scene& scene, SeatIndex seat) {
  (void)scene.zone().subscribe(seat, "news", 0, Anchor::now);
}

void subscribe_new(Scene& scene, SeatIndex seat) {
  (void)scene.zone().subscribe(seat, "fresh", 0, Anchor::later);
}

void any_step_of_an_anchor(void**) {
  before_or_after({
      {{"anchor", nothing, nothing_either, anchor_elsewhere}},
      {{"anchor, again", without_window, nothing_either, anchor_again}},
      {{"anchor, another position", without_window, nothing_either,
        anchor_elsewhere}},
      {{"anchor, forgetting", with_window(5), nothing_either, anchor_elsewhere},
       true},
      {{"anchor, dead interest", leave_a_dead_seat, nothing_either,
        anchor_elsewhere}},
  });
}

void any_step_of_a_window(void**) {
  before_or_after({
      {{"window", without_window, nothing_either, anchoring(4, 7)}, true},
      {{"window, instead of another", with_window(5), nothing_either,
        anchoring(6, 8)},
       true},
      {{"window, a longer one", without_window, nothing_either,
        anchoring(1, 5)},
       true},
      {{"window, long messages", with_window(2, 9000), nothing_either,
        anchoring(3, 5, 9000)},
       true},
      {{"window, in several holds", with_window(300), nothing_either,
        anchoring(1, 301)},
       true},
      {{"window, evicting", full_history, nothing_either, anchoring(1, 9)},
       true},
      {{"window, after half of one", half_a_window, nothing_either,
        anchoring(2, 4)},
       true},
  });
}

void any_step_of_an_import(void**) {
  before_or_after({
      {{"import", without_window, nothing_either, importing(6)}},
      {{"import, another", with_window(5), nothing_either, importing(6)}},
      {{"import, a long one", with_window(5, 9000), nothing_either,
        importing(6, 15'000)}},
      {{"import, evicting", full_history, nothing_either,
        importing(6, 15'000)}},
      {{"import, dead interest", leave_a_dead_seat, nothing_either,
        importing(6)}},
      {{"import, an event", without_window, nothing_either, import_event}},
  });
}

void any_step_around_it(void**) {
  before_or_after({
      {{"release", nobody_wants_it, nothing_either, release}, true},
      {{"subscribe, half a window", half_a_window, nothing_either,
        subscribe_now},
       true,
       false},
      {{"subscribe, a new channel", without_window, nothing_either,
        subscribe_new}},
  });
}

/// The child, stopped at its nth step; 0: it had fewer.
pid_t stopped_at(Scene& scene, const Position& at, long n) {
  static long left;
  const pid_t pid = spawn([&] {
    left = n;
    step_hook = [] {
      if (--left == 0) raise(SIGSTOP);
    };
    (void)scene.zone().anchor("news", at, {}, {});
  });
  int status = 0;
  assert_int_equal(waitpid(pid, &status, WUNTRACED), pid);
  return WIFSTOPPED(status) ? pid : 0;
}

// The lock can't be had then.
void a_position_that_is_being_set_is_never_taken_for_passed(void**) {
  const std::array<Position, 2> each = {Position{kEpoch, 1000},
                                        Position{78, 5}};
  for (const bool back : {false, true}) {
    const Position from = each[back ? 1 : 0];
    const Position to = each[back ? 0 : 1];
    bool set = false;
    pid_t pid = 1;
    for (long n = 1; pid != 0; n++) {
      Scene scene;
      const ChannelRef ref = scene.zone().subscribe(scene.reader, "news")->ref;
      assert_true(scene.zone().anchor("news", from, {}, {}).ok());
      pid = stopped_at(scene, to, n);
      const Position now = scene.zone().position(ref);
      // First: it would outlive a test that fails.
      if (pid != 0) {
        kill(pid, SIGKILL);
        assert_int_equal(wait_for(pid), SIGKILL);
      }
      const Position& limit = now.epoch == from.epoch ? from : to;
      assert_true(now.epoch == 0 || now.epoch == limit.epoch);
      assert_true(now.offset <= limit.offset);
      set = set || now.epoch == to.epoch;
    }
    assert_true(set);
  }
}

}  // namespace
}  // namespace paperboy::broker::shm

int main() {
  using namespace paperboy::broker::shm;
  const CMUnitTest tests[] = {
      cmocka_unit_test(any_step_of_an_anchor),
      cmocka_unit_test(any_step_of_a_window),
      cmocka_unit_test(any_step_of_an_import),
      cmocka_unit_test(any_step_around_it),
      cmocka_unit_test(a_position_that_is_being_set_is_never_taken_for_passed),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
