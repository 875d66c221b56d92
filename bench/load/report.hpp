// What a run has found, in figures.
#pragma once

#include <string>

#include "json.hpp"
#include "options.hpp"
#include "publisher.hpp"
#include "tally.hpp"

namespace paperboy::load {

/// A stretch of time, and what it took of the processors.
class Period {
 public:
  /// Begins. The servers must outlive it.
  explicit Period(const Servers& servers);
  /// `last_ns`: when it was over, if that was before; 0: now.
  void end(std::uint64_t last_ns = 0);

  /// So far, until it has ended.
  [[nodiscard]] double seconds() const;
  /// On the monotonic clock, so that others can tell what was in it.
  [[nodiscard]] std::uint64_t began_ns() const { return began_ns_; }
  [[nodiscard]] double server_s() const {
    return servers_end_.run - begin_.run;
  }
  [[nodiscard]] double client_s() const { return client_s_; }
  [[nodiscard]] std::string server_json() const;

 private:
  const Servers& servers_;
  CpuTime begin_;
  CpuTime servers_end_;
  double client_s_;
  std::uint64_t began_ns_;
  double seconds_ = 0;
};

/// Memory, at a moment.
struct Room {
  explicit Room(const Servers& servers)
      : server(servers.memory()), all(machine()) {}

  Memory server;
  Machine all;
};

class Report {
 public:
  /// Options must outlive it.
  Report(const Options& options, Bytes mode);

  void add_connecting(std::uint64_t open, const Period& period);
  /// Of frames that came, those that were answered.
  void add_idle(const Period& period, std::uint64_t answered);
  void add_connections(const Tally& tally);
  void add_room(const Room& before, const Room& after, std::uint64_t open);
  void add_publishing(const Publisher& publisher, double seconds);
  void add_deliveries(const Tally& tally, std::uint64_t expected,
                      const Period& period, std::uint64_t published);
  void add_churn(const Tally& tally, const Period& period);
  void add_end(std::uint64_t open, const Tally& tally);

  void print() const;

 private:
  void say(Bytes what, double number, int digits);
  void say_fault(Bytes what, std::uint64_t number);

  const Options& options_;
  Json json_;
  std::string line_;
};

}  // namespace paperboy::load
