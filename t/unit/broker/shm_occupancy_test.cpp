#include "broker/shm_occupancy.hpp"

#include <algorithm>
#include <map>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "broker/shm_layout.hpp"
#include "shm_support.hpp"

namespace paperboy::broker::shm {
namespace {

using namespace std::string_literals;

/// "+news", "-news"; and their numbers.
class Told final : public Watcher {
 public:
  void changed(const Change& change) noexcept override {
    lines.push_back((change.subscribed ? "+" : "-") + change.name);
    numbers.push_back(change.number);
  }

  std::vector<std::string> take() { return std::exchange(lines, {}); }

  std::vector<std::string> lines;
  std::vector<std::uint64_t> numbers;
};

using Lines = std::vector<std::string>;

/// A worker with a handle of its own, as each process has one.
struct Worker {
  explicit Worker(TestZone& it, bool watches = true)
      : zone(Zone::attach(it.memory.bytes(), it.clock, it.waker).value()),
        seat(zone.claim_seat().value()) {
    if (watches) zone.watch(&told);
  }
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;
  ~Worker() { zone.release_seat(seat); }

  ChannelRef come(Bytes channel) {
    return zone.subscribe(seat, channel).value().ref;
  }
  void go(ChannelRef ref) { assert_true(zone.unsubscribe(seat, ref).ok()); }

  Told told;
  Zone zone;
  SeatIndex seat;
};

/// Subscribes to these, without telling it, and is killed.
void die_with(TestZone& it, const std::vector<std::string>& channels,
              Watcher* watcher = nullptr) {
  wait_for(spawn([&] {
    Zone zone = Zone::attach(it.memory.bytes(), it.clock, it.waker).value();
    const SeatIndex seat = zone.claim_seat().value();
    if (watcher != nullptr) zone.watch(watcher);
    for (const auto& name : channels) (void)zone.subscribe(seat, name);
    kill(getpid(), SIGKILL);
  }));
}

DirectoryHeader& header(const TestZone& it) {
  return View(it.memory.bytes().data()).header().directory;
}

void the_first_and_the_last_are_told_once(void**) {
  TestZone it;
  Worker one(it);
  Worker two(it);
  const auto a = one.come("news");
  assert_true(one.told.take() == Lines{"+news"});
  const auto b = one.come("news");
  const auto c = two.come("news");
  one.go(a);
  one.go(b);
  assert_true(one.told.take().empty());
  assert_true(two.told.take().empty());
  two.go(c);
  assert_true(two.told.take() == Lines{"-news"});
  const auto d = two.come("news");
  two.go(d);
  assert_true((two.told.take() == Lines{"+news", "-news"}));
  assert_true(one.told.take().empty());
  assert_true(one.told.numbers[0] < two.told.numbers[0]);
  assert_true(std::ranges::is_sorted(two.told.numbers));
  it.assert_sound();
}

void what_is_our_own_is_not_told(void**) {
  TestZone it;
  Worker one(it);
  for (const auto& name : {"\0orders"s, "\0\0user\0shop\0ann"s}) {
    one.go(one.come(name));
  }
  die_with(it, {"\0revocations"s});
  for (int i = 0; i < 3; i++) {
    (void)one.zone.reap_dead_seats();
    one.zone.go_round();
  }
  assert_true(one.told.take().empty());
  one.go(one.come("shop\0ann"s));
  assert_true((one.told.take() == Lines{"+shop\0ann"s, "-shop\0ann"s}));
  it.assert_sound();
}

void who_is_refused_was_no_subscriber(void**) {
  TestZone it;
  Worker one(it);
  Worker two(it);
  const auto ref = one.come("news");
  assert_false(two.zone.subscribe(two.seat, "news", 1).ok());
  assert_true(two.told.take().empty());
  one.go(ref);
  assert_true((one.told.take() == Lines{"+news", "-news"}));
  assert_false(one.zone.unsubscribe(one.seat, ref).ok());
  assert_true(one.told.take().empty());
}

void a_dead_workers_last_is_told_by_another(void**) {
  TestZone it;
  Worker one(it);
  const auto both = one.come("both");
  Told lost;
  die_with(it, {"both", "alone"}, &lost);
  one.go(both);
  one.zone.go_round();
  // As long as its seat is taken, it counts.
  assert_true(one.told.take() == Lines{"+both"});
  assert_int_equal(one.zone.reap_dead_seats(), 1);
  one.zone.go_round();
  auto lines = one.told.take();
  std::ranges::sort(lines);
  assert_true((lines == Lines{"-alone", "-both"}));
  one.zone.go_round();
  assert_true(one.told.take().empty());
  assert_int_equal(header(it).round_left, 0);
  it.assert_sound();
}

void who_takes_a_dead_workers_seat_tells_it_too(void**) {
  TestZone it;
  Told lost;
  die_with(it, {"news"}, &lost);
  Worker next(it);
  next.zone.go_round();
  assert_true(next.told.take() == Lines{"-news"});
}

void who_comes_in_a_dead_ones_place_changes_nothing(void**) {
  TestZone it;
  Worker one(it);
  Told lost;
  die_with(it, {"news"}, &lost);
  assert_int_equal(one.zone.reap_dead_seats(), 1);
  const auto ref = one.come("news");
  one.zone.go_round();
  assert_true(one.told.take().empty());
  one.go(ref);
  assert_true(one.told.take() == Lines{"-news"});
}

void what_others_do_unseen_is_found(void**) {
  TestZone it;
  Worker blind(it, false);
  const auto before = blind.come("before");
  Worker one(it);
  one.zone.go_round();
  assert_true(one.told.take() == Lines{"+before"});
  const auto ref = blind.come("news");
  one.zone.go_round();
  assert_true(one.told.take() == Lines{"+news"});
  blind.go(ref);
  blind.go(before);
  one.zone.go_round();
  auto lines = one.told.take();
  std::ranges::sort(lines);
  assert_true((lines == Lines{"-before", "-news"}));
  assert_true(blind.told.lines.empty());
}

void who_ends_leaves_it_to_others(void**) {
  TestZone it;
  Worker one(it);
  Worker two(it);
  (void)one.come("kept");
  const auto ref = one.come("news");
  assert_int_equal(one.told.take().size(), 2);
  one.zone.stop_watching();
  one.go(ref);
  assert_true(one.told.take().empty());
  two.zone.go_round();
  assert_true(two.told.take() == Lines{"-news"});
}

void where_nobody_watches_nothing_is_noted(void**) {
  TestZone it;
  {
    Worker one(it, false);
    one.go(one.come("news"));
    (void)one.come("other");
    one.zone.go_round();
  }
  die_with(it, {"news"});
  (void)it.zone.reap_dead_seats();
  assert_int_equal(header(it).changes, 0);
  assert_int_equal(header(it).round_left, 0);
  // Nor from when a configuration without hooks has taken over.
  Worker last(it);
  (void)last.come("news");
  assert_int_equal(header(it).changes, 1);
  Worker next(it, false);
  next.zone.watch(nullptr);
  assert_int_equal(header(it).watched, 0);
  (void)next.come("more");
  assert_int_equal(header(it).changes, 1);
  // Who stays from before goes on.
  (void)last.come("mine");
  assert_true((last.told.take() == Lines{"+news", "+mine"}));
}

std::string numbered(const char* name, int i) {
  return name + std::to_string(i);
}

/// Channels until the zone is full; all are told of, and their worker dies.
int fill_and_die(TestZone& it) {
  const SharedMemory made(4096);
  wait_for(spawn([&] {
    Told told;
    Zone zone = Zone::attach(it.memory.bytes(), it.clock, it.waker).value();
    const SeatIndex seat = zone.claim_seat().value();
    zone.watch(&told);
    int& count = *made.as<int>();
    while (zone.subscribe(seat, numbered("c", count)).ok()) count++;
    if (told.lines.size() != static_cast<std::size_t>(count)) count = -1;
  }));
  return *made.as<int>();
}

void what_is_dropped_for_want_of_room_is_told_first(void**) {
  TestZone it;
  assert_true(fill_and_die(it) > 1000);
  Worker blind(it, false);
  (void)blind.zone.reap_dead_seats();
  // One that can't tell it doesn't drop it.
  assert_false(blind.zone.subscribe(blind.seat, "more").ok());
  Worker one(it);
  const auto ref = one.zone.subscribe(one.seat, "more");
  assert_true(ref.ok());
  const auto lines = one.told.take();
  assert_true(lines.size() >= 2);
  assert_true(lines.front().starts_with("-c"));
  assert_true(lines.back() == "+more");
  it.assert_sound();
}

void where_nobody_watches_any_more_it_is_dropped(void**) {
  TestZone it;
  assert_true(fill_and_die(it) > 1000);
  Worker next(it, false);
  next.zone.watch(nullptr);
  assert_true(next.zone.subscribe(next.seat, "more").ok());
  it.assert_sound();
}

void a_round_takes_its_time(void**) {
  constexpr int kMany = 20'000;
  TestZone it(small_options(), 16 << 20);
  std::vector<std::string> names;
  for (int i = 0; i < kMany; i++) names.push_back(numbered("channel-", i));
  Worker one(it);
  Told lost;
  die_with(it, names, &lost);
  assert_int_equal(one.zone.reap_dead_seats(), 1);
  std::size_t told = 0;
  int calls = 0;
  for (; told < kMany && calls < 100; calls++) {
    one.zone.go_round();
    const std::size_t now = one.told.take().size();
    assert_true(now <= 2000 + 512);
    told += now;
  }
  assert_int_equal(told, kMany);
  assert_true(calls >= kMany / 2512);
}

/// Whoever asks for rounds all the time keeps them from no channel.
void a_round_comes_to_all_however_often_it_is_asked_for(void**) {
  TestZone it(small_options(), 128 << 20);
  std::vector<std::string> names;
  for (int i = 0; i < 300; i++) names.push_back(numbered("channel-", i));
  Worker one(it);
  Worker blind(it, false);
  Told lost;
  die_with(it, names, &lost);
  assert_int_equal(one.zone.reap_dead_seats(), 1);
  int calls = 0;
  for (; calls < 100 && one.told.lines.size() < names.size(); calls++) {
    blind.go(blind.come(numbered("blind-", calls)));
    one.zone.go_round();
  }
  assert_true(one.told.lines.size() >= names.size());
  assert_true(calls >= 10);
}

class Year2000 final : public Clock {
 public:
  [[nodiscard]] std::uint64_t monotonic_ms() const override { return 5; }
  [[nodiscard]] std::int64_t unix_seconds() const override { return seconds; }

  std::int64_t seconds = 946'684'800;
};

std::uint64_t first_number(const Clock& clock) {
  const SharedMemory memory(Zone::minimum_size(small_options()));
  CountingWaker waker;
  Told told;
  Zone zone =
      Zone::format(memory.bytes(), small_options(), clock, waker).value();
  const SeatIndex seat = zone.claim_seat().value();
  zone.watch(&told);
  (void)zone.subscribe(seat, "news");
  zone.release_seat(seat);
  assert_int_equal(told.numbers.size(), 1);
  return told.numbers[0];
}

void a_later_zone_counts_on_from_more(void**) {
  Year2000 clock;
  const std::uint64_t first = first_number(clock);
  clock.seconds++;
  assert_true(first_number(clock) - first == 1U << 20);
  clock.seconds = 4'102'444'800;  // 2100
  assert_true(first_number(clock) < 1UL << 53);
}

/// Three workers come and go at random, one of them without watching, and one
/// that dies and comes back: what is told alternates, and the last is so.
void at_random_the_highest_number_is_so(void**) {
  std::mt19937 random(7);
  TestZone it;
  Worker one(it);
  Worker two(it);
  Worker blind(it, false);
  Worker* const all[] = {&one, &two, &blind};
  std::vector<std::pair<Worker*, ChannelRef>> there;
  for (int i = 0; i < 20'000; i++) {
    if (random() % 2 == 0 && there.size() < 30) {
      Worker* const worker = all[random() % 3];
      there.emplace_back(
          worker, worker->come(numbered("c", static_cast<int>(random() % 10))));
    } else if (!there.empty()) {
      std::swap(there[random() % there.size()], there.back());
      there.back().first->go(there.back().second);
      there.pop_back();
    }
    if (random() % 50 == 0) all[random() % 3]->zone.go_round();
    if (random() % 2000 == 0) {
      die_with(it, {"c1", "c2", "only"}, &one.told);
      (void)two.zone.reap_dead_seats();
    }
  }
  one.zone.go_round();
  std::map<std::uint64_t, std::string> told;
  for (const Worker* worker : {&one, &two}) {
    for (std::size_t i = 0; i < worker->told.lines.size(); i++) {
      told[worker->told.numbers[i]] = worker->told.lines[i];
    }
  }
  std::map<std::string, char> last;
  for (const auto& [number, line] : told) {
    const std::string name = line.substr(1);
    // What the dead one told of its channels died with it.
    const bool dead = name == "c1" || name == "c2" || name == "only";
    if (!dead) assert_true(last[name] != line[0]);
    last[name] = line[0];
  }
  for (const auto& [name, sign] : last) {
    assert_int_equal(sign, one.zone.subscribers(name) > 0 ? '+' : '-');
  }
  assert_true(last.size() >= 10);
  it.assert_sound();
}

void a_file_with_a_bad_place_is_refused(void**) {
  TestZone it;
  const auto refuses = [&it](std::uint64_t& field) {
    const std::uint64_t before = std::exchange(field, std::uint64_t{1} << 60);
    assert_string_equal(it.zone.check(), "round: bad place");
    field = before;
  };
  refuses(header(it).round_at);
  refuses(header(it).round_left);
  refuses(header(it).watched);
  it.assert_sound();
}

void after_a_restart_it_is_told_who_is_gone(void**) {
  TestZone it;
  Told lost;
  die_with(it, {"news"}, &lost);
  auto zone =
      Zone::reopen(it.memory.bytes(), small_options(), it.clock, it.waker);
  assert_true(zone.ok());
  Told told;
  const SeatIndex seat = zone->claim_seat().value();
  zone->watch(&told);
  zone->go_round();
  assert_true(told.take() == Lines{"-news"});
  assert_int_equal(told.numbers[0], 2);
  zone->release_seat(seat);
}

}  // namespace
}  // namespace paperboy::broker::shm

int main() {
  using namespace paperboy::broker::shm;
  const CMUnitTest tests[] = {
      cmocka_unit_test(the_first_and_the_last_are_told_once),
      cmocka_unit_test(what_is_our_own_is_not_told),
      cmocka_unit_test(who_is_refused_was_no_subscriber),
      cmocka_unit_test(a_dead_workers_last_is_told_by_another),
      cmocka_unit_test(who_takes_a_dead_workers_seat_tells_it_too),
      cmocka_unit_test(who_comes_in_a_dead_ones_place_changes_nothing),
      cmocka_unit_test(what_others_do_unseen_is_found),
      cmocka_unit_test(who_ends_leaves_it_to_others),
      cmocka_unit_test(where_nobody_watches_nothing_is_noted),
      cmocka_unit_test(what_is_dropped_for_want_of_room_is_told_first),
      cmocka_unit_test(where_nobody_watches_any_more_it_is_dropped),
      cmocka_unit_test(a_round_takes_its_time),
      cmocka_unit_test(a_round_comes_to_all_however_often_it_is_asked_for),
      cmocka_unit_test(a_later_zone_counts_on_from_more),
      cmocka_unit_test(at_random_the_highest_number_is_so),
      cmocka_unit_test(a_file_with_a_bad_place_is_refused),
      cmocka_unit_test(after_a_restart_it_is_told_who_is_gone),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
