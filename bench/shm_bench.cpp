// What a publish and its delivery cost in the shared zone, and that neither
// depends on the number of channels.
//
//   cmake --build build --target paperboy_broker
//   g++ -std=c++20 -O2 -Isrc -o shm_bench bench/shm_bench.cpp
//       build/libpaperboy_broker.a build/libpaperboy_base.a
//   ./shm_bench

#include <sys/mman.h>

#include <chrono>
#include <cstdio>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "broker/shm_zone.hpp"

namespace {

using namespace paperboy;
using namespace paperboy::broker::shm;

constexpr std::size_t kZone = std::size_t{512} << 20;
constexpr std::size_t kPublishes = 2'000'000;
constexpr std::size_t kBatch = 64;

class Stopped final : public Clock {
 public:
  [[nodiscard]] std::uint64_t monotonic_ms() const override { return 1; }
  [[nodiscard]] std::int64_t unix_seconds() const override { return 0; }
};

class Nobody final : public Waker {
 public:
  void wake(SeatIndex) override { wakes++; }
  std::size_t wakes = 0;
};

class Taker final : public Visitor {
 public:
  void visit(ChannelRef, const Publication& p) override {
    bytes += p.data.size();
  }
  std::size_t bytes = 0;
};

double now_ns() {
  using std::chrono::steady_clock;
  return std::chrono::duration<double, std::nano>(
             steady_clock::now().time_since_epoch())
      .count();
}

std::string name_of(std::size_t i) { return "room:" + std::to_string(i); }

void run(std::size_t channels, bool subscribed, std::size_t hot) {
  void* memory = mmap(nullptr, kZone, PROT_READ | PROT_WRITE,
                      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) return;
  const Stopped clock;
  Nobody nobody;
  Options options;
  options.seed = {1, 2, 3};
  {
    Zone zone = Zone::format({static_cast<std::byte*>(memory), kZone}, options,
                             clock, nobody)
                    .value();
    const SeatIndex seat = zone.claim_seat().value();
    const double made_at = now_ns();
    for (std::size_t i = 0; i < channels; i++) {
      if (subscribed) {
        (void)zone.subscribe(seat, name_of(i));
      } else {
        (void)zone.publish(name_of(i), Kind::text, "");
      }
    }
    const double made = now_ns() - made_at;
    std::vector<std::string> names;
    for (std::size_t i = 0; i < hot; i++) {
      names.push_back(name_of(i * 7919 % channels));
    }
    const std::string data(100, 'x');
    Taker taker;
    double publishing = 0;
    double draining = 0;
    for (std::size_t i = 0; i < kPublishes; i += kBatch) {
      const double start = now_ns();
      for (std::size_t j = 0; j < kBatch; j++) {
        (void)zone.publish(names[(i + j) % hot], Kind::text, data);
      }
      const double between = now_ns();
      (void)zone.drain(seat, {}, taker);
      draining += now_ns() - between;
      publishing += between - start;
    }
    std::printf("%9zu %-12s %7zu %9.0f %11.0f %9.0f\n", channels,
                subscribed ? "subscribed" : "idle", hot,
                made / static_cast<double>(channels),
                publishing / static_cast<double>(kPublishes),
                draining / static_cast<double>(kPublishes));
    zone.release_seat(seat);
  }
  munmap(memory, kZone);
}

}  // namespace

int main() {
  std::printf(
      " channels              used of  make ns  publish ns  drain ns\n");
  for (const std::size_t channels : {1'000U, 100'000U, 1'000'000U}) {
    run(channels, false, 100);
    run(channels, true, 100);
    run(channels, true, std::min<std::size_t>(channels, 100'000));
  }
  return 0;
}
