// One machine with one worker, for tests of what Redis does to it.
#pragma once

#include <memory>
#include <string>

#include "redis_machine.hpp"

#include "test.hpp"  // last: a macro of its own is called fail

namespace paperboy::broker::redis {

/// A machine with a worker that listens to "news".
struct Alone {
  explicit Alone(const RedisServer& server)
      : world({server.address()}),
        machine(world.machine()),
        worker(&machine.add()) {
    assert_true(world.comes_up());
    assert_true(worker->broker.subscribe("news", 0).ok());
    world.assert_hears(*worker, "@0;");
  }

  hub::Published publish(Bytes data) {
    const auto published = world.publish(*worker, data);
    assert_true(published.ok());
    return *published;
  }

  /// Another worker in its place, as after a reload.
  void replace() {
    machine.workers.clear();
    worker = &machine.add();
    assert_true(worker->broker.subscribe("news", 0).ok());
  }

  void restart(RedisServer& server) {
    server.kill();
    assert_true(world.goes_down());
    server.start();
    assert_true(world.comes_up());
  }

  bool hears(const std::string& text) {
    return world.until(
        [&] { return worker->hears.text.find(text) != std::string::npos; },
        5000);
  }

  World world;
  Machine& machine;
  Machine::Worker* worker;
};

}  // namespace paperboy::broker::redis
