#include "broker/shm_seats.hpp"

#include <sys/mman.h>

#include "broker/shm_lock.hpp"
#include "shm_support.hpp"

namespace paperboy::broker::shm {
namespace {

void interest_is_one_word(void**) {
  const Interest i = interest::make(511, 0x1abcdef, 12345);
  assert_int_equal(interest::seat(i), 511);
  assert_int_equal(interest::generation(i), 0xabcdef);
  assert_int_equal(interest::count(i), 12345);
  assert_int_equal(interest::count(i + 1), 12346);
}

void seats_run_out_and_come_back(void**) {
  TestZone it;
  for (SeatIndex i = 0; i < 8; i++) assert_int_equal(it.claim(), i);
  const auto none = it.zone.claim_seat();
  assert_false(none.ok());
  assert_true(none.error().code == ErrorCode::unavailable);
  it.release(3);
  assert_int_equal(it.zone.stats().seats_taken, 7);
  assert_int_equal(it.claim(), 3);
}

/// Workers that are one with a seat, and stay until they are killed.
std::vector<pid_t> start(TestZone& it, int workers) {
  std::vector<pid_t> all;
  for (int i = 0; i < workers; i++) {
    all.push_back(spawn([&it] {
      if (!it.zone.claim_seat()) _exit(1);
      pause();
    }));
  }
  return all;
}

bool has_lock(const TestZone& it) {
  return WriterLock(View(it.memory.bytes().data())).held();
}

/// A worker that was put aside while it had the lock.
pid_t stop_with_the_lock(TestZone& it) {
  const pid_t pid = spawn([&it] {
    const WriterLock lock(View(it.memory.bytes().data()));
    raise(SIGSTOP);
  });
  int status = 0;
  assert_int_equal(waitpid(pid, &status, WUNTRACED), pid);
  assert_true(WIFSTOPPED(status));
  return pid;
}

// Others give the lock up meanwhile: who begins has nothing better to do.
void all_that_start_at_once_get_a_seat(void**) {
  Options options = small_options();
  options.seats = 32;
  TestZone it(options);
  auto workers = start(it, 16);
  while (it.zone.stats().seats_taken < 16) usleep(1000);
  const pid_t holder = stop_with_the_lock(it);
  const auto more = start(it, 16);
  workers.insert(workers.end(), more.begin(), more.end());
  for (int i = 0; i < 3; i++) {
    assert_int_equal(wait_for(spawn([&it] { _exit(has_lock(it) ? 1 : 0); })),
                     0);
  }
  kill(holder, SIGCONT);
  assert_int_equal(wait_for(holder), 0);
  int status = 0;
  while (it.zone.stats().seats_taken < 32) {
    assert_int_equal(waitpid(-1, &status, WNOHANG), 0);
    usleep(1000);
  }
  for (const pid_t pid : workers) {
    kill(pid, SIGKILL);
    assert_int_equal(wait_for(pid), SIGKILL);
  }
}

/// A worker that subscribes to `channel`, and is killed.
SeatIndex die_with_a_seat(TestZone& it, const char* channel) {
  const SharedMemory told(4096);
  wait_for(spawn([&] {
    const SeatIndex seat = it.zone.claim_seat().value();
    (void)it.zone.subscribe(seat, channel);
    Counters row(it.zone.counters(seat));
    row.add(Counter::messages_sent, 5);
    row.add(Counter::connections, 3);
    *told.as<SeatIndex>() = seat;
    kill(getpid(), SIGKILL);
  }));
  return *told.as<SeatIndex>();
}

void a_killed_workers_seat_is_taken_over(void**) {
  TestZone it;
  const SeatIndex dead = die_with_a_seat(it, "news");
  assert_int_equal(it.zone.stats().seats_taken, 1);
  assert_int_equal(it.zone.publish("news", Kind::text, "a")->subscribers, 1);
  assert_int_equal(it.claim(), dead);
  assert_int_equal(it.zone.publish("news", Kind::text, "b")->subscribers, 0);
  Notes notes;
  assert_true(it.zone.drain(dead, {}, notes) == Drained::empty);
  assert_int_equal(notes.lines.size(), 0);
}

void reaping_frees_the_seats_of_the_dead_alone(void**) {
  TestZone it;
  const SeatIndex mine = it.claim();
  (void)it.zone.subscribe(mine, "news");
  die_with_a_seat(it, "news");
  die_with_a_seat(it, "news");
  // The second found the first's seat.
  assert_int_equal(it.zone.stats().seats_taken, 2);
  assert_int_equal(it.zone.reap_dead_seats(), 1);
  assert_int_equal(it.zone.reap_dead_seats(), 0);
  assert_int_equal(it.zone.stats().seats_taken, 1);
  assert_int_equal(it.zone.publish("news", Kind::text, "a")->subscribers, 1);
}

void counts_outlive_their_worker_and_gauges_do_not(void**) {
  TestZone it;
  die_with_a_seat(it, "news");
  assert_int_equal(it.zone.sum(Counter::messages_sent), 5);
  assert_int_equal(it.zone.sum(Counter::connections), 3);
  const SeatIndex seat = it.claim();
  assert_int_equal(it.zone.sum(Counter::messages_sent), 5);
  assert_int_equal(it.zone.sum(Counter::connections), 0);
  Counters row(it.zone.counters(seat));
  row.add(Counter::messages_sent, 2);
  row.add(Counter::connections, 4);
  row.subtract(Counter::connections);
  assert_int_equal(it.zone.sum(Counter::messages_sent), 7);
  assert_int_equal(it.zone.sum(Counter::connections), 3);
  it.release(seat);
  assert_int_equal(it.zone.sum(Counter::messages_sent), 7);
  assert_int_equal(it.zone.sum(Counter::connections), 0);
}

void a_new_worker_wakes_those_who_have_something_to_read(void**) {
  TestZone it;
  const SeatIndex reader = it.claim();
  (void)it.zone.subscribe(reader, "news");
  (void)it.zone.publish("news", Kind::text, "a");
  it.waker.wakes.clear();
  const SeatIndex other = it.claim();
  assert_int_equal(it.waker.wakes[reader], 1);
  assert_int_equal(it.waker.wakes[other], 0);
}

void who_relays_is_known_while_it_is_seen(void**) {
  TestZone it;
  const SeatIndex one = it.claim();
  const SeatIndex two = it.claim();
  const auto relays = [&] {
    std::string all;
    for (const Relay& r : it.zone.relays()) {
      all += std::to_string(r.seat) + "." + std::to_string(r.generation) + " ";
    }
    return all;
  };
  assert_string_equal(relays().c_str(), "");
  it.zone.set_relay(two, true);
  it.zone.set_relay(one, true);
  assert_string_equal(relays().c_str(), "0.1 1.1 ");
  it.zone.set_relay(one, false);
  assert_string_equal(relays().c_str(), "1.1 ");
  it.clock.now += 3000;
  assert_string_equal(relays().c_str(), "1.1 ");
  it.clock.now++;
  assert_string_equal(relays().c_str(), "");
  it.zone.touch_seat(two);
  assert_string_equal(relays().c_str(), "1.1 ");
}

void the_next_in_a_seat_relays_only_if_it_says_so(void**) {
  TestZone it;
  const auto number = [&] { return it.zone.relays().size(); };
  const SeatIndex seat = it.claim();
  it.zone.set_relay(seat, true);
  it.release(seat);
  assert_int_equal(number(), 0);
  assert_int_equal(it.claim(), seat);
  assert_int_equal(number(), 0);
  it.zone.set_relay(seat, true);
  assert_true(it.zone.relays()[0] == (Relay{seat, 2}));
  it.release(seat);
  const pid_t child =
      spawn([&] { it.zone.set_relay(it.zone.claim_seat().value(), true); });
  wait_for(child);
  assert_int_equal(number(), 1);
  assert_int_equal(it.zone.reap_dead_seats(), 1);
  assert_int_equal(number(), 0);
  assert_int_equal(it.claim(), seat);
  assert_int_equal(number(), 0);
}

}  // namespace
}  // namespace paperboy::broker::shm

int main() {
  using namespace paperboy::broker::shm;
  const CMUnitTest tests[] = {
      cmocka_unit_test(interest_is_one_word),
      cmocka_unit_test(seats_run_out_and_come_back),
      cmocka_unit_test(all_that_start_at_once_get_a_seat),
      cmocka_unit_test(a_killed_workers_seat_is_taken_over),
      cmocka_unit_test(reaping_frees_the_seats_of_the_dead_alone),
      cmocka_unit_test(counts_outlive_their_worker_and_gauges_do_not),
      cmocka_unit_test(a_new_worker_wakes_those_who_have_something_to_read),
      cmocka_unit_test(who_relays_is_known_while_it_is_seen),
      cmocka_unit_test(the_next_in_a_seat_relays_only_if_it_says_so),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
