// What a publish and its delivery cost in the shared zone, and that neither
// depends on the number of channels; what it costs to remember, in time and
// memory.
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

/// A zone of its own, with one seat.
struct Node {
  Node()
      : memory(mmap(nullptr, kZone, PROT_READ | PROT_WRITE,
                    MAP_SHARED | MAP_ANONYMOUS, -1, 0)),
        zone(Zone::format({static_cast<std::byte*>(memory), kZone},
                          {.seed = {1, 2, 3}}, clock, nobody)
                 .value()),
        seat(zone.claim_seat().value()) {}
  Node(const Node&) = delete;
  Node& operator=(const Node&) = delete;
  ~Node() {
    zone.release_seat(seat);
    munmap(memory, kZone);
  }

  Stopped clock;
  Nobody nobody;
  void* memory;
  Zone zone;
  SeatIndex seat;
  Taker taker;
};

void run(std::size_t channels, bool subscribed, std::size_t hot) {
  Node node;
  const double made_at = now_ns();
  for (std::size_t i = 0; i < channels; i++) {
    if (subscribed) {
      (void)node.zone.subscribe(node.seat, name_of(i));
    } else {
      (void)node.zone.publish(name_of(i), Kind::text, "");
    }
  }
  const double made = now_ns() - made_at;
  std::vector<std::string> names;
  for (std::size_t i = 0; i < hot; i++) {
    names.push_back(name_of(i * 7919 % channels));
  }
  const std::string data(100, 'x');
  double publishing = 0;
  double draining = 0;
  for (std::size_t i = 0; i < kPublishes; i += kBatch) {
    const double start = now_ns();
    for (std::size_t j = 0; j < kBatch; j++) {
      (void)node.zone.publish(names[(i + j) % hot], Kind::text, data);
    }
    const double between = now_ns();
    (void)node.zone.drain(node.seat, {}, node.taker);
    draining += now_ns() - between;
    publishing += between - start;
  }
  std::printf("%9zu %-12s %7zu %9.0f %11.0f %9.0f\n", channels,
              subscribed ? "subscribed" : "idle", hot,
              made / static_cast<double>(channels),
              publishing / static_cast<double>(kPublishes),
              draining / static_cast<double>(kPublishes));
}

/// What `act(i)` takes for each of `n`, in ns, and in bytes of the arena.
template <typename F>
void measure(Node& node, const char* what, std::size_t n, F&& act) {
  const double used = static_cast<double>(node.zone.stats().arena_used);
  const double start = now_ns();
  for (std::size_t i = 0; i < n; i++) act(i);
  const double each = (now_ns() - start) / static_cast<double>(n);
  const double more = static_cast<double>(node.zone.stats().arena_used) - used;
  std::printf("%-40s %9.0f ns %7.0f bytes\n", what, each,
              more / static_cast<double>(n));
}

void publications(std::size_t channels) {
  Node node;
  std::vector<std::string> names;
  for (std::size_t i = 0; i < channels; i++) names.push_back(name_of(i));
  const std::string data(100, 'x');
  const auto kept = [&](std::size_t i, std::uint32_t count) {
    (void)node.zone.publish({.channel = names[i % channels],
                             .data = data,
                             .keep = {.count = count}});
  };
  std::printf("\n%zu channels, messages of 100 bytes\n", channels);
  measure(node, "a channel", channels, [&](std::size_t i) {
    (void)node.zone.publish(names[i], Kind::text, "");
  });
  measure(node, "not kept", 500'000, [&](std::size_t i) { kept(i, 0); });
  measure(node, "a channel's first kept", channels,
          [&](std::size_t i) { kept(i, 100); });
  measure(node, "kept", channels * 99, [&](std::size_t i) { kept(i, 100); });
  measure(node, "kept, in place of another", 500'000,
          [&](std::size_t i) { kept(i, 100); });
  measure(node, "with a key", 500'000, [&](std::size_t i) {
    const std::string key = std::to_string(i);
    (void)node.zone.publish(
        {.channel = names[i % channels], .data = data, .idempotency_key = key});
  });
  std::size_t read = 0;
  measure(node, "all 100 of a channel read", 20'000, [&](std::size_t i) {
    read += node.zone.history(names[i % channels], {})->publications.size();
  });
  measure(node, "the last 10 read", 100'000, [&](std::size_t i) {
    const HistoryQuery last{.limit = 10, .reverse = true};
    read += node.zone.history(names[i % channels], last)->publications.size();
  });
  measure(node, "until all that may be kept is taken", 1, [&](std::size_t) {
    for (std::size_t i = 0; node.zone.stats().history_evictions == 0; i++) {
      kept(i, UINT32_MAX);
    }
  });
  measure(node, "kept, in place of the oldest of all", 500'000,
          [&](std::size_t i) { kept(i, UINT32_MAX); });
}

void members() {
  constexpr std::size_t kMembers = 10'000;
  Node node;
  const auto ref = node.zone.subscribe(node.seat, "room").value().ref;
  const Member member{.client = "0b5f7a36-9d1c-4c52-a3ce-7d7d0c9c3a11",
                      .user = "user-12345"};
  std::vector<MemberRef> refs(kMembers);
  std::printf("\n10000 members of a channel\n");
  measure(node, "enter", kMembers, [&](std::size_t i) {
    refs[i] = *node.zone.enter(node.seat, ref, member, false);
  });
  std::size_t read = 0;
  measure(node, "all members read", 50,
          [&](std::size_t) { read += node.zone.members("room")->size(); });
  measure(node, "members and users counted", 50, [&](std::size_t) {
    read += node.zone.presence_stats("room")->clients;
  });
  measure(node, "leave", kMembers, [&](std::size_t i) {
    (void)node.zone.leave(node.seat, refs[i * 7919 % kMembers]);
  });
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
  publications(1000);
  members();
  return 0;
}
