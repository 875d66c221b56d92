// Which worker of a machine relays, when workers come and go.
#include "broker/redis_relay.hpp"

#include <algorithm>
#include <cstring>
#include <string>

#include "redis_machine.hpp"

#include "test.hpp"  // last: a macro of its own is called fail

namespace paperboy::broker::redis {
namespace {

constexpr int kChannels = 20;

std::string name(int channel) { return "c" + std::to_string(channel); }

/// A machine with two workers, and another one that publishes.
struct Node {
  Node() {
    assert_true(world.comes_up());
    for (int i = 0; i < kChannels; ++i) {
      assert_true(goes.broker.subscribe(name(i), 0).ok());
      assert_true(stays.broker.subscribe(name(i), 0).ok());
    }
    assert_true(hears(goes, '@') && hears(stays, '@'));
    world.rest();
  }

  void publish(Bytes data) {
    for (int i = 0; i < kChannels; ++i) {
      assert_true(world.publish(far, data, name(i)).ok());
    }
  }

  /// So many of these, once for each channel.
  bool hears(const Machine::Worker& worker, char what) {
    return world.until([&] {
      return std::ranges::count(worker.hears.text, what) == kChannels;
    });
  }

  RedisServer server;
  World world{{server.address()}};
  Machine& machine = world.machine();
  Machine::Worker& stays = machine.add();
  Machine::Worker& goes = machine.add();
  Machine::Worker& far = world.machine().add();
};

void a_share_is_taken_over_before_anybody_ticks(void**) {
  Node node;
  node.world.ticks = false;
  node.machine.workers.pop_back();
  node.publish("x");
  assert_true(node.hears(node.stays, 'x'));
  assert_true(node.hears(node.stays, '@'));  // no gap
}

void workers_know_of_a_new_one_before_they_tick(void**) {
  RedisServer server;
  World world({server.address()});
  Machine& machine = world.machine();
  machine.add();
  world.ticks = false;
  for (int i = 0; i < 5; ++i) {
    machine.workers.push_back(std::make_unique<Machine::Worker>(
        machine, machine.zone.zone.claim_seat().value()));
  }
  world.rest();
  assert_int_equal(
      std::ranges::count_if(
          machine.workers,
          [](const auto& worker) { return worker->broker.speaks_for_node(); }),
      1);
}

void who_gives_way_hears_by_those_who_stay(void**) {
  Node node;
  node.goes.broker.give_way();
  node.publish("x");
  assert_true(node.hears(node.goes, 'x'));
  node.world.rest(4000);  // both listened for a while
  const auto before = node.goes.count(Counter::redis_imported);
  node.publish("y");
  assert_true(node.hears(node.goes, 'y'));
  assert_int_equal(node.goes.count(Counter::redis_imported), before);
  assert_true(node.hears(node.goes, '@'));
  assert_false(node.goes.broker.speaks_for_node());
}

void where_all_give_way_one_relays(void**) {
  Node node;
  node.goes.broker.give_way();
  node.stays.broker.give_way();
  node.world.rest(4000);
  node.publish("x");
  assert_true(node.hears(node.goes, 'x'));
  assert_true(node.hears(node.stays, 'x'));
  node.machine.workers.erase(node.machine.workers.begin());
  node.publish("y");
  assert_true(node.hears(node.goes, 'y'));
}

std::size_t relays(const Machine& machine) {
  return machine.zone.zone.relays().size();
}

void nobody_relays_before_redis_delivers(void**) {
  RedisServer server;
  server.kill();
  World world({server.address()});
  Machine& machine = world.machine();
  Machine::Worker& worker = machine.add();
  assert_true(worker.broker.subscribe("news", 0).ok());
  world.rest();
  assert_int_equal(relays(machine), 0);
  server.start();
  assert_true(world.comes_up());
  world.assert_hears(worker, "@0;");
  assert_int_equal(relays(machine), 1);
}

/// The ids of Redis's clients of a type.
std::vector<std::string> clients(const RedisServer& server, Bytes type) {
  const std::string list =
      server.ask({"CLIENT", "LIST", "TYPE", std::string(type)}).text;
  std::vector<std::string> ids;
  for (auto at = list.find("id="); at != std::string::npos;
       at = list.find("\nid=", at)) {
    at = list.find('=', at) + 1;
    ids.push_back(list.substr(at, list.find(' ', at) - at));
  }
  return ids;
}

bool admits(const RedisServer& server, int most) {
  return server.ask({"CONFIG", "SET", "maxclients", std::to_string(most)})
             .text == "OK";
}

void one_that_redis_refuses_has_no_share(void**) {
  RedisServer server;
  World world({server.address()});
  Machine& machine = world.machine();
  Machine::Worker& first = machine.add();
  assert_true(world.comes_up());
  assert_true(admits(server, 2));
  Machine::Worker& second = machine.add();
  for (int i = 0; i < kChannels; ++i) {
    assert_true(second.broker.subscribe(name(i), 0).ok());
  }
  const std::size_t all = kChannels * std::strlen("@0;");
  assert_true(world.until([&] { return second.hears.text.size() == all; }));
  for (int i = 0; i < kChannels; ++i) {
    assert_true(world.publish(first, "x", name(i)).ok());
  }
  assert_true(world.until(
      [&] { return std::ranges::count(second.hears.text, 'x') == kChannels; }));
  assert_int_equal(relays(machine), 1);
}

/// It isn't admitted again; and then it is.
void one_that_hears_nothing_gives_its_share_away_for_a_while(void**) {
  RedisServer server;
  World world({server.address()});
  Machine& machine = world.machine();
  machine.add();
  machine.add();
  assert_true(world.comes_up());
  assert_int_equal(relays(machine), 2);
  const auto listeners = clients(server, "pubsub");
  assert_int_equal(listeners.size(), 2);
  (void)server.ask({"CLIENT", "KILL", "ID", listeners[0]});
  assert_true(admits(server, 3));
  assert_true(world.until([&] { return relays(machine) == 1; }));
  const auto& one = machine.workers[machine.zone.zone.relays()[0].seat];
  for (int i = 0; i < kChannels; ++i) {
    assert_true(one->broker.subscribe(name(i), 0).ok());
  }
  const std::size_t all = kChannels * std::strlen("@0;");
  assert_true(world.until([&] { return one->hears.text.size() == all; }));
  assert_true(world.until([&] { return admits(server, 100); }));
  assert_true(world.comes_up());
  assert_int_equal(relays(machine), 2);
}

void where_nobody_hears_all_keep_their_shares(void**) {
  RedisServer server;
  World world({server.address()});
  Machine& machine = world.machine();
  machine.add();
  machine.add();
  assert_true(world.comes_up());
  server.kill();
  assert_true(world.goes_down());
  world.rest(5000);
  assert_int_equal(relays(machine), 2);
}

/// As where an old relay took it in while this one came: checks that passed
/// it by say nothing of it any more.
void what_another_anchored_is_compared_when_it_is_taken_on(void**) {
  RedisServer server;
  World world({server.address()});
  Machine& machine = world.machine();
  Machine::Worker& here = machine.add();
  Machine::Worker& far = world.machine().add();
  assert_true(world.comes_up());
  const std::string own = "own";
  std::string taken = "a";
  while (bucket_of(taken) != bucket_of(own)) taken += 'a';
  assert_true(here.broker.subscribe(own, 0).ok());
  world.assert_hears(here, "@0;");

  const auto first = world.publish(far, "1", taken);
  assert_true(first.ok());
  shm::Zone& zone = machine.zone.zone;
  assert_true(zone.subscribe(here.seat, taken, 0, shm::Anchor::later).ok());
  assert_true(zone.anchor(taken, first->position, {}, {}).ok());
  assert_true(world.publish(far, "2", taken).ok());
  world.rest(10 * static_cast<int>(machine.options.check_ms));
  world.assert_hears(here, "@0;@1;");
  const std::string demands = std::string(kDemands) + std::to_string(here.seat);
  assert_true(
      zone.publish({.channel = demands, .event = Event::passing, .data = taken})
          .ok());
  world.assert_hears(here, "@0;@1;2=2;");
}

}  // namespace
}  // namespace paperboy::broker::redis

int main() {
  using namespace paperboy::broker::redis;
  const CMUnitTest tests[] = {
      cmocka_unit_test(a_share_is_taken_over_before_anybody_ticks),
      cmocka_unit_test(workers_know_of_a_new_one_before_they_tick),
      cmocka_unit_test(who_gives_way_hears_by_those_who_stay),
      cmocka_unit_test(where_all_give_way_one_relays),
      cmocka_unit_test(nobody_relays_before_redis_delivers),
      cmocka_unit_test(one_that_redis_refuses_has_no_share),
      cmocka_unit_test(one_that_hears_nothing_gives_its_share_away_for_a_while),
      cmocka_unit_test(where_nobody_hears_all_keep_their_shares),
      cmocka_unit_test(what_another_anchored_is_compared_when_it_is_taken_on),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
