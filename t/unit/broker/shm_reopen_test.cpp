// A zone is taken up again after its users have gone, and after anything has
// happened to its bytes: it is sound then, or refused; never is anything read
// or written outside it, or without end.
#include <algorithm>
#include <cstring>
#include <random>
#include <vector>

#include "broker/shm_layout.hpp"
#include "broker/shm_lock.hpp"
#include "shm_support.hpp"

namespace paperboy::broker::shm {
namespace {

/// Reopens the memory of `it`, whose handle is not used any more.
Result<Zone> reopen(TestZone& it, const Options& options = small_options()) {
  return Zone::reopen(it.memory.bytes(), options, it.clock, it.waker);
}

/// A publication that is kept; large ones in several blocks.
bool put(Zone& zone, Bytes channel, std::size_t size) {
  const std::string data(size, 'x');
  return zone.publish({.channel = channel, .data = data, .keep = {.count = 5}})
      .ok();
}

/// Nothing that a process held is released: as after its end.
struct Left {
  Left() {
    child = spawn([this] {
      const SeatIndex seat = it.zone.claim_seat().value();
      const auto news = it.zone.subscribe(seat, "news", 0);
      assert_true(it.zone.enter(seat, news->ref, {.client = "c"}, true).ok());
      for (int i = 0; i < 20; i++) {
        const std::string name = "channel" + std::to_string(i % 7);
        assert_true(put(it.zone, name, 10 + 3000 * (i % 3)));
      }
      assert_true(put(it.zone, "news", 5));
    });
    wait_for(child);
  }

  TestZone it;
  pid_t child = 0;
};

void what_was_there_goes_on(void**) {
  Left left;
  const Position before = left.it.zone.position("news").value();
  auto zone = reopen(left.it);
  assert_true(zone.ok());
  assert_null(zone->check());
  assert_int_equal(zone->stats().seats_taken, 0);
  assert_int_equal(zone->sum(Counter::connections), 0);
  assert_int_equal(zone->presence_stats("news")->clients, 0);
  const auto after = zone->publish({.channel = "news", .data = "next"});
  assert_true(after.ok());
  assert_true(after->position.epoch == before.epoch);
  assert_int_equal(after->position.offset, before.offset + 1);
  assert_int_equal(after->subscribers, 0);
  const auto kept = zone->history("channel6", {});
  assert_true(kept.ok());
  assert_int_equal(kept->publications.size(), 2);
}

void a_publication_is_not_made_again(void**) {
  Left left;
  const Draft draft{
      .channel = "news", .data = "once", .idempotency_key = "key"};
  const Position first = left.it.zone.publish(draft)->position;
  const auto again = reopen(left.it)->publish(draft);
  assert_true(again->repeated);
  assert_true(again->position == first);
}

void the_zones_time_goes_on(void**) {
  const Left left;
  const std::uint64_t before = left.it.zone.time_ms();
  // Of one boot: the clock counts the time between.
  ManualClock clock;
  clock.now += 5000;
  CountingWaker waker;
  const auto again = [&](std::optional<std::uint64_t> left_at) {
    return Zone::reopen(left.it.memory.bytes(), small_options(), clock, waker,
                        left_at)
        ->time_ms();
  };
  assert_int_equal(again({}), before + 5000);
  // Of another: it never goes back.
  clock.now = 17;
  assert_int_equal(again(before + 6000), before + 6000);
  clock.now = 20;
  assert_int_equal(again({}), before + 6003);
}

void a_lock_that_its_owner_took_along_is_free(void**) {
  Left left;
  wait_for(spawn([&] {
    step_hook = [] { kill(getpid(), SIGKILL); };
    (void)left.it.zone.publish({.channel = "news", .data = "never"});
  }));
  auto zone = reopen(left.it);
  assert_true(zone.ok());
  assert_true(zone->publish({.channel = "news", .data = "next"}).ok());
}

/// At any step: as the lock's next owner would find it.
void a_half_done_change_is_undone(void**) {
  static long left_steps;
  for (long steps = 1;; steps++) {
    Left left;
    const pid_t child = spawn([&] {
      left_steps = steps;
      step_hook = [] {
        if (--left_steps == 0) kill(getpid(), SIGKILL);
      };
      (void)put(left.it.zone, "another", 9000);
    });
    const bool killed = wait_for(child) == SIGKILL;
    auto zone = reopen(left.it);
    assert_true(zone.ok());
    assert_null(zone->check());
    const auto after = zone->publish({.channel = "another", .data = "message"});
    assert_true(after.ok());
    assert_true(after->position.offset == 1 || after->position.offset == 2);
    if (!killed) {
      assert_int_equal(after->position.offset, 2);
      break;
    }
  }
}

void another_layout_is_refused(void**) {
  Left left;
  Options other = small_options();
  other.seats = 4;
  assert_false(reopen(left.it, other).ok());
  other = small_options();
  other.log_size *= 2;
  assert_false(reopen(left.it, other).ok());
  assert_true(reopen(left.it).ok());
}

void other_bytes_are_refused(void**) {
  const Options options = small_options();
  const SharedMemory memory(Zone::minimum_size(options));
  const ManualClock clock;
  CountingWaker waker;
  const auto again = [&] {
    return Zone::reopen(memory.bytes(), options, clock, waker).ok();
  };
  assert_false(again());
  std::minstd_rand random(1);
  for (std::byte& byte : memory.bytes()) {
    byte = static_cast<std::byte>(random());
  }
  assert_false(again());
  // The words that are looked at first are right, nothing else is.
  Header& header = *memory.as<Header>();
  header.magic = kMagic;
  header.version = kVersion;
  header.counters = kCounters;
  assert_false(again());
}

/// What a channel keeps begins far outside the zone: not even looked at.
void a_first_message_outside_is_refused(void**) {
  Left left;
  const View view(left.it.memory.bytes().data());
  int found = 0;
  for (std::uint64_t b = 0; b < view.geometry().buckets; b++) {
    for (Ref ref = view.buckets()[b]; ref != 0;
         ref = view.block<Channel>(ref)->next) {
      const Ref annex = view.block<Channel>(ref)->annex();
      if (annex == 0) continue;
      view.block<Annex>(annex)->first = UINT32_MAX;
      found++;
    }
  }
  assert_true(found > 0);
  assert_int_equal(wait_for(spawn([&] { _exit(reopen(left.it) ? 0 : 1); })),
                   -1);
}

/// Works in a child: what could crash or loop would do it there.
int use(TestZone& it) {
  return wait_for(spawn([&] {
    alarm(20);
    auto zone = reopen(it);
    if (!zone) _exit(1);
    const auto seat = zone->claim_seat();
    if (!seat) _exit(2);
    Notes notes;
    for (int i = 0; i < 30; i++) {
      const std::string name = "channel" + std::to_string(i);
      (void)zone->subscribe(*seat, name);
      (void)put(*zone, name, 1000 + 4000 * (i % 2));
      (void)zone->history(name, {});
      (void)zone->drain(*seat, {}, notes);
    }
    _exit(0);
  }));
}

void flipped_bits_are_refused_or_harmless(void**) {
  const Left left;
  const auto bytes = left.it.memory.bytes();
  const std::vector<std::byte> good(bytes.begin(), bytes.end());
  // The header, and what is in use behind it; all of it but the log's bytes.
  const std::size_t end = left.it.memory.as<Header>()->geometry.log_at;
  std::minstd_rand random(42);
  TestZone broken;
  int refused = 0;
  int taken = 0;
  for (int round = 0; round < 800; round++) {
    const auto to = broken.memory.bytes();
    std::copy(good.begin(), good.end(), to.begin());
    // Where something stands, a flip is more telling.
    std::size_t at = 0;
    do {
      at = random() % (round % 2 == 0 ? sizeof(Header) : end);
    } while (round % 4 != 0 && good[at] == std::byte{0});
    to[at] ^= std::byte(1U << random() % 8);
    const int code = use(broken);
    if (code != 0 && code != -1) fail_msg("flip at %zu: ended by %d", at, code);
    (code == 0 ? taken : refused)++;
  }
  assert_true(refused > 30);
  assert_true(taken > 50);
}

}  // namespace
}  // namespace paperboy::broker::shm

int main() {
  using namespace paperboy::broker::shm;
  const CMUnitTest tests[] = {
      cmocka_unit_test(what_was_there_goes_on),
      cmocka_unit_test(a_publication_is_not_made_again),
      cmocka_unit_test(the_zones_time_goes_on),
      cmocka_unit_test(a_lock_that_its_owner_took_along_is_free),
      cmocka_unit_test(a_half_done_change_is_undone),
      cmocka_unit_test(another_layout_is_refused),
      cmocka_unit_test(other_bytes_are_refused),
      cmocka_unit_test(a_first_message_outside_is_refused),
      cmocka_unit_test(flipped_bits_are_refused_or_harmless),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
