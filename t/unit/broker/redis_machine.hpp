// Machines with workers on one Redis, for tests of the broker: each machine has
// a zone of its own, all of them one loop.
#pragma once

#include <array>
#include <atomic>
#include <cassert>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "broker/redis_broker.hpp"
#include "broker/redis_engines.hpp"
#include "poll_network.hpp"
#include "redis_server.hpp"
#include "shm_support.hpp"

namespace paperboy::broker::redis {

/// Notes what a worker is told: "offset=data;" for messages, "@offset;" for
/// anchors, "^epoch;" before them where it is another.
class Hearer final : public hub::BrokerEvents {
 public:
  void on_publication(hub::ChannelRef ref, const Publication& heard) override {
    if (heard.channel.starts_with(kDemands)) return;
    std::uint64_t& before = epochs[ref];
    if (heard.position.epoch != before && before != 0) text += "^;";
    before = epoch = heard.position.epoch;
    if (heard.event == Event::anchor) {
      text += "@" + std::to_string(heard.position.offset) + ";";
    } else if (heard.event == Event::message) {
      text += std::to_string(heard.position.offset) + "=" +
              std::string(heard.data) + ";";
    } else {
      text += "(" + std::string(heard.data) + ");";
    }
  }

  std::string text;
  std::uint64_t epoch = 0;  // the last
  std::map<hub::ChannelRef, std::uint64_t> epochs;
};

class Machine {
 public:
  struct Worker {
    Worker(Machine& machine, shm::SeatIndex seat)
        : seat(seat),
          row(machine.zone.zone.counters(seat)),
          counters(row),
          broker(machine.zone.zone, seat, machine.rules, machine.options,
                 machine.network, make_engine(machine.network, machine.options),
                 counters) {}

    [[nodiscard]] std::uint64_t count(Counter counter) const {
      return row[static_cast<std::size_t>(counter)];
    }

    shm::SeatIndex seat;
    Counters::Row row;
    Counters counters;
    RedisBroker broker;
    Hearer hears;
  };

  Machine(PollNetwork& network, Options options,
          const shm::Options& memory = shm::small_options())
      : network(network), options(std::move(options)), zone(memory) {}

  Worker& add() {
    workers.push_back(
        std::make_unique<Worker>(*this, zone.zone.claim_seat().value()));
    tick();
    return *workers.back();
  }

  void tick() {
    for (const auto& worker : workers) worker->broker.tick();
  }
  void drain() {
    for (const auto& worker : workers) {
      while (worker->broker.drain(worker->hears) == hub::Drained::more) {
      }
    }
  }

  PollNetwork& network;
  Options options;
  hub::RuleSet rules;
  shm::TestZone zone;
  std::vector<std::unique_ptr<Worker>> workers;
};

/// As directives might say it, but impatient.
inline Options impatient(std::vector<Server> servers) {
  Options options;
  options.servers = std::move(servers);
  options.timeout_ms = 1000;
  options.retry_ms = 10;
  options.max_retry_ms = 50;
  options.check_ms = 100;
  return options;
}

class World {
 public:
  explicit World(std::vector<Server> servers)
      : options(impatient(std::move(servers))) {}

  Machine& machine(const shm::Options& memory = shm::small_options()) {
    machines.push_back(std::make_unique<Machine>(network, options, memory));
    return *machines.back();
  }

  /// A turn of all loops, and every 200 ms the tick, where they tick.
  void turn() {
    network.turn(5);
    for (const auto& machine : machines) machine->drain();
    const std::uint64_t now = network.clock().monotonic_ms();
    if (!ticks || now - ticked_ < 200) return;
    ticked_ = now;
    for (const auto& machine : machines) machine->tick();
  }

  bool until(const std::function<bool()>& holds, int ms = 15'000) {
    const std::uint64_t end =
        network.clock().monotonic_ms() + static_cast<std::uint64_t>(ms);
    while (!holds()) {
      if (network.clock().monotonic_ms() > end) return false;
      turn();
    }
    return true;
  }

  /// Whatever is under way arrives.
  void rest(int ms = 300) {
    (void)until([] { return false; }, ms);
  }

  Result<hub::Published> publish(Machine::Worker& worker, Bytes data,
                                 Bytes channel = "news",
                                 const Retention& keep = {}) {
    std::optional<Result<hub::Published>> outcome;
    worker.broker.publish({.channel = channel, .data = data, .keep = keep},
                          [&](const auto& answer) { outcome = answer; });
    assert_true(until([&] { return outcome.has_value(); }));
    return *outcome;
  }

  Result<HistoryPage> history(Machine::Worker& worker,
                              const HistoryQuery& query,
                              Bytes channel = "news") {
    std::optional<Result<HistoryPage>> outcome;
    worker.broker.history(channel, query,
                          [&](const auto& answer) { outcome = answer; });
    assert_true(until([&] { return outcome.has_value(); }));
    return *outcome;
  }

  void assert_hears(const Machine::Worker& worker, const std::string& text) {
    (void)until([&] { return worker.hears.text.size() >= text.size(); });
    rest(50);
    assert_string_equal(worker.hears.text.c_str(), text.c_str());
  }

  bool goes_down() {
    return until([&] {
      for (const auto& machine : machines) {
        for (const auto& worker : machine->workers) {
          if (worker->count(Counter::redis_ready) != 0) return false;
        }
      }
      return true;
    });
  }

  bool comes_up() {
    return until([&] {
      for (const auto& machine : machines) {
        for (const auto& worker : machine->workers) {
          if (worker->count(Counter::redis_ready) != 1) return false;
        }
      }
      return true;
    });
  }

  PollNetwork network;
  Options options;
  std::vector<std::unique_ptr<Machine>> machines;
  bool ticks = true;

 private:
  std::uint64_t ticked_ = 0;
};

}  // namespace paperboy::broker::redis
