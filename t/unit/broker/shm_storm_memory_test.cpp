// Real processes that publish, keep, try again, enter and leave, and are killed
// at any moment. What was acknowledged is kept, once; what a dead one was in
// the midst of is whole or never happened.

#include <sys/prctl.h>

#include <array>
#include <atomic>
#include <new>
#include <random>

#include "shm_support.hpp"

namespace paperboy::broker::shm {
namespace {

constexpr std::size_t kWriters = 3;
constexpr std::size_t kHosts = 2;
constexpr std::uint32_t kKept = 50;
constexpr int kKills = 150;

// In the test's own time, of which a kill is 1 at most.
constexpr std::uint64_t kKeyTime = 30;

struct Report {
  std::atomic<std::uint64_t> now;
  std::atomic<std::uint64_t> acknowledged[kWriters];  // offset
  std::atomic<std::uint64_t> repeated;
  std::atomic<std::uint64_t> entered;
  std::atomic<int> wrong;  // the line of the first thing that was
};

/// Of all processes.
class SharedClock final : public Clock {
 public:
  explicit SharedClock(const Report& report) : report_(report) {}
  [[nodiscard]] std::uint64_t monotonic_ms() const override {
    return report_.now;
  }
  [[nodiscard]] std::int64_t unix_seconds() const override { return 0; }

 private:
  const Report& report_;
};

struct Stage {
  static Options options() {
    Options options = small_options();
    options.seats = 16;
    options.log_size = 512 * 1024;
    return options;
  }

  void expect(bool good, int line) {
    int none = 0;
    if (!good) report->wrong.compare_exchange_strong(none, line);
  }

  SharedMemory memory{8 << 20};
  SharedMemory report_memory{4096};
  Report* report = new (report_memory.as<void>()) Report{};
  SharedClock clock{*report};
  CountingWaker waker;
  Zone zone = Zone::format(memory.bytes(), options(), clock, waker).value();
};

std::string own(std::size_t i) { return "own" + std::to_string(i); }

/// Many go into one block, others need chunks.
std::string message(std::uint64_t n) {
  const std::size_t size = n % 4 == 0 ? n * 7919 % 12'000 : n % 300;
  return std::string(size, static_cast<char>('a' + n % 26));
}

/// Until the lock can be had: on a loaded machine its holder may be put aside.
template <typename F>
auto patiently(F&& f) {
  auto result = f();
  while (!result && result.error().code == ErrorCode::unavailable) {
    usleep(1000);
    result = f();
  }
  return result;
}

/// Publishes its nth message as its channel's nth, whoever tried it before.
[[noreturn]] void write(Stage& stage, std::size_t i) {
  const std::string channel = own(i);
  auto& acknowledged = stage.report->acknowledged[i];
  while (true) {
    const std::uint64_t n = acknowledged + 1;
    const std::string key = std::to_string(n);
    const std::string data = message(n);
    const Draft draft{.channel = channel,
                      .data = data,
                      .keep = {.count = kKept},
                      .idempotency_key = key,
                      .idempotency_ms = kKeyTime};
    const auto published = patiently([&] { return stage.zone.publish(draft); });
    if (!published && published.error().code == ErrorCode::log_full) continue;
    stage.expect(published.ok(), __LINE__);
    if (!published.ok()) _exit(1);
    stage.expect(published->position.offset == n, __LINE__);
    stage.report->repeated += published->repeated ? 1 : 0;
    acknowledged = n;
    usleep(50);
  }
}

/// Members come and go.
[[noreturn]] void host(Stage& stage) {
  const SeatIndex seat =
      patiently([&] { return stage.zone.claim_seat(); }).value();
  const ChannelRef ref =
      patiently([&] { return stage.zone.subscribe(seat, "room"); }).value().ref;
  std::minstd_rand random(static_cast<unsigned>(getpid()));
  std::vector<MemberRef> inside;
  while (true) {
    if (inside.size() < 20 && random() % 2 == 0) {
      const std::string client(random() % 200, 'c');
      const bool announced = random() % 2 == 0;
      const auto entered = patiently([&] {
        return stage.zone.enter(seat, ref, {.client = client}, announced);
      });
      stage.expect(entered.ok(), __LINE__);
      if (entered) inside.push_back(*entered);
      stage.report->entered++;
    } else if (!inside.empty()) {
      const std::size_t i = random() % inside.size();
      const auto left =
          patiently([&] { return stage.zone.leave(seat, inside[i]); });
      stage.expect(left.ok(), __LINE__);
      inside[i] = inside.back();
      inside.pop_back();
    }
    if (random() % 16 == 0) {
      const auto all = patiently([&] { return stage.zone.members("room"); });
      stage.expect(all.ok(), __LINE__);
      (void)stage.zone.reap_dead_seats();
    }
    stage.zone.touch_seat(seat);
    Notes notes;
    stage.expect(stage.zone.drain(seat, {}, notes) != Drained::overrun,
                 __LINE__);
  }
}

/// Fills what may be kept, so that others lose theirs.
[[noreturn]] void press(Stage& stage) {
  for (unsigned i = 0;; i++) {
    const std::string channel = "idle" + std::to_string(i % 3000);
    const std::string data(i % 500, 'x');
    (void)stage.zone.publish(
        {.channel = channel, .data = data, .keep = {.count = 1000}});
  }
}

/// What is kept is what was published, up to the last.
void assert_kept(Stage& stage, std::size_t i, bool pressed) {
  const std::uint64_t acknowledged = stage.report->acknowledged[i];
  if (acknowledged == 0) return;
  const auto found = patiently([&] { return stage.zone.history(own(i), {}); });
  if (pressed && !found) return;  // evicted
  const auto& page = found.value();
  assert_true(page.top.offset >= acknowledged);
  std::uint64_t next = page.top.offset - page.publications.size();
  for (const auto& kept : page.publications) {
    assert_int_equal(kept.position.offset, ++next);
    assert_true(kept.data == message(next));
  }
  assert_int_equal(next, page.top.offset);
  if (!pressed) {
    assert_int_equal(page.publications.size(),
                     std::min<std::uint64_t>(page.top.offset, kKept));
  }
}

void assert_nothing_wrong(Stage& stage, bool pressed) {
  if (stage.report->wrong != 0) {
    fail_msg("a child found line %d wrong", stage.report->wrong.load());
  }
  // Once the lock is had:
  (void)patiently([&] { return stage.zone.channels({}); });
  const char* unsound = stage.zone.check();
  if (unsound != nullptr) fail_msg("%s", unsound);
  for (std::size_t i = 0; i < kWriters; i++) assert_kept(stage, i, pressed);
}

pid_t start(Stage& stage, std::size_t role) {
  return spawn([&] {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (role < kWriters) write(stage, role);
    if (role < kWriters + kHosts) host(stage);
    press(stage);
  });
}

void storm(bool pressed) {
  Stage stage;
  std::minstd_rand random(11);
  std::array<std::uint64_t, kWriters> before{};
  std::vector<pid_t> children(kWriters + kHosts + (pressed ? 1 : 0));
  for (std::size_t i = 0; i < children.size(); i++) {
    children[i] = start(stage, i);
  }
  const auto full = [&] { return stage.zone.stats().history_evictions > 0; };
  for (int k = 0; k < kKills || (pressed && !full()); k++) {
    usleep(500 + random() % 8000);
    const std::size_t victim = random() % children.size();
    kill(children[victim], SIGKILL);
    assert_int_equal(wait_for(children[victim]), SIGKILL);
    (void)stage.zone.reap_dead_seats();
    if (k % 10 == 0) assert_nothing_wrong(stage, pressed);
    if (victim < kWriters) before[victim] = stage.report->acknowledged[victim];
    children[victim] = start(stage, victim);
    // No key's time is over before its publisher has tried again.
    bool all = true;
    for (std::size_t i = 0; i < kWriters; i++) {
      all = all && stage.report->acknowledged[i] > before[i];
    }
    stage.report->now += all ? 1 : 0;
  }
  for (const pid_t pid : children) {
    kill(pid, SIGKILL);
    assert_int_equal(wait_for(pid), SIGKILL);
  }
  for (int i = 0; i < 10 || stage.zone.stats().seats_taken > 0; i++) {
    (void)stage.zone.reap_dead_seats();
  }
  assert_nothing_wrong(stage, pressed);
  const Stats stats = stage.zone.stats();
  assert_int_equal(stats.members, 0);
  assert_int_equal(stats.seats_taken, 0);
  assert_true(stage.report->acknowledged[0] > 0);
  assert_true(stage.report->entered > 0);
  if (!pressed) assert_int_equal(stats.history_evictions, 0);
  print_message(
      "           %zu published, %zu again, %zu entered, "
      "%zu rollbacks\n",
      stage.report->acknowledged[0] + stage.report->acknowledged[1] +
          stage.report->acknowledged[2],
      stage.report->repeated.load(), stage.report->entered.load(),
      stats.rollbacks);
}

void what_is_acknowledged_is_kept_once(void**) { storm(false); }

void a_full_zone_keeps_the_last(void**) { storm(true); }

}  // namespace
}  // namespace paperboy::broker::shm

int main() {
  using namespace paperboy::broker::shm;
  const CMUnitTest tests[] = {
      cmocka_unit_test(what_is_acknowledged_is_kept_once),
      cmocka_unit_test(a_full_zone_keeps_the_last),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
