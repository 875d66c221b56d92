// The bytes of a zone's file from anywhere: a zone that was used is written
// over at some places, each five bytes of input: where, and with what. It is
// refused then, or sound and of use.
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

#include "broker/shm_layout.hpp"
#include "broker/shm_zone.hpp"

namespace {

using namespace paperboy;
using namespace paperboy::broker::shm;

class FixedClock final : public Clock {
 public:
  [[nodiscard]] std::uint64_t monotonic_ms() const override { return 1000; }
  [[nodiscard]] std::int64_t unix_seconds() const override { return 1000; }
};

class NoWaker final : public Waker {
 public:
  void wake(SeatIndex) override {}
};

class Sum final : public Visitor {
 public:
  void visit(ChannelRef, const Publication& publication) override {
    for (const char c : publication.data) sum += static_cast<unsigned char>(c);
  }
  std::uint64_t sum = 0;
};

const FixedClock fixed_clock;
NoWaker no_waker;

Options options() {
  Options options;
  options.seats = 4;
  options.log_size = 64UL * 1024;
  options.seed = {1, 2, 3};
  return options;
}

/// Aligned as a zone is.
struct Memory {
  Memory() : size(Zone::minimum_size(options()) / 4096 * 4096 + 4096) {
    base = static_cast<std::byte*>(std::aligned_alloc(4096, size));
    std::memset(base, 0, size);
  }
  Memory(const Memory&) = delete;
  Memory& operator=(const Memory&) = delete;
  ~Memory() { std::free(base); }
  std::span<std::byte> bytes() const { return {base, size}; }

  std::size_t size;
  std::byte* base;
};

/// As a relay does; some channels are left without a position.
void bring_in(Zone& zone, const Draft& draft, std::uint64_t i) {
  const Position at{7, i + 1};
  const Recent recent{{at, draft.kind, std::string(draft.data), ""}, 0};
  if (i % 9 != 0)
    (void)zone.anchor(draft.channel, at, {&recent, 1}, draft.keep);
  (void)zone.import(draft, {at.epoch, at.offset + 1});
  if (i % 5 == 0) (void)zone.release(draft.channel);
}

/// `before_end`: while its user is still there.
template <typename F>
void use(Zone& zone, int rounds, F&& before_end) {
  const auto seat = zone.claim_seat();
  if (!seat) std::abort();
  Sum sum;
  std::vector<ChannelRef> refs;
  for (int i = 0; i < rounds; i++) {
    const std::string name = "channel" + std::to_string(i % 9);
    const std::string data(static_cast<std::size_t>(i % 3) * 4000 + 10, 'x');
    const bool elsewhere = i % 9 < 4;
    const auto subscribed =
        zone.subscribe(*seat, name, 0, elsewhere ? Anchor::later : Anchor::now);
    if (subscribed) {
      refs.push_back(subscribed->ref);
      (void)zone.enter(*seat, subscribed->ref, {.client = name}, i % 2 == 0);
    }
    const Draft draft{
        .channel = name, .data = data, .keep = {.count = 3, .evict = true}};
    if (elsewhere) {
      bring_in(zone, draft, static_cast<std::uint64_t>(i));
    } else {
      (void)zone.publish(draft);
    }
    (void)zone.history(name, {});
    (void)zone.drain(*seat, {}, sum);
    if (i % 4 == 0) (void)zone.remove_history(name);
  }
  (void)zone.presence_stats("channel1");
  before_end();
  for (const ChannelRef ref : refs) (void)zone.unsubscribe(*seat, ref);
  zone.release_seat(*seat);
}

/// As one leaves it that dies.
std::vector<std::byte> image() {
  const Memory memory;
  std::vector<std::byte> bytes;
  auto zone = Zone::format(memory.bytes(), options(), fixed_clock, no_waker);
  use(*zone, 40,
      [&] { bytes.assign(memory.bytes().begin(), memory.bytes().end()); });
  return bytes;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data,
                                      std::size_t size) {
  static const std::vector<std::byte> good = image();
  static const Memory memory;
  std::memcpy(memory.base, good.data(), good.size());
  for (; size >= 5; data += 5, size -= 5) {
    std::uint32_t at = 0;
    std::memcpy(&at, data, sizeof at);
    memory.base[at % memory.size] = static_cast<std::byte>(data[4]);
  }
  auto zone = Zone::reopen(memory.bytes(), options(), fixed_clock, no_waker);
  if (!zone) return 0;
  if (zone->check() != nullptr) std::abort();
  use(*zone, 12, [] {});
  return 0;
}
