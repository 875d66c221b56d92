// kill -9 at every step of every operation (shm_kill.hpp). The same is done
// between single instructions, at a sample of them, with ptrace.

#include <sys/ptrace.h>

#include <algorithm>

#include "shm_kill.hpp"

namespace paperboy::broker::shm {
namespace {

/// Fills the arena until channels are evicted: with large ones, so that a page
/// for others is had by evicting sixteen.
void fill_arena(Scene& scene) {
  for (int i = 0; scene.zone().stats().evictions == 0; i++) {
    const std::string name = std::string(900, 'f') + std::to_string(i);
    (void)scene.zone().publish(name, Kind::text, "");
    Notes notes;
    (void)scene.zone().drain(scene.reader, {}, notes);
  }
}

void publish_many(Scene& scene) {
  const std::string data(16000, 'x');
  for (int i = 0; i < 4; i++) {
    (void)scene.zone().publish("other", Kind::binary, data);
  }
}

/// More seats of the parent's that want it: the reader's fills a channel's own
/// room, and with seven more its first block.
std::function<void(Scene&)> seats_on(const char* name, int number) {
  return [=](Scene& scene) {
    for (int i = 0; i < number; i++) {
      (void)scene.zone().subscribe(scene.it.claim(), name);
    }
  };
}

void subscribe_new(Scene& s, SeatIndex seat) {
  (void)s.zone().subscribe(seat, "fresh");
}
void subscribe_news(Scene& s, SeatIndex seat) {
  (void)s.zone().subscribe(seat, "news");
}
void unsubscribe_news(Scene& s, SeatIndex seat) {
  const auto ref = s.zone().subscribe(seat, "news").value().ref;
  (void)s.zone().unsubscribe(seat, ref);
  (void)s.zone().unsubscribe(seat, ref);
}
void publish_news(Scene& s, SeatIndex) {
  (void)s.zone().publish("news", Kind::text, "hello");
}
void publish_large(Scene& s, SeatIndex) {
  (void)s.zone().publish("news", Kind::text, std::string(16000, 'y'));
}
void publish_new(Scene& s, SeatIndex) {
  (void)s.zone().publish(
      "a channel with a name that is rather long, so that "
      "its block comes from another page",
      Kind::text, "hello");
}
void publish_unread(Scene& s) {
  (void)s.zone().publish("news", Kind::text, "unread");
}
/// So that the next use of "news", which is the oldest, moves it.
void grow_older(Scene& s) {
  (void)s.zone().publish("other", Kind::text, "");
  s.it.clock.now += 2000;
  (void)s.zone().publish("older", Kind::text, "");
  (void)s.zone().publish("other", Kind::text, "");
}
void claim(Scene& s, SeatIndex) { (void)s.zone().claim_seat(); }
void release(Scene& s, SeatIndex seat) { s.zone().release_seat(seat); }
void reap(Scene& s, SeatIndex) { (void)s.zone().reap_dead_seats(); }

void leave_a_dead_seat(Scene& scene) {
  wait_for(spawn([&scene] {
    const SeatIndex seat = scene.zone().claim_seat().value();
    (void)scene.zone().subscribe(seat, "news");
  }));
}

const std::vector<Operation>& operations() {
  static const std::vector<Operation> all = {
      {"subscribe, new channel", nothing, nothing_either, subscribe_new},
      {"subscribe, again", nothing, subscribe_news, subscribe_news},
      {"subscribe, interest moves out", nothing, nothing_either,
       subscribe_news},
      {"subscribe, third seat", seats_on("news", 1), nothing_either,
       subscribe_news},
      {"subscribe, interest moves again", seats_on("news", 7), nothing_either,
       subscribe_news},
      {"subscribe, dead interest", leave_a_dead_seat, nothing_either,
       subscribe_news},
      {"subscribe, full arena", fill_arena, nothing_either, subscribe_new},
      {"unsubscribe", nothing, subscribe_news, unsubscribe_news},
      {"unsubscribe, interest moves in", nothing, nothing_either,
       unsubscribe_news},
      {"unsubscribe, third seat", seats_on("news", 1), nothing_either,
       unsubscribe_news},
      {"publish", nothing, nothing_either, publish_news},
      {"publish, to a reader at work", publish_unread, nothing_either,
       publish_news},
      {"publish, moving to the newest", grow_older, nothing_either,
       publish_news},
      {"publish, padding and room", publish_many, nothing_either,
       publish_large},
      {"publish, new channel", nothing, nothing_either, publish_new},
      {"publish, evicting", fill_arena, nothing_either, publish_new},
      {"publish, dead interest", leave_a_dead_seat, nothing_either,
       publish_news},
      {"claim", nothing, nothing_either, claim},
      {"claim, a dead one's", leave_a_dead_seat, nothing_either, claim},
      {"release", nothing, subscribe_news, release},
      {"reap", leave_a_dead_seat, nothing_either, reap},
  };
  return all;
}

void any_step_of_any_operation(void**) { kill_at_any_step(operations()); }

/// Who recovers is killed too, at any of its steps.
void any_step_of_the_recovery(void**) {
  const Operation recover{"recovery", nothing, nothing_either, claim};
  for (const char* name : {"publish", "subscribe, interest moves out"}) {
    const auto operation = std::find_if(
        operations().begin(), operations().end(),
        [&](const Operation& o) { return std::string(o.name) == name; });
    long kills = 0;
    bool first_killed = true;
    for (long n = 1; first_killed; n += 5) {
      bool second_killed = true;
      for (long m = 1; second_killed && first_killed; m += 2) {
        Scene scene;
        operation->in_parent(scene);
        first_killed = killed_at(scene, *operation, n);
        const int ended = wait_for(spawn([&] {
          steps_left = m;
          step_hook = count_down;
          (void)scene.zone().reap_dead_seats();
        }));
        second_killed = ended == SIGKILL;
        kills++;
        assert_usable(scene, name);
      }
    }
    print_message("           %s: %ld pairs of kills\n", name, kills);
  }
}

/// A child that does `act` one instruction at a time, killed at its nth; the
/// number that it did, less if it ended before.
long stepped(Scene& scene, const Operation& operation, long n) {
  const pid_t pid = spawn([&] {
    const SeatIndex seat = scene.zone().claim_seat().value();
    operation.before(scene, seat);
    if (ptrace(PTRACE_TRACEME, 0, nullptr, nullptr) != 0) {
      _exit(77);
    }
    raise(SIGSTOP);
    operation.act(scene, seat);
  });
  int status = 0;
  assert_int_equal(waitpid(pid, &status, 0), pid);
  if (WIFEXITED(status) && WEXITSTATUS(status) == 77) {
    return -1;
  }
  long done = 0;
  while (WIFSTOPPED(status) && done < n &&
         ptrace(PTRACE_SINGLESTEP, pid, nullptr, nullptr) == 0) {
    assert_int_equal(waitpid(pid, &status, 0), pid);
    done++;
  }
  if (WIFSTOPPED(status)) {
    kill(pid, SIGKILL);
    assert_int_equal(waitpid(pid, &status, 0), pid);
  }
  return done;
}

void any_instruction(void**) {
  for (const char* name : {"publish", "subscribe, new channel"}) {
    const auto operation = std::find_if(
        operations().begin(), operations().end(),
        [&](const Operation& o) { return std::string(o.name) == name; });
    Scene whole;
    operation->in_parent(whole);
    const long total = stepped(whole, *operation, 200'000);
    if (total < 0) {
      print_message("           no ptrace here\n");
      skip();
    }
    // A sanitizer's instructions are many more.
    const long samples = std::clamp(90'000 / total, 2L, 8L);
    for (long i = 0; i < samples; i++) {
      Scene scene;
      operation->in_parent(scene);
      (void)stepped(scene, *operation, total * (2 * i + 1) / (2 * samples));
      assert_usable(scene, name);
    }
    print_message("           %s: %ld of %ld instructions\n", name, samples,
                  total);
  }
}

}  // namespace
}  // namespace paperboy::broker::shm

int main() {
  using namespace paperboy::broker::shm;
  const CMUnitTest tests[] = {
      cmocka_unit_test(any_step_of_any_operation),
      cmocka_unit_test(any_step_of_the_recovery),
      cmocka_unit_test(any_instruction),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
