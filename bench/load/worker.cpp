#include "worker.hpp"

#include <sched.h>
#include <sys/epoll.h>
#include <unistd.h>

#include <algorithm>
#include <array>

namespace paperboy::load {

namespace {

constexpr std::size_t kBuffer = 1U << 18;
constexpr std::size_t kMessage = 1U << 20;  // uncompressed
constexpr std::size_t kWrapping = 1U << 16;
constexpr std::size_t kEvents = 1024;

}  // namespace

Worker::Worker(const Options& options, const Signals& signals,
               std::uint64_t first, std::uint64_t count, std::uint64_t step)
    : options_(options),
      signals_(signals),
      churn_(options.mode == Mode::churn),
      rate_(options.subscribers.connect_rate /
            static_cast<double>(options.subscribers.threads)),
      link_(options.subscribers.tls, count),
      dice_(now_ns() + first * 0x9E3779B97F4A7C15U),
      inspector_(options, tally_),
      inflater_(std::max(kMessage, inspector_.longest())),
      connections_(count),
      handshake_(first) {
  for (std::uint64_t i = 0; i < count; ++i) {
    Connection& connection = connections_[i];
    connection.index = static_cast<std::uint32_t>(first + i * step);
    connection.channel = static_cast<std::uint32_t>(
        connection.index % options.subscribers.channels);
  }
}

void Worker::run() {
  if (unshare(CLONE_FILES) != 0) give_up(with_reason("unshare"));
  epoll_ = epoll_create1(EPOLL_CLOEXEC);
  // A frame has to have room in it as a whole.
  buffer_.resize(std::max(kBuffer, inspector_.longest() + kWrapping));
  const std::uint64_t began_ns = now_ns();
  while (!signals_.stop.load(std::memory_order_relaxed)) {
    if (next_ < connections_.size()) start_some(began_ns);
    run_once();
    if (signals_.measurement != measurement_) begin_measurement();
  }
  for (std::size_t id = 0; id < connections_.size(); ++id) {
    if (connections_[id].fd >= 0) shut(id);
  }
  close(epoll_);
}

void Worker::start_some(std::uint64_t began_ns) {
  std::size_t until = connections_.size();
  if (rate_ > 0) {
    const auto due =
        static_cast<std::size_t>(seconds_since(began_ns) * rate_) + 1;
    until = std::min(until, due);
  }
  while (next_ < until && pending_ < options_.subscribers.concurrency) {
    start(next_++);
  }
}

void Worker::run_once() {
  std::array<epoll_event, kEvents> events;
  const bool hurry = next_ < connections_.size() &&
                     pending_ < options_.subscribers.concurrency;
  const int count = epoll_wait(epoll_, events.data(), kEvents, hurry ? 1 : 20);
  for (int i = 0; i < count; ++i) {
    on_event(events[static_cast<std::size_t>(i)].data.u64,
             events[static_cast<std::size_t>(i)].events);
  }
  if (count > 0) {
    received_.store(tally_.messages, std::memory_order_relaxed);
    answered_.store(tally_.answered, std::memory_order_relaxed);
  }
}

void Worker::begin_measurement() {
  tally_.begin();
  received_ = 0;
  last_ns_ = 0;
  measurement_ = signals_.measurement.load();
}

}  // namespace paperboy::load
