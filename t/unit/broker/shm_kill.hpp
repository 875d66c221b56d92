// Who is killed at the nth step of an operation, and what has to be true then:
// whatever was half done is undone or completed by the next to come, and the
// zone is sound and usable.
//
// A step is a point between two stores (step() in shm_lock.hpp).
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "broker/shm_lock.hpp"
#include "broker/shm_support.hpp"

namespace paperboy::broker::shm {

inline long steps_left;

inline void count_down() {
  if (--steps_left == 0) {
    kill(getpid(), SIGKILL);
  }
}

/// Who is there before the kill: a reader in the parent, and the child's seat.
struct Scene {
  Scene() {
    reader = it.claim();
    top = zone().subscribe(reader, "news").value().top;
  }

  Zone& zone() { return it.zone; }

  static Options options() {
    Options options = small_options();
    options.seats = 16;
    return options;
  }

  TestZone it{options()};
  SeatIndex reader = 0;
  Position top;
  std::vector<std::string> events;  // that were read
};

/// What a child does: `before` isn't killed, `act` is.
struct Operation {
  const char* name;
  std::function<void(Scene&)> in_parent;
  std::function<void(Scene&, SeatIndex)> before;
  std::function<void(Scene&, SeatIndex)> act;
};

inline void nothing(Scene&) {}
inline void nothing_either(Scene&, SeatIndex) {}

/// Follows "news", whose offsets come one after the other from where it is or
/// an anchor says.
class Follower final : public Visitor {
 public:
  explicit Follower(Position& top) : top_(top) {}

  void visit(ChannelRef ref, const Publication& it) override {
    notes.visit(ref, it);
    if (it.channel != "news") return;
    if (it.event == Event::anchor) {
      top_ = it.position;
    } else if (it.event == Event::message && it.position.epoch == top_.epoch &&
               it.position.offset != ++top_.offset) {
      wrong = it.position.offset;
    }
  }

  Notes notes;
  std::uint64_t wrong = 0;

 private:
  Position& top_;
};

/// What is there to be read comes in order, once.
inline void read(Scene& scene, const char* what) {
  Follower follower(scene.top);
  Drained drained = Drained::more;
  while (drained == Drained::more) {
    drained = scene.zone().drain(scene.reader, {}, follower);
  }
  if (drained != Drained::empty) {
    fail_msg("%s: overrun", what);
  }
  const auto& events = follower.notes.events;
  scene.events.insert(scene.events.end(), events.begin(), events.end());
  if (follower.wrong != 0) fail_msg("%s: offset %zu", what, follower.wrong);
}

/// And what is published is there, whole or not at all.
inline void assert_read(Scene& scene, const char* what) {
  read(scene, what);
  const Position now = scene.zone().position("news").value();
  if (now != scene.top) {
    fail_msg("%s: read to %zu of %zu", what, scene.top.offset, now.offset);
  }
}

inline void assert_usable(Scene& scene, const char* what) {
  // Before anybody recovers: what is read now must not be taken back.
  read(scene, what);
  for (int i = 0; i < 2; i++) {
    const char* wrong = scene.zone().check();
    if (wrong != nullptr) {
      fail_msg("%s: %s", what, wrong);
    }
    assert_read(scene, what);
    const auto published = scene.zone().publish("news", Kind::text, "after");
    assert_true(published.ok());
    assert_true(published->subscribers >= 1);
    assert_read(scene, what);
    assert_true(scene.zone().subscribe(scene.reader, "fresh").ok());
    const SeatIndex seat = scene.it.claim();
    assert_true(scene.zone().subscribe(seat, "news").ok());
    assert_true(scene.zone().publish("news", Kind::text, "two").ok());
    scene.it.release(seat);
    (void)scene.zone().reap_dead_seats();
  }
}

/// What is kept of "news" has no hole, and ends with what was published last.
inline void assert_contiguous(Scene& scene, const char* what) {
  const auto page = scene.zone().history("news", {}).value();
  if (page.publications.empty()) return;
  const Position before{page.top.epoch,
                        page.publications.front().position.offset - 1};
  if (!is_complete(page, before)) fail_msg("%s: a hole in history", what);
}

/// The child, killed at its nth step. False: it had fewer.
inline bool killed_at(Scene& scene, const Operation& operation, long n) {
  const int ended = wait_for(spawn([&] {
    const SeatIndex seat = scene.zone().claim_seat().value();
    operation.before(scene, seat);
    steps_left = n;
    step_hook = count_down;
    operation.act(scene, seat);
  }));
  assert_true(ended == SIGKILL || ended == 0);
  return ended == SIGKILL;
}

/// Each, killed at any of its steps; `assert_more` holds afterwards too.
inline void kill_at_any_step(const std::vector<Operation>& operations,
                             const std::function<void(Scene&, const char*)>&
                                 assert_more = assert_contiguous) {
  for (const Operation& operation : operations) {
    long n = 1;
    for (bool killed = true; killed; n += 1 + n / 25) {
      Scene scene;
      operation.in_parent(scene);
      killed = killed_at(scene, operation, n);
      read(scene, operation.name);
      assert_more(scene, operation.name);
      assert_usable(scene, operation.name);
    }
    print_message("           %s: to step %ld\n", operation.name, n);
    assert_true(n > 3);
  }
}

}  // namespace paperboy::broker::shm
