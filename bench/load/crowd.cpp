#include "crowd.hpp"

#include <algorithm>
#include <iostream>

namespace paperboy::load {

Crowd::Crowd(const Options& options) : options_(options) {
  signals_.began_ns = now_ns();
  const std::uint64_t threads = options.subscribers.threads;
  const std::uint64_t all = options.subscribers.connections;
  for (std::uint64_t i = 0; i < threads; ++i) {
    const std::uint64_t count = all / threads + (i < all % threads ? 1 : 0);
    workers_.push_back(
        std::make_unique<Worker>(options, signals_, i, count, threads));
  }
  for (const auto& worker : workers_) {
    threads_.emplace_back([&worker] { worker->run(); });
  }
}

void Crowd::stop() {
  signals_.stop = true;
  for (auto& thread : threads_) {
    if (thread.joinable()) thread.join();
  }
}

void Crowd::await_connections() const {
  const std::uint64_t wanted = options_.subscribers.connections;
  while (true) {
    std::uint64_t tried = 0;
    for (const auto& worker : workers_) tried += worker->tried();
    if (tried >= wanted) return;
    if (seconds_since(signals_.began_ns) >
        options_.subscribers.connect_timeout) {
      std::cerr << "load: " << tried << " of " << wanted
                << " connections after the time to connect\n";
      return;
    }
    sleep_s(0.002);
  }
}

void Crowd::await_messages(std::uint64_t number) const {
  std::uint64_t last = received();
  std::uint64_t since = now_ns();
  while (seconds_since(since) <
         (last < number ? options_.drain : options_.linger)) {
    sleep_s(0.0005);
    const std::uint64_t now = received();
    if (now != last) since = now_ns();
    last = now;
  }
}

void Crowd::measure() {
  const std::uint32_t number = ++signals_.measurement;
  for (const auto& worker : workers_) {
    while (worker->measurement() != number) sleep_s(0.001);
  }
}

std::uint64_t Crowd::received() const {
  std::uint64_t sum = 0;
  for (const auto& worker : workers_) sum += worker->received();
  return sum;
}

std::uint64_t Crowd::answered() const {
  std::uint64_t sum = 0;
  for (const auto& worker : workers_) sum += worker->answered();
  return sum;
}

std::uint64_t Crowd::open() const {
  std::uint64_t sum = 0;
  for (const auto& worker : workers_) sum += worker->open();
  return sum;
}

std::uint64_t Crowd::last_received_ns() const {
  std::uint64_t last = 0;
  for (const auto& worker : workers_) {
    last = std::max(last, worker->last_received_ns());
  }
  return last;
}

std::vector<std::uint64_t> Crowd::audiences() const {
  std::vector<std::uint64_t> audiences(options_.subscribers.channels, 0);
  for (const auto& worker : workers_) {
    for (const auto& connection : worker->connections()) {
      if (connection.state != State::open) continue;
      ++audiences[connection.channel];
    }
  }
  return audiences;
}

std::uint64_t Crowd::missing_at_the_end(
    const std::vector<std::uint64_t>& sequences) const {
  std::uint64_t missing = 0;
  for (const auto& worker : workers_) {
    for (const auto& connection : worker->connections()) {
      if (connection.state != State::open) continue;
      const std::uint64_t last = sequences[connection.channel];
      missing += last - std::min(last, connection.sequence);
    }
  }
  return missing;
}

Tally Crowd::tally() const {
  Tally tally;
  for (const auto& worker : workers_) tally.add(worker->tally());
  return tally;
}

}  // namespace paperboy::load
