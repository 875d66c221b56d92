// Real processes that anchor, import and release the same channels, as relays
// do of which one takes over from another, and are killed at any moment. Who
// reads the log never misses anything between two anchors; who reads history
// gets what was made, and, of one hold of the lock, all of it.

#include <sys/prctl.h>

#include <array>
#include <atomic>
#include <new>
#include <random>

#include "shm_support.hpp"

namespace paperboy::broker::shm {
namespace {

// What these keep is read in one hold, or in several.
constexpr std::array<std::uint32_t, 3> kCounts = {300, 300, 1500};
constexpr int kKills = 150;

struct Report {
  std::atomic<std::uint64_t> appended;
  std::atomic<std::uint64_t> anchored;
  std::atomic<std::uint64_t> windows;  // that were read, and weren't empty
  std::atomic<std::uint64_t> read;
  std::atomic<int> wrong;  // the line of the first thing that was
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
  ManualClock clock;  // stands still: nobody is stalled
  CountingWaker waker;
  Zone zone = Zone::format(memory.bytes(), options(), clock, waker).value();
};

std::string channel(std::size_t i) { return "channel" + std::to_string(i); }

/// What is published there, wherever it is told from.
std::string message(const Position& at) {
  const std::uint64_t n = at.epoch * 31 + at.offset;
  const std::size_t size = n % 50 == 0 ? 9000 : n % 100;
  return std::to_string(at.offset) + std::string(size, char('a' + n % 26));
}

std::vector<Recent> window(const Position& at, std::uint64_t number) {
  std::vector<Recent> all;
  for (auto i = at.offset - std::min(number, at.offset); i < at.offset; i++) {
    const Position position{at.epoch, i + 1};
    all.push_back({{position, Kind::text, message(position), ""}, 0});
  }
  return all;
}

/// A relay: no call is refused but for want of the lock, or of room in the log.
class Relaying {
 public:
  Relaying(Stage& stage, unsigned seed) : stage_(stage), random_(seed) {}

  [[noreturn]] void run() {
    while (true) {
      const std::size_t i = random_() % kCounts.size();
      const auto found = stage_.zone.position(channel(i));
      const Position top = found ? *found : Position{};
      const auto dice = random_() % 100;
      if (dice < 80 && top.epoch != 0) {
        import(i, {top.epoch, top.offset + 1});
      } else if (dice < 99) {
        anchor(i, {std::max<std::uint64_t>(top.epoch, 1),
                   top.offset + random_() % 4});
      } else {
        anchor(i, {top.epoch + 1, random_() % 5000});
      }
      if (dice == 7) (void)stage_.zone.release(channel(i));
      usleep(20);
    }
  }

 private:
  void import(std::size_t i, const Position& at) {
    const std::string name = channel(i);
    const std::string data = message(at);
    const auto done = stage_.zone.import(
        {.channel = name, .data = data, .keep = {.count = kCounts[i]}}, at);
    if (done) {
      stage_.report->appended += *done == Import::appended ? 1 : 0;
    } else {
      check(done.error());
    }
  }

  void anchor(std::size_t i, const Position& at) {
    const auto recent = window(at, random_() % 3 == 0 ? 0 : kCounts[i]);
    const auto done =
        stage_.zone.anchor(channel(i), at, recent, {.count = kCounts[i]});
    if (done) {
      stage_.report->anchored++;
    } else {
      check(done.error());
    }
  }

  /// There are always readers, but each channel may be evicted between two.
  void check(const Error& error) {
    stage_.expect(error.code == ErrorCode::unavailable ||
                      error.code == ErrorCode::log_full ||
                      error.code == ErrorCode::not_found,
                  __LINE__);
  }

  Stage& stage_;
  std::minstd_rand random_;
};

/// Reads all channels in the log, and holds each record against the one before.
class Reader final : public Visitor {
 public:
  explicit Reader(Stage& stage)
      : stage_(stage), seat_(stage.zone.claim_seat().value()) {
    for (std::size_t i = 0; i < kCounts.size(); i++) {
      Result<Subscription> done = Subscription{};
      while (
          !(done = stage.zone.subscribe(seat_, channel(i), 0, Anchor::later))) {
      }
      last_[channel(i)] = done->top;
    }
  }

  void visit(ChannelRef, const Publication& it) override {
    const std::string name(it.channel);
    Position& last = last_[name];
    if (it.event == Event::anchor) {
      anchored_.insert(name);
    } else if (!anchored_.contains(name) &&
               (it.position.epoch != last.epoch ||
                it.position.offset <= last.offset)) {
      return;  // of before the subscription
    } else {
      stage_.expect(it.position.epoch == last.epoch, __LINE__);
      stage_.expect(it.position.offset == last.offset + 1, __LINE__);
      stage_.expect(it.data == message(it.position), __LINE__);
    }
    last = it.position;
    stage_.report->read++;
  }

  void drain() {
    Drained drained = Drained::more;
    while (drained == Drained::more) {
      drained = stage_.zone.drain(seat_, {}, *this);
      stage_.expect(drained != Drained::overrun, __LINE__);
    }
  }

  [[noreturn]] void run() {
    while (true) {
      drain();
      usleep(100);
    }
  }

  /// Nobody writes any more.
  void finish() {
    drain();
    for (const auto& [name, last] : last_) {
      const Position top = stage_.zone.position(name).value();
      stage_.expect(top == Position{} || top == last, __LINE__);
    }
  }

 private:
  Stage& stage_;
  SeatIndex seat_;
  std::map<std::string, Position> last_;
  std::set<std::string> anchored_;
};

void check_page(Stage& stage, const HistoryPage& page, bool reverse, bool all) {
  std::uint64_t last = 0;
  for (const Kept& it : page.publications) {
    stage.expect(it.position.epoch == page.top.epoch, __LINE__);
    stage.expect(it.position.offset <= page.top.offset, __LINE__);
    stage.expect(it.data == message(it.position), __LINE__);
    const std::uint64_t next = reverse ? last - 1 : last + 1;
    if (last != 0 && all) {
      stage.expect(it.position.offset == next, __LINE__);
    } else if (last != 0) {
      stage.expect(
          reverse ? it.position.offset <= next : it.position.offset >= next,
          __LINE__);
    }
    last = it.position.offset;
  }
  if (page.publications.empty()) return;
  if (reverse) last = page.publications.front().position.offset;
  stage.expect(!all || last == page.top.offset, __LINE__);
  stage.report->windows++;
}

[[noreturn]] void read_history(Stage& stage, unsigned seed) {
  std::minstd_rand random(seed);
  while (true) {
    const std::size_t i = random() % kCounts.size();
    const bool reverse = random() % 2 == 0;
    const auto page = stage.zone.history(channel(i), {.reverse = reverse});
    if (page) check_page(stage, *page, reverse, kCounts[i] < 500);
    usleep(50);
  }
}

void assert_nothing_wrong(Stage& stage) {
  if (stage.report->wrong != 0) {
    fail_msg("line %d", stage.report->wrong.load());
  }
  const char* unsound = stage.zone.check();
  if (unsound != nullptr) fail_msg("%s", unsound);
}

pid_t start(Stage& stage, std::size_t i, unsigned seed) {
  return spawn([&] {
    // It doesn't outlive this test, whatever becomes of it.
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (i < 3) Relaying(stage, seed).run();
    if (i < 5) Reader(stage).run();
    read_history(stage, seed);
  });
}

void relays_at_odds_hurt_nobody(void**) {
  Stage stage;
  Reader reader(stage);
  std::minstd_rand random(11);
  std::array<pid_t, 7> children{};
  for (std::size_t i = 0; i < children.size(); i++) {
    children[i] = start(stage, i, static_cast<unsigned>(random()));
  }
  for (int k = 0; k < kKills; k++) {
    for (int i = 0; i < 10; i++) {
      usleep(random() % 2000);
      reader.drain();
    }
    const std::size_t victim = random() % children.size();
    kill(children[victim], SIGKILL);
    assert_int_equal(wait_for(children[victim]), SIGKILL);
    (void)stage.zone.reap_dead_seats();
    if (k % 10 == 0) assert_nothing_wrong(stage);
    children[victim] = start(stage, victim, static_cast<unsigned>(random()));
  }
  for (const pid_t pid : children) {
    kill(pid, SIGKILL);
    assert_int_equal(wait_for(pid), SIGKILL);
  }
  (void)stage.zone.reap_dead_seats();
  reader.finish();
  assert_nothing_wrong(stage);
  const Report& report = *stage.report;
  print_message(
      "           %d imported, %d anchored, %d read, %d windows\n",
      static_cast<int>(report.appended), static_cast<int>(report.anchored),
      static_cast<int>(report.read), static_cast<int>(report.windows));
  assert_true(report.appended > 0 && report.anchored > 0);
  assert_true(report.read > 0 && report.windows > 0);
  stage.zone.release_seat(0);
}

}  // namespace
}  // namespace paperboy::broker::shm

int main() {
  using namespace paperboy::broker::shm;
  const CMUnitTest tests[] = {
      cmocka_unit_test(relays_at_odds_hurt_nobody),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
