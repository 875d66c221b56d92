// A server that changes its replication id while connections to it stay.
#include <string>

#include "redis_alone.hpp"

#include "test.hpp"  // last: a macro of its own is called fail

namespace paperboy::broker::redis {
namespace {

/// Two workers that hear at different times that the server has another id.
struct ByTurns {
  explicit ByTurns(const RedisServer& server) : server(server), alone(server) {
    alone.world.options.check_ms = 60'000;
    alone.machine.options.check_ms = 60'000;
    far = &alone.world.machine().add();
    assert_true(alone.world.comes_up());
    epoch = alone.publish("first").position.epoch;
  }

  void change() { (void)server.ask({"DEBUG", "CHANGE-REPL-ID"}); }
  void tell(Machine::Worker& worker) {
    auto& engine = worker.broker.engine();
    const std::string before(engine.replication_id(0));
    engine.refresh_identity(0);
    assert_true(alone.world.until(
        [&] { return engine.replication_id(0) != Bytes(before); }));
  }
  void publishes(Machine::Worker& worker, const std::string& data) {
    const auto at = alone.world.publish(worker, data);
    assert_true(at.ok());
    assert_true(at->position.epoch == epoch);
    assert_true(alone.hears("=" + data + ";"));
  }

  const RedisServer& server;
  Alone alone;
  Machine::Worker* far;
  std::uint64_t epoch;
};

/// The message is under an id that it doesn't know yet.
void who_hears_of_an_id_by_a_message_ends_no_epoch(void**) {
  RedisServer server;
  ByTurns it(server);
  it.change();
  it.tell(*it.far);
  it.publishes(*it.far, "under the next");
  it.tell(*it.alone.worker);
  it.publishes(*it.alone.worker, "after it");
}

/// The message is under the one before.
void who_hears_late_of_an_id_ends_no_epoch(void**) {
  RedisServer server;
  ByTurns it(server);
  it.change();
  it.tell(*it.alone.worker);
  it.publishes(*it.alone.worker, "under the next");
  it.publishes(*it.far, "under the one before");
  it.change();
  it.tell(*it.far);
  it.publishes(*it.far, "under the third");
  it.tell(*it.alone.worker);
  it.publishes(*it.alone.worker, "after it");
}

/// What it heard is in the zone, for who comes next.
void who_takes_over_what_was_heard_ends_no_epoch(void**) {
  RedisServer server;
  ByTurns it(server);
  it.change();
  it.tell(*it.far);
  it.publishes(*it.far, "under the next");
  it.alone.replace();
  assert_true(it.alone.world.comes_up());
  it.publishes(*it.alone.worker, "after it");
}

}  // namespace
}  // namespace paperboy::broker::redis

int main() {
  using namespace paperboy::broker::redis;
  const CMUnitTest tests[] = {
      cmocka_unit_test(who_hears_of_an_id_by_a_message_ends_no_epoch),
      cmocka_unit_test(who_hears_late_of_an_id_ends_no_epoch),
      cmocka_unit_test(who_takes_over_what_was_heard_ends_no_epoch),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
