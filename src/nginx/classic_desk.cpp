#include "nginx/classic_desk.hpp"

#include "broker/redis_engines.hpp"
#include "nginx/worker.hpp"

namespace paperboy::nginx {

namespace {

constexpr std::size_t kListeners = 2;  // of a node

// Until others surely listen, or have seen that it is this one's turn.
constexpr std::uint64_t kFirstMs = 5000;

}  // namespace

ClassicDesk::ClassicDesk(Worker& worker, const ClassicConf& conf, bool relays)
    : worker_(worker),
      relays_(relays),
      begun_(worker_clock().monotonic_ms()),
      network_(worker, conf.redis, "paperboy_classic_redis"),
      taker_(worker.context().hub, worker_clock(), worker.context().counters,
             conf.name_space,
             [this](Bytes line) {
               network_.log(broker::redis::LogLevel::warning, line);
             }),
      messaging_(network_,
                 broker::redis::make_engine(network_, conf.redis.options),
                 taker_, worker.context().counters, conf.requests) {
  if (!relays) worker.zone().set_relay(worker.seat(), true);
  tick();
}

void ClassicDesk::tick() {
  const bool leaves = worker_.leaving() || ngx_exiting != 0;
  show(Counter::classic_listeners, stays_, !leaves);
  if (!leaves) {
    const std::uint64_t age = worker_clock().monotonic_ms() - begun_;
    listens_ = age < kFirstMs || is_among_lowest();
  }
  messaging_.tick(listens_, publishes());
  show(Counter::classic_ready, ready_, !leaves && messaging_.is_ready());
}

/// Where what is published goes through another Redis, once that is there.
bool ClassicDesk::publishes() const {
  const auto row = worker_.zone().counters(worker_.seat());
  return !relays_ || row[static_cast<std::size_t>(Counter::redis_ready)].load(
                         std::memory_order_relaxed) != 0;
}

/// For the others.
void ClassicDesk::show(Counter gauge, bool& shown, bool now) {
  if (now == shown) return;
  shown = now;
  Counters& counters = worker_.context().counters;
  if (now) {
    counters.add(gauge);
  } else {
    counters.subtract(gauge);
  }
}

bool ClassicDesk::is_among_lowest() const {
  std::size_t lower = 0;
  for (const auto& one : worker_.zone().relays()) {
    const auto row = worker_.zone().counters(one.seat);
    const bool stays =
        row[static_cast<std::size_t>(Counter::classic_listeners)].load(
            std::memory_order_relaxed) != 0;
    if (stays && one.seat < worker_.seat()) ++lower;
  }
  return lower < kListeners;
}

}  // namespace paperboy::nginx
