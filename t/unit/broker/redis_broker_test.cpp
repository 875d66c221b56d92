// Machines hear each other over a real Redis, and what becomes of that when it
// fails.
#include "broker/redis_broker.hpp"

#include <algorithm>
#include <string>

#include "redis_machine.hpp"

#include "test.hpp"  // last: a macro of its own is called fail

namespace paperboy::broker::redis {
namespace {

std::string numbered(int first, int last) {
  std::string text;
  for (int i = first; i <= last; ++i) {
    text += std::to_string(i) + "=" + std::to_string(i) + ";";
  }
  return text;
}

/// Two machines with a worker each.
struct Pair {
  explicit Pair(std::vector<Server> servers)
      : world(std::move(servers)),
        here(world.machine().add()),
        there(world.machine().add()) {
    assert_true(world.comes_up());
  }

  void publish(int first, int last, const Retention& keep = {}) {
    for (int i = first; i <= last; ++i) {
      assert_true(world.publish(there, std::to_string(i), "news", keep).ok());
    }
  }

  World world;
  Machine::Worker& here;
  Machine::Worker& there;
};

void what_one_machine_publishes_another_hears(void**) {
  RedisServer server;
  Pair pair({server.address()});
  const auto joined = pair.here.broker.subscribe("news", 0);
  assert_true(joined.ok());
  assert_int_equal(joined->top.epoch, 0);
  pair.world.assert_hears(pair.here, "@0;");
  const auto placed = pair.world.publish(pair.there, "1");
  assert_int_equal(placed->position.offset, 1);
  pair.publish(2, 50);
  pair.world.assert_hears(pair.here, "@0;" + numbered(1, 50));
  assert_int_equal(pair.here.hears.epoch, placed->position.epoch);
  assert_true(pair.here.broker.position(joined->ref) ==
              (Position{placed->position.epoch, 50}));
}

void whoever_comes_later_begins_where_the_channel_is(void**) {
  RedisServer server;
  Pair pair({server.address()});
  pair.publish(1, 3);
  assert_true(pair.here.broker.subscribe("news", 0).ok());
  pair.world.assert_hears(pair.here, "@3;");
  const auto again = pair.here.broker.subscribe("news", 0);
  assert_int_equal(again->top.offset, 3);
}

void workers_of_a_machine_share_the_channels(void**) {
  RedisServer server;
  World world({server.address()});
  Machine& machine = world.machine();
  Machine::Worker& one = machine.add();
  Machine::Worker& two = machine.add();
  assert_true(world.comes_up());
  for (int i = 0; i < 40; ++i) {
    const std::string channel = "c" + std::to_string(i);
    assert_true(one.broker.subscribe(channel, 0).ok());
    assert_true(two.broker.subscribe(channel, 0).ok());
  }
  std::string expected;
  for (int i = 0; i < 40; ++i) expected += "@0;";
  assert_true(world.until([&] {
    return one.hears.text.size() >= expected.size() &&
           two.hears.text.size() >= expected.size();
  }));
  one.hears.text.clear();
  two.hears.text.clear();
  expected.clear();
  for (int i = 0; i < 40; ++i) {
    const std::string channel = "c" + std::to_string(i);
    assert_true(world.publish(one, channel, channel).ok());
    expected += "1=" + channel + ";";
  }
  assert_true(world.until([&] {
    return one.hears.text.size() >= expected.size() &&
           two.hears.text.size() >= expected.size();
  }));
  world.rest();
  assert_int_equal(one.hears.text.size(), expected.size());
  assert_int_equal(two.hears.text.size(), expected.size());
  // Each message entered once, by one of them.
  assert_int_equal(
      one.count(Counter::redis_imported) + two.count(Counter::redis_imported),
      40);
  assert_true(one.count(Counter::redis_imported) > 0);
  assert_true(two.count(Counter::redis_imported) > 0);
}

void who_relays_nothing_is_proved_at_once(void**) {
  RedisServer redis;
  World world({redis.address()});
  Machine& machine = world.machine();
  for (int i = 0; i < 8; ++i) machine.add();
  assert_true(world.comes_up());
  for (const auto& worker : machine.workers) {
    assert_int_equal(worker->count(Counter::redis_reconnects), 0);
  }
}

void a_worker_that_goes_leaves_its_share_to_others(void**) {
  RedisServer server;
  World world({server.address()});
  Machine& machine = world.machine();
  Machine::Worker& stays = machine.add();
  machine.add();
  Machine::Worker& far = world.machine().add();
  assert_true(world.comes_up());
  for (int i = 0; i < 20; ++i) {
    assert_true(stays.broker.subscribe("c" + std::to_string(i), 0).ok());
  }
  assert_true(world.until([&] { return stays.hears.text.size() >= 60; }));
  stays.hears.text.clear();
  machine.workers.pop_back();
  for (int i = 0; i < 20; ++i) {
    assert_true(world.publish(far, "x", "c" + std::to_string(i)).ok());
  }
  assert_true(world.until([&] { return stays.hears.text.size() >= 80; }));
  world.rest();
  assert_int_equal(stays.hears.text.size(), 80);
  assert_null(std::strstr(stays.hears.text.c_str(), "@"));
}

/// Nobody else subscribed to them, so that nobody asks again.
void what_a_worker_that_goes_had_alone_is_taken_over(void**) {
  RedisServer server;
  World world({server.address()});
  Machine& machine = world.machine();
  Machine::Worker& stays = machine.add();
  Machine::Worker& goes = machine.add();
  Machine::Worker& far = world.machine().add();
  assert_true(world.comes_up());
  const Retention keep{.count = 10, .age_ms = 60'000};
  assert_true(machine.rules.add("*", {.keep = keep}));
  for (int i = 0; i < 20; ++i) {
    assert_true(goes.broker.subscribe("c" + std::to_string(i), 0).ok());
    assert_true(world.publish(far, "k", "c" + std::to_string(i), keep).ok());
  }
  assert_true(world.until([&] { return goes.hears.text.size() >= 60; }));
  world.rest();
  const shm::SeatIndex seat = goes.seat;
  machine.workers.pop_back();
  machine.zone.zone.release_seat(seat);
  world.rest(2000);
  for (int i = 0; i < 20; ++i) {
    assert_true(stays.broker.subscribe("c" + std::to_string(i), 0).ok());
  }
  world.rest();
  for (int i = 0; i < 20; ++i) {
    assert_true(world.publish(far, "x", "c" + std::to_string(i)).ok());
  }
  assert_true(world.until([&] {
    const std::string& text = stays.hears.text;
    return std::ranges::count(text, 'x') == 20;
  }));
}

void what_a_lost_listener_missed_is_repaired(void**) {
  RedisServer server;
  Pair pair({server.address()});
  assert_true(pair.here.broker.subscribe("news", 0).ok());
  pair.world.assert_hears(pair.here, "@0;");
  pair.publish(1, 5);
  pair.world.assert_hears(pair.here, "@0;" + numbered(1, 5));
  (void)server.ask({"CLIENT", "KILL", "TYPE", "pubsub"});
  for (int i = 6; i <= 9; ++i) {
    const std::string data = std::to_string(i);
    bool done = false;
    while (!done) {
      std::optional<bool> outcome;
      pair.there.broker.publish(
          {.channel = "news", .data = data, .idempotency_key = data},
          [&](const auto& answer) { outcome = answer.ok(); });
      assert_true(pair.world.until([&] { return outcome.has_value(); }));
      done = *outcome;
    }
  }
  pair.world.assert_hears(pair.here, "@0;" + numbered(1, 9));
}

void a_long_hole_is_read_in_parts(void**) {
  RedisServer server;
  Pair pair({server.address()});
  assert_true(pair.here.broker.subscribe("news", 0).ok());
  pair.world.assert_hears(pair.here, "@0;");
  Machine::Worker& here = pair.here;
  here.broker.engine().ignore(bucket_of("news"),
                              here.broker.keys().topic("news"));
  pair.world.rest(50);
  pair.publish(1, 900);
  pair.world.assert_hears(here, "@0;" + numbered(1, 900));
  assert_int_equal(here.count(Counter::redis_repaired), 900);
  assert_int_equal(here.count(Counter::redis_gaps), 0);
}

void what_the_stream_has_not_any_more_is_told(void**) {
  RedisServer server;
  Pair pair({server.address()});
  assert_true(pair.here.broker.subscribe("news", 0).ok());
  pair.world.assert_hears(pair.here, "@0;");
  Machine::Worker& here = pair.here;
  here.broker.engine().ignore(bucket_of("news"),
                              here.broker.keys().topic("news"));
  pair.world.rest(50);
  std::optional<Result<hub::Published>> outcome;
  for (int i = 1; i <= 3; ++i) {
    pair.there.broker.publish({.channel = "news", .data = std::to_string(i)},
                              [&](const auto& answer) { outcome = answer; });
  }
  while (!outcome) pair.world.network.turn(1);
  (void)server.ask({"DEL", here.broker.keys().stream("news")});
  pair.world.assert_hears(here, "@0;@3;");
  pair.publish(4, 4);
  pair.world.assert_hears(here, "@0;@3;" + numbered(4, 4));
  assert_true(here.count(Counter::redis_gaps) > 0);
}

void a_redis_that_kept_all_goes_on_where_it_was(void**) {
  RedisServer server({"--appendonly", "yes", "--appendfsync", "always"});
  Pair pair({server.address()});
  assert_true(pair.here.broker.subscribe("news", 0).ok());
  pair.world.assert_hears(pair.here, "@0;");
  pair.publish(1, 3);
  pair.world.assert_hears(pair.here, "@0;" + numbered(1, 3));
  server.kill();
  assert_false(pair.world.publish(pair.there, "lost").ok());
  assert_true(pair.world.goes_down());
  server.start();
  assert_true(pair.world.comes_up());
  pair.publish(4, 6);
  pair.world.assert_hears(pair.here, "@0;" + numbered(1, 6));
}

void a_redis_that_forgot_all_begins_anew_and_it_is_told(void**) {
  RedisServer server;
  Pair pair({server.address()});
  assert_true(pair.here.broker.subscribe("news", 0).ok());
  pair.world.assert_hears(pair.here, "@0;");
  pair.publish(1, 3);
  pair.world.assert_hears(pair.here, "@0;" + numbered(1, 3));
  server.kill();
  assert_true(pair.world.goes_down());
  server.start();
  assert_true(pair.world.comes_up());
  pair.world.assert_hears(pair.here, "@0;" + numbered(1, 3) + "^;@0;");
  pair.publish(1, 2);
  pair.world.assert_hears(pair.here,
                          "@0;" + numbered(1, 3) + "^;@0;" + numbered(1, 2));
}

void a_flush_is_told_without_a_message(void**) {
  RedisServer server;
  Pair pair({server.address()});
  assert_true(pair.here.broker.subscribe("news", 0).ok());
  pair.world.assert_hears(pair.here, "@0;");
  pair.publish(1, 2);
  pair.world.assert_hears(pair.here, "@0;" + numbered(1, 2));
  (void)server.ask({"FLUSHALL"});
  pair.world.assert_hears(pair.here, "@0;" + numbered(1, 2) + "^;@0;");
}

void forgotten_scripts_are_loaded_again(void**) {
  RedisServer server;
  Pair pair({server.address()});
  assert_true(pair.here.broker.subscribe("news", 0).ok());
  pair.world.assert_hears(pair.here, "@0;");
  pair.publish(1, 2);
  (void)server.ask({"SCRIPT", "FLUSH"});
  pair.publish(3, 5);
  pair.world.assert_hears(pair.here, "@0;" + numbered(1, 5));
}

/// A replica is promoted that has not the last writes; positions that were
/// seen would come a second time.
void a_promoted_replica_without_the_last_writes_is_seen(void**) {
  RedisServer primary;
  RedisServer replica(
      {"--replicaof", "127.0.0.1", std::to_string(primary.port())});
  Pair pair({primary.address(), replica.address()});
  assert_true(pair.here.broker.subscribe("news", 0).ok());
  pair.world.assert_hears(pair.here, "@0;");
  pair.publish(1, 3);
  const std::string meta = pair.here.broker.keys().meta("news");
  assert_true(pair.world.until([&] {
    return replica.ask({"HGET", meta, "o"}).text == "3";
  }));
  (void)replica.ask({"REPLICAOF", "127.0.0.1", "1"});
  pair.publish(4, 6);
  pair.world.assert_hears(pair.here, "@0;" + numbered(1, 6));
  primary.kill();
  assert_true(pair.world.goes_down());
  (void)replica.ask({"REPLICAOF", "NO", "ONE"});
  assert_true(pair.world.comes_up());
  // Offsets 4 to 6 would be used again: in another epoch they may.
  pair.publish(1, 3);
  assert_true(pair.world.until([&] {
    return pair.here.hears.text.find("^;") != std::string::npos &&
           pair.here.hears.text.ends_with(numbered(1, 3));
  }));
}

void a_promoted_replica_with_all_of_it_goes_on(void**) {
  RedisServer primary;
  RedisServer replica(
      {"--replicaof", "127.0.0.1", std::to_string(primary.port())});
  Pair pair({primary.address(), replica.address()});
  assert_true(pair.here.broker.subscribe("news", 0).ok());
  pair.world.assert_hears(pair.here, "@0;");
  pair.publish(1, 3);
  const std::string bucket = pair.here.broker.keys().bucket(bucket_of("news"));
  assert_true(pair.world.until([&] {
    return replica.ask({"HGET", bucket, "s"}).text == "3";
  }));
  primary.kill();
  assert_true(pair.world.goes_down());
  (void)replica.ask({"REPLICAOF", "NO", "ONE"});
  assert_true(pair.world.comes_up());
  pair.publish(4, 6);
  pair.world.assert_hears(pair.here, "@0;" + numbered(1, 6));
}

void who_comes_back_is_served_from_the_zone(void**) {
  RedisServer server;
  Pair pair({server.address()});
  const Retention keep{.count = 100};
  for (const auto& machine : pair.world.machines) {
    assert_true(machine->rules.add("news", {.keep = keep}));
  }
  pair.publish(1, 8, keep);
  assert_true(pair.here.broker.subscribe("news", 0).ok());
  pair.world.assert_hears(pair.here, "@8;");
  const std::uint64_t epoch = pair.here.hears.epoch;
  const auto page = pair.world.history(
      pair.here, {.since = Position{epoch, 5}, .until = Position{epoch, 8}});
  assert_int_equal(page->publications.size(), 3);
  assert_string_equal(page->publications[0].data.c_str(), "6");
  assert_true(page->top == (Position{epoch, 8}));
}

void history_is_what_redis_keeps(void**) {
  RedisServer server;
  Pair pair({server.address()});
  const Retention keep{.count = 5};
  for (const auto& machine : pair.world.machines) {
    assert_true(machine->rules.add("news", {.keep = keep}));
  }
  pair.publish(1, 8, keep);
  const auto all = pair.world.history(pair.here, {});
  assert_int_equal(all->publications.size(), 5);
  assert_int_equal(all->publications[0].position.offset, 4);
  assert_int_equal(all->top.offset, 8);
  const auto last =
      pair.world.history(pair.here, {.limit = 2, .reverse = true});
  assert_int_equal(last->publications.size(), 2);
  assert_int_equal(last->publications[0].position.offset, 8);
}

void a_history_that_is_removed_is_gone_everywhere(void**) {
  RedisServer server;
  Pair pair({server.address()});
  const Retention keep{.count = 100};
  for (const auto& machine : pair.world.machines) {
    assert_true(machine->rules.add("news", {.keep = keep}));
  }
  pair.publish(1, 4, keep);
  assert_true(pair.here.broker.subscribe("news", 0).ok());
  pair.world.assert_hears(pair.here, "@4;");
  bool done = false;
  pair.there.broker.remove_history("news", [&](const auto& answer) {
    assert_true(answer.ok());
    done = true;
  });
  assert_true(pair.world.until([&] { return done; }));
  pair.world.rest(100);
  const std::uint64_t epoch = pair.here.hears.epoch;
  const auto page = pair.world.history(
      pair.here, {.since = Position{epoch, 1}, .until = Position{epoch, 4}});
  assert_true(page->publications.empty());
  assert_int_equal(page->top.offset, 4);
}

void a_key_publishes_once(void**) {
  RedisServer server;
  Pair pair({server.address()});
  std::vector<hub::Published> answers;
  for (int i = 0; i < 2; ++i) {
    auto& worker = i == 0 ? pair.here : pair.there;
    worker.broker.publish(
        {.channel = "news", .data = "x", .idempotency_key = "k"},
        [&](const auto& answer) { answers.push_back(*answer); });
    assert_true(pair.world.until(
        [&] { return answers.size() == static_cast<std::size_t>(i) + 1; }));
  }
  assert_false(answers[0].repeated);
  assert_true(answers[1].repeated);
  assert_true(answers[0].position == answers[1].position);
}

void a_log_without_room_makes_redis_wait(void**) {
  RedisServer server;
  World world({server.address()});
  Machine::Worker& far = world.machine().add();
  Machine& machine = world.machine();
  Machine::Worker& here = machine.add();
  assert_true(world.comes_up());
  assert_true(here.broker.subscribe("news", 0).ok());
  world.assert_hears(here, "@0;");
  // The log has 64 KiB, and nobody reads it for so long that the stream, which
  // keeps 1 MiB, doesn't reach back any more.
  const std::string big(8000, 'x');
  int answered = 0;
  for (int i = 0; i < 300; ++i) {
    far.broker.publish({.channel = "news", .data = big},
                       [&](const auto& answer) { answered += answer.ok(); });
  }
  for (int i = 0; i < 200; ++i) world.network.turn(5);
  assert_int_equal(answered, 300);
  assert_true(world.until([&] { return here.hears.text.size() > 300 * 8000; }));
  assert_true(here.hears.text.find("300=") != std::string::npos);
  assert_int_equal(here.count(Counter::redis_gaps), 0);
}

void best_effort_reaches_those_here(void**) {
  RedisServer server;
  Pair pair({server.address()});
  assert_true(pair.here.broker.subscribe("news", 0).ok());
  pair.world.assert_hears(pair.here, "@0;");
  server.kill();
  assert_true(pair.world.until(
      [&] { return pair.here.count(Counter::redis_ready) == 0; }));
  bool done = false;
  pair.here.broker.publish(
      {.channel = "news", .data = "hello", .best_effort = true},
      [&](const auto& answer) { done = answer.ok(); });
  assert_true(pair.world.until([&] { return done; }));
  pair.world.assert_hears(pair.here, "@0;(hello);");
}

/// Between the workers of one machine, whatever becomes of Redis.
void what_stays_on_the_node_never_reaches_redis(void**) {
  RedisServer server;
  World world({server.address()});
  Machine& machine = world.machine();
  Machine::Worker& one = machine.add();
  Machine::Worker& two = machine.add();
  Machine::Worker& far = world.machine().add();
  assert_true(world.comes_up());
  const Bytes channel("\0\0own", 5);
  const auto joined = one.broker.subscribe(channel, 0);
  assert_true(joined->top.epoch != 0);
  assert_true(far.broker.subscribe(channel, 0).ok());
  bool published = false;
  const auto note = [&](const auto& answer) { published = answer.ok(); };
  two.broker.publish({.channel = channel, .data = "1", .keep = {.count = 9}},
                     note);
  assert_true(published);  // at once
  world.assert_hears(one, "1=1;");
  server.kill();
  published = false;
  two.broker.publish({.channel = channel, .data = "2", .keep = {.count = 9}},
                     note);
  assert_true(published);
  world.assert_hears(one, "1=1;2=2;");
  one.broker.history(channel, {}, [](const Result<HistoryPage>& page) {
    assert_int_equal(page->publications.size(), 2);
  });
  one.broker.remove_history(
      channel, [](const Result<Done>& done) { assert_true(done.ok()); });
  one.broker.history(channel, {}, [](const Result<HistoryPage>& page) {
    assert_int_equal(page->publications.size(), 0);
  });
  world.rest();
  assert_string_equal(far.hears.text.c_str(), "");
  one.broker.unsubscribe(joined->ref);
}

}  // namespace
}  // namespace paperboy::broker::redis

int main() {
  using namespace paperboy::broker::redis;
  const CMUnitTest tests[] = {
      cmocka_unit_test(what_one_machine_publishes_another_hears),
      cmocka_unit_test(whoever_comes_later_begins_where_the_channel_is),
      cmocka_unit_test(workers_of_a_machine_share_the_channels),
      cmocka_unit_test(who_relays_nothing_is_proved_at_once),
      cmocka_unit_test(a_worker_that_goes_leaves_its_share_to_others),
      cmocka_unit_test(what_a_worker_that_goes_had_alone_is_taken_over),
      cmocka_unit_test(what_a_lost_listener_missed_is_repaired),
      cmocka_unit_test(a_long_hole_is_read_in_parts),
      cmocka_unit_test(what_the_stream_has_not_any_more_is_told),
      cmocka_unit_test(a_redis_that_kept_all_goes_on_where_it_was),
      cmocka_unit_test(a_redis_that_forgot_all_begins_anew_and_it_is_told),
      cmocka_unit_test(a_flush_is_told_without_a_message),
      cmocka_unit_test(forgotten_scripts_are_loaded_again),
      cmocka_unit_test(a_promoted_replica_without_the_last_writes_is_seen),
      cmocka_unit_test(a_promoted_replica_with_all_of_it_goes_on),
      cmocka_unit_test(who_comes_back_is_served_from_the_zone),
      cmocka_unit_test(history_is_what_redis_keeps),
      cmocka_unit_test(a_history_that_is_removed_is_gone_everywhere),
      cmocka_unit_test(a_key_publishes_once),
      cmocka_unit_test(a_log_without_room_makes_redis_wait),
      cmocka_unit_test(best_effort_reaches_those_here),
      cmocka_unit_test(what_stays_on_the_node_never_reaches_redis),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
