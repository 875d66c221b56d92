// What the log says while servers come and go: a line when one is lost, one
// when one is there again, and in between one for each server and reason, but
// none for each try. Owned by an engine.
#pragma once

#include <cstdint>
#include <set>
#include <string>

#include "broker/redis_network.hpp"

namespace paperboy::broker::redis {

class Outage {
 public:
  /// `cost`: what doesn't work while it lasts; must outlive it.
  Outage(Network& network, Bytes cost) : network_(network), cost_(cost) {}

  /// `server` can't be used. `was_up`: until now it was.
  void tell_lost(const std::string& server, Bytes why, bool was_up);

  /// `server` is there.
  void tell_up(const std::string& server, Bytes replication_id);

  /// It doesn't matter any more.
  void forget() { told_.clear(); }

 private:
  Network& network_;
  Bytes cost_;
  std::uint64_t begin_ms_ = 0;
  std::set<std::string> told_;  // of this outage
};

}  // namespace paperboy::broker::redis
