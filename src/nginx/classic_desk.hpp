// A worker's part in the messaging with back ends of the classic protocol: its
// own connections to their Redis, and whether it is one of those that listen.
//
// Of a node the workers in its two lowest seats listen: so nothing is lost when
// one is killed, before another sees that and takes its place. One that has
// just begun listens for a while, and one that is told to go until it is gone,
// so that there is no moment between two generations in which nobody does.
//
// One a worker, on its event loop.
#pragma once

#include "nginx/ngx.hpp"

#include <cstdint>

#include "backend/redis_messaging.hpp"
#include "backend/taker.hpp"
#include "base/counters.hpp"
#include "nginx/conf.hpp"
#include "nginx/network.hpp"

namespace paperboy::nginx {

class Worker;

class ClassicDesk {
 public:
  /// Both must outlive this. `relays`: the zone knows of the worker already,
  /// as of one that brings in what another Redis delivers.
  ClassicDesk(Worker& worker, const ClassicConf& conf, bool relays);

  [[nodiscard]] hub::BackEnd& back_end() { return messaging_; }

  /// Once a second, and at first.
  void tick();

 private:
  void show(Counter gauge, bool& shown, bool now);
  [[nodiscard]] bool is_among_lowest() const;
  [[nodiscard]] bool publishes() const;

  Worker& worker_;
  const bool relays_;
  const std::uint64_t begun_;  // monotonic ms
  bool stays_ = false;         // others see that it listens if it is its turn
  bool ready_ = false;         // and that it can ask
  bool listens_ = false;
  NginxNetwork network_;
  backend::Taker taker_;
  backend::RedisMessaging messaging_;
};

}  // namespace paperboy::nginx
