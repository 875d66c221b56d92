// kill -9 at every step (shm_kill.hpp) of what changes who subscribes: then
// what was told last, or is told next, is so.

#include <algorithm>
#include <array>
#include <atomic>
#include <new>

#include "broker/shm_layout.hpp"
#include "shm_kill.hpp"

namespace paperboy::broker::shm {
namespace {

/// What parent and child are told, of channels of the child's.
struct Board {
  std::atomic<std::size_t> count;
  std::array<std::uint64_t, 256> numbers;
};

class SharedTold final : public Watcher {
 public:
  SharedTold() : board_(new (memory_.as<Board>()) Board{}) {}

  void changed(const Change& change) noexcept override {
    const std::size_t at = board_->count.fetch_add(1);
    if (at < board_->numbers.size()) board_->numbers[at] = change.number;
  }

  void clear() { board_->count = 0; }

  /// In order.
  [[nodiscard]] std::vector<std::uint64_t> numbers() const {
    const auto* const first = board_->numbers.data();
    std::vector<std::uint64_t> all(first, first + board_->count.load());
    std::ranges::sort(all);
    return all;
  }

 private:
  SharedMemory memory_{sizeof(Board)};
  Board* board_;
};

SharedTold& told() {
  static SharedTold told;
  return told;
}

/// The reader's "news" is the first change.
void watch(Scene& scene) {
  told().clear();
  scene.zone().watch(&told());
  scene.zone().go_round();
}

void dead_with_channels(Scene& scene) {
  watch(scene);
  wait_for(spawn([&] {
    const SeatIndex seat = scene.zone().claim_seat().value();
    for (const char* name : {"a", "b", "news"}) {
      (void)scene.zone().subscribe(seat, name);
    }
  }));
}

void dead_and_reaped(Scene& scene) {
  dead_with_channels(scene);
  (void)scene.zone().reap_dead_seats();
}

void come(Scene& scene, SeatIndex seat) {
  (void)scene.zone().subscribe(seat, "a");
}

void come_and_go(Scene& scene, SeatIndex seat) {
  const auto ref = scene.zone().subscribe(seat, "a")->ref;
  (void)scene.zone().unsubscribe(seat, ref);
}

void reap(Scene& scene, SeatIndex) { (void)scene.zone().reap_dead_seats(); }
void go_round(Scene& scene, SeatIndex) { scene.zone().go_round(); }
void claim(Scene& scene, SeatIndex) { (void)scene.zone().claim_seat(); }
void decide(Scene& scene, SeatIndex) { scene.zone().watch(&told()); }
void give_up(Scene& scene, SeatIndex) { scene.zone().stop_watching(); }

/// Without the watcher, as one that ends.
void leave_unwatched(Scene& scene, SeatIndex seat) {
  scene.zone().stop_watching();
  come_and_go(scene, seat);
  scene.zone().release_seat(seat);
}

/// All children are gone: of each of their channels as many first ones were
/// counted as last ones. What isn't told of that is what the killed one was
/// just about to tell: of a round's one hold, "a" and "b".
void assert_settled(Scene& scene, const char* what) {
  for (int i = 0; i < 2; i++) {
    (void)scene.zone().reap_dead_seats();
    scene.zone().go_round();
  }
  const auto& header = View(scene.it.memory.bytes().data()).header().directory;
  if (header.round_left != 0) fail_msg("%s: a round goes on", what);
  if (header.changes % 2 != 1) fail_msg("%s: one is left", what);
  const auto numbers = told().numbers();
  if (std::ranges::adjacent_find(numbers) != numbers.end()) {
    fail_msg("%s: a number came twice", what);
  }
  if (numbers.empty() || numbers.front() != 1 ||
      numbers.back() > header.changes || numbers.size() + 2 < header.changes) {
    fail_msg("%s: %zu of %zu were told", what, numbers.size(),
             static_cast<std::size_t>(header.changes));
  }
  for (const char* name : {"a", "b"}) {
    assert_int_equal(scene.zone().subscribers(name), 0);
  }
}

void any_step_of_coming_and_going(void**) {
  kill_at_any_step(
      {
          {"come", watch, nothing_either, come},
          {"come and go", watch, nothing_either, come_and_go},
          {"come, another", watch, come, come},
          {"come in a dead one's place", dead_and_reaped, nothing_either,
           come_and_go},
          {"leave unwatched", watch, nothing_either, leave_unwatched},
      },
      assert_settled);
}

void any_step_of_finding_out(void**) {
  kill_at_any_step(
      {
          {"reap", dead_with_channels, nothing_either, reap},
          {"claim", dead_with_channels, nothing_either, claim},
          {"a round", dead_and_reaped, nothing_either, go_round},
          {"decide", dead_and_reaped, give_up, decide},
      },
      assert_settled);
}

}  // namespace
}  // namespace paperboy::broker::shm

int main() {
  using namespace paperboy::broker::shm;
  const CMUnitTest tests[] = {
      cmocka_unit_test(any_step_of_coming_and_going),
      cmocka_unit_test(any_step_of_finding_out),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
