// Real processes: several that publish, several that read, woken by eventfds.
// First all live, and nobody may miss, repeat or oversleep anything; then one
// after the other is killed at any moment, and those who live may not either.

#include <poll.h>
#include <sched.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>

#include <array>
#include <atomic>
#include <memory>
#include <new>
#include <random>

#include "shm_support.hpp"

namespace paperboy::broker::shm {
namespace {

constexpr int kChannels = 6;
constexpr int kOversleptMs = 20'000;

std::string channel(unsigned i) { return "channel" + std::to_string(i); }

/// What the children tell the test.
struct Report {
  std::atomic<std::uint64_t> read;
  std::atomic<std::uint64_t> refused;
  std::atomic<int> wrong;  // the first thing that was, see below
};

enum Wrong { kNone, kOrder, kOverslept, kOverrun, kData, kRefused };

class EventWaker final : public Waker {
 public:
  EventWaker() {
    for (int& fd : fds_) fd = eventfd(0, EFD_NONBLOCK);
  }
  EventWaker(const EventWaker&) = delete;
  EventWaker& operator=(const EventWaker&) = delete;
  ~EventWaker() override {
    for (const int fd : fds_) close(fd);
  }

  void wake(SeatIndex seat) override { (void)eventfd_write(fds_[seat], 1); }

  /// False: nothing came within the time.
  bool wait(SeatIndex seat, int timeout_ms) {
    pollfd p{fds_[seat], POLLIN, 0};
    if (poll(&p, 1, timeout_ms) <= 0) return false;
    eventfd_t count = 0;
    (void)eventfd_read(fds_[seat], &count);
    return true;
  }

 private:
  std::array<int, 16> fds_{};
};

struct Stage {
  static Options options() {
    Options options = small_options();
    options.seats = 16;
    options.log_size = 128 * 1024;
    return options;
  }

  Stage()
      : memory(Zone::minimum_size(options())),
        report(new (report_memory.as<void>()) Report{}),
        zone(Zone::format(memory.bytes(), options(), clock, waker).value()) {}

  void assert_nothing_wrong() {
    const int wrong = report->wrong.load();
    if (wrong != kNone) {
      fail_msg("a child found %d wrong", wrong);
    }
    const char* unsound = zone.check();
    if (unsound != nullptr) {
      fail_msg("%s", unsound);
    }
  }

  SharedMemory memory;
  SharedMemory report_memory{4096};
  Report* report;
  ManualClock clock;  // stands still: nobody is stalled
  EventWaker waker;
  Zone zone;
};

/// Reads all channels and holds every publication against the one before.
class Reader final : public Visitor {
 public:
  explicit Reader(Stage& stage)
      : stage_(stage), seat_(stage.zone.claim_seat().value()) {
    for (unsigned i = 0; i < kChannels; i++) {
      const auto s = stage.zone.subscribe(seat_, channel(i)).value();
      last_[s.ref] = s.top;
      top_[s.ref] = s.top;
    }
  }

  void visit(ChannelRef ref, const Publication& p) override {
    Position& last = last_[ref];
    if (last.epoch != p.position.epoch) {
      tell(kOrder);
    } else if (p.position.offset <= top_[ref].offset) {
      return;  // of before the subscription
    } else if (p.position.offset != last.offset + 1) {
      tell(kOrder);
    }
    for (const char c : p.data) {
      if (c != p.data[0]) tell(kData);
    }
    last = p.position;
    read_++;
  }

  /// Until `number` were read (0: for ever).
  void run(std::uint64_t number, int patience_ms, bool may_oversleep) {
    while (number == 0 || read_ < number) {
      if (!stage_.waker.wait(seat_, patience_ms) && !may_oversleep) {
        tell(kOverslept);
        return;
      }
      DrainLimit limit;
      limit.records = 64;
      Drained drained = Drained::more;
      while (drained == Drained::more) {
        const std::uint64_t before = read_;
        drained = stage_.zone.drain(seat_, limit, *this);
        stage_.report->read += read_ - before;
        if (drained == Drained::overrun) tell(kOverrun);
      }
    }
  }

 private:
  void tell(int wrong) {
    int none = kNone;
    stage_.report->wrong.compare_exchange_strong(none, wrong);
  }

  Stage& stage_;
  SeatIndex seat_;
  std::map<ChannelRef, Position> top_;
  std::map<ChannelRef, Position> last_;
  std::uint64_t read_ = 0;
};

/// Publishes `number` times (0: for ever), trying again while the log is full.
void publish(Stage& stage, unsigned seed, int number) {
  std::minstd_rand random(seed);
  for (int i = 0; number == 0 || i < number; i++) {
    const std::string data(random() % 400,
                           static_cast<char>('a' + random() % 26));
    const std::string name = channel(random() % kChannels);
    while (true) {
      const auto published = stage.zone.publish(name, Kind::text, data);
      if (published) break;
      if (published.error().code != ErrorCode::log_full) {
        int none = kNone;
        stage.report->wrong.compare_exchange_strong(none, kRefused);
        return;
      }
      stage.report->refused++;
      sched_yield();
    }
  }
}

/// A child that doesn't outlive this test, whatever becomes of it.
template <typename F>
pid_t spawn_bound(F&& f) {
  return spawn([&f] {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    f();
  });
}

void every_reader_gets_everything_in_order_and_is_woken(void**) {
  constexpr int kPublishers = 3;
  constexpr int kReaders = 3;
  constexpr int kEach = 10'000;
  Stage stage;
  int ready[2];
  assert_int_equal(pipe(ready), 0);
  std::vector<pid_t> children;
  for (int i = 0; i < kReaders; i++) {
    children.push_back(spawn_bound([&] {
      Reader reader(stage);
      (void)!write(ready[1], "x", 1);
      reader.run(std::uint64_t{kPublishers} * kEach, kOversleptMs, false);
    }));
  }
  for (int i = 0; i < kReaders; i++) {
    char c = 0;
    assert_int_equal(read(ready[0], &c, 1), 1);
  }
  for (unsigned i = 0; i < kPublishers; i++) {
    children.push_back(spawn_bound([&] { publish(stage, i + 1, kEach); }));
  }
  for (const pid_t pid : children) assert_int_equal(wait_for(pid), 0);
  stage.assert_nothing_wrong();
  assert_int_equal(stage.report->read, kReaders * kPublishers * kEach);
  assert_int_equal(stage.zone.stats().overruns, 0);
  print_message("           %d read, %d refused, %d lock waits\n",
                static_cast<int>(stage.report->read),
                static_cast<int>(stage.report->refused),
                static_cast<int>(stage.zone.stats().lock_waits));
  close(ready[0]);
  close(ready[1]);
}

void kills_at_any_moment_hurt_nobody_else(void**) {
  constexpr int kKills = 200;
  Stage stage;
  std::minstd_rand random(7);
  std::array<pid_t, 6> children{};
  const auto start = [&](std::size_t i) {
    const auto seed = static_cast<unsigned>(random());
    children[i] = i < 3 ? spawn_bound([&] { Reader(stage).run(0, 100, true); })
                        : spawn_bound([&] { publish(stage, seed, 0); });
  };
  for (std::size_t i = 0; i < children.size(); i++) start(i);
  for (int k = 0; k < kKills; k++) {
    usleep(1000 + random() % 15'000);
    const std::size_t victim = random() % children.size();
    kill(children[victim], SIGKILL);
    assert_int_equal(wait_for(children[victim]), SIGKILL);
    (void)stage.zone.reap_dead_seats();
    if (k % 10 == 0) stage.assert_nothing_wrong();
    start(victim);
  }
  const std::uint64_t before = stage.report->read;
  for (int i = 0; i < 500 && stage.report->read < before + 100; i++) {
    usleep(10'000);
  }
  assert_true(stage.report->read >= before + 100);
  for (const pid_t pid : children) {
    kill(pid, SIGKILL);
    assert_int_equal(wait_for(pid), SIGKILL);
  }
  (void)stage.zone.reap_dead_seats();
  assert_int_equal(stage.zone.stats().seats_taken, 0);
  stage.assert_nothing_wrong();
  assert_int_equal(stage.zone.stats().overruns, 0);
  print_message("           %d read, %d rollbacks\n",
                static_cast<int>(stage.report->read),
                static_cast<int>(stage.zone.stats().rollbacks));
}

// One lock for all, and yet hardly anybody has to sleep for it.
void all_subscribe_at_once(void**) {
  constexpr unsigned kWorkers = 16;
  constexpr unsigned kEach = 2000;
  Options options = small_options();
  options.seats = kWorkers;
  TestZone it(options, std::size_t{16} << 20);
  std::vector<pid_t> workers;
  for (unsigned w = 0; w < kWorkers; w++) {
    workers.push_back(spawn([&it, w] {
      const SeatIndex seat = it.zone.claim_seat().value();
      for (unsigned i = 0; i < kEach; i++) {
        const std::string own = std::to_string(w) + "/" + std::to_string(i);
        if (!it.zone.subscribe(seat, own)) _exit(1);
      }
    }));
  }
  for (const pid_t pid : workers) assert_int_equal(wait_for(pid), 0);
  assert_int_equal(it.zone.stats().channels, kWorkers * kEach);
  assert_true(it.zone.stats().lock_waits < kWorkers * kEach / 10);
  it.assert_sound();
}

}  // namespace
}  // namespace paperboy::broker::shm

int main() {
  using namespace paperboy::broker::shm;
  const CMUnitTest tests[] = {
      cmocka_unit_test(every_reader_gets_everything_in_order_and_is_woken),
      cmocka_unit_test(kills_at_any_moment_hurt_nobody_else),
      cmocka_unit_test(all_subscribe_at_once),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
