// What Redis loses, and what stands in it that Paperboy didn't write.
#include <string>

#include "redis_alone.hpp"

#include "test.hpp"  // last: a macro of its own is called fail

namespace paperboy::broker::redis {
namespace {

void what_redis_lost_while_no_worker_looked_is_seen_by_the_next(void**) {
  RedisServer server;
  Alone alone(server);
  alone.publish("1");
  (void)server.ask({"SAVE"});
  alone.publish("2");
  const auto last = alone.publish("3");
  assert_true(alone.hears("3=3;"));
  server.kill();
  alone.replace();
  server.start();
  assert_true(alone.world.comes_up());
  alone.world.rest();
  const auto next = alone.publish("other");
  assert_true(alone.hears("=other;"));
  assert_true(next.position.epoch != last.position.epoch);
}

void an_epoch_that_was_over_doesnt_come_back(void**) {
  RedisServer server;
  Alone alone(server);
  alone.publish("1");
  (void)server.ask({"SAVE"});
  const auto first = alone.publish("2");
  alone.restart(server);
  const auto second = alone.publish("another 2");
  assert_true(second.position.epoch != first.position.epoch);
  assert_true(alone.hears("=another 2;"));
  alone.restart(server);  // with what was saved before both
  const auto third = alone.publish("a third 2");
  assert_true(third.position.epoch != first.position.epoch);
  assert_true(third.position.epoch != second.position.epoch);
}

void a_stream_that_somebody_wrote_to_stops_nothing(void**) {
  RedisServer server;
  Alone alone(server);
  alone.publish("1");
  const std::string stream = alone.worker->broker.keys().stream("news");
  (void)server.ask({"XADD", stream, "90-0", "d", "nonsense"});
  const auto placed = alone.publish("2");
  assert_int_equal(placed.position.offset, 2);
  assert_true(alone.hears("2=2;"));
  (void)server.ask({"SET", stream, "nonsense"});
  assert_int_equal(alone.publish("3").position.offset, 3);
  assert_true(alone.hears("3=3;"));
}

/// More of it than the stream reaches back to.
void what_is_late_is_no_hole(void**) {
  RedisServer server;
  World world({server.address()});
  world.options.timeout_ms = 20'000;  // nor is delivery broken
  Machine& machine = world.machine();
  Machine::Worker& worker = machine.add();
  assert_true(world.comes_up());
  assert_true(worker.broker.subscribe("news", 0).ok());
  std::string expected = "@0;";
  world.assert_hears(worker, expected);
  world.network.holds_topics = true;
  const std::string data(10'000, 'x');
  for (int i = 1; i <= 150; ++i) {
    assert_true(world.publish(worker, data).ok());
    expected.append(std::to_string(i)).append("=").append(data).append(";");
  }
  world.rest(700);  // some comparisons
  world.network.holds_topics = false;
  assert_true(
      world.until([&] { return worker.hears.text.size() >= expected.size(); }));
  assert_true(worker.hears.text == expected);
}

std::uint64_t scripts_run(const RedisServer& server) {
  const std::string stats = server.ask({"INFO", "commandstats"}).text;
  const std::string name = "cmdstat_evalsha:calls=";
  const std::size_t at = stats.find(name);
  return at == std::string::npos ? 0
                                 : std::stoull(stats.substr(at + name.size()));
}

/// The first read is under way when the others come, who share the next.
void ten_thousand_that_come_back_cost_two_reads(void**) {
  RedisServer server;
  World world({server.address()});
  world.options.check_ms = 60'000;  // nothing else is asked
  Machine::Worker& worker = world.machine().add();
  assert_true(world.comes_up());
  assert_true(worker.broker.subscribe("news", 0).ok());
  world.assert_hears(worker, "@0;");
  std::uint64_t epoch = 0;
  for (int i = 1; i <= 5; ++i) {
    epoch = world.publish(worker, std::to_string(i))->position.epoch;
  }
  world.rest();
  const std::uint64_t before = scripts_run(server);
  std::size_t complete = 0;
  for (int i = 0; i < 10'000; ++i) {
    worker.broker.history(
        "news",
        {.since = Position{epoch, 2}, .limit = 10, .until = Position{epoch, 5}},
        [&](const Result<HistoryPage>& page) {
          complete += page && is_complete(*page, {epoch, 2});
        });
  }
  assert_true(world.until([&] { return complete == 10'000; }));
  assert_int_equal(scripts_run(server) - before, 2);
}

/// Where nobody publishes, either: whoever comes, and what was missed.
void a_key_that_is_no_stream_is_an_empty_one(void**) {
  RedisServer server;
  Alone alone(server);
  assert_true(alone.machine.rules.add(
      "kept", {.keep = {.count = 10, .bytes = 1000, .age_ms = 60'000}}));
  const Keys keys("paperboy:");
  assert_true(alone.world.publish(*alone.worker, "1", "kept").ok());
  (void)server.ask({"SET", keys.stream("kept"), "nonsense"});
  assert_true(alone.worker->broker.subscribe("kept", 0).ok());
  assert_true(alone.hears("@0;@1;"));
  // Two that it hasn't heard.
  const Bucket bucket = bucket_of("kept");
  const std::int64_t sequence =
      server.ask({"HINCRBY", keys.bucket(bucket), "s", "2"}).integer;
  (void)server.ask(
      {"ZADD", keys.changed(bucket), std::to_string(sequence), "kept"});
  (void)server.ask({"HINCRBY", keys.meta("kept"), "o", "2"});
  assert_true(alone.hears("@3;"));
  const auto lines =
      std::ranges::count_if(alone.world.network.logs, [](const auto& line) {
        return line.find("somebody else wrote") != std::string::npos;
      });
  assert_int_equal(lines, 1);
}

/// Whatever somebody else has written in the place of it.
void no_key_that_is_another_stops_anything(void**) {
  RedisServer server;
  Alone alone(server);
  const Keys keys("paperboy:");
  const Bucket bucket = bucket_of("news");
  std::uint64_t before = alone.publish("before").position.epoch;
  int number = 0;
  const auto goes_on = [&] {
    const std::string data = std::to_string(++number);
    const auto placed = alone.publish(data);
    assert_true(alone.hears("=" + data + ";"));
    const bool anew = placed.position.epoch != before;
    before = placed.position.epoch;
    return anew;
  };
  (void)server.ask({"SET", keys.changed(bucket), "nonsense"});
  assert_false(goes_on());
  (void)server.ask({"SET", keys.meta("news"), "nonsense"});
  assert_true(goes_on());
  (void)server.ask({"SET", keys.bucket(bucket), "nonsense"});
  assert_true(goes_on());
  (void)server.ask({"HSET", keys.bucket(bucket), "s", "nonsense"});
  assert_true(goes_on());
  (void)server.ask({"HSET", keys.meta("news"), "o", "nonsense"});
  assert_true(goes_on());
  (void)server.ask({"HSET", keys.meta("news"), "e", "nonsense"});
  assert_true(goes_on());
}

std::int64_t refusals(const RedisServer& server) {
  const std::string stats = server.ask({"INFO", "commandstats"}).text;
  const std::size_t calls = stats.find("cmdstat_evalsha:");
  const std::string what = "failed_calls=";
  return std::stol(stats.substr(stats.find(what, calls) + what.size()));
}

void what_redis_refuses_each_time_is_tried_ever_more_seldom(void**) {
  RedisServer server;
  World world({server.address()});
  world.options.check_ms = 60'000;
  Machine::Worker& worker = world.machine().add();
  assert_true(world.comes_up());
  (void)server.ask({"ACL", "SETUSER", "default", "-hmget"});
  assert_true(worker.broker.subscribe("news", 0).ok());
  world.rest(2500);
  // At 0, 200, 600, 1400 ms; 12 with the same pause each time.
  assert_in_range(refusals(server), 1, 5);
  (void)server.ask({"ACL", "SETUSER", "default", "+hmget"});
  world.assert_hears(worker, "@0;");
}

void nonsense_in_a_stream_is_left_out(void**) {
  RedisServer server;
  Alone alone(server);
  alone.world.options.window = 1;
  const Retention keep{.count = 2, .bytes = 1000, .age_ms = 60'000};
  assert_true(alone.machine.rules.add("news", {.keep = keep}));
  const std::string stream = alone.worker->broker.keys().stream("news");
  (void)server.ask({"XADD", stream, "0-1", "d", "nonsense"});
  for (int i = 1; i <= 4; ++i) {
    assert_true(
        alone.world.publish(*alone.worker, std::to_string(i), "news", keep)
            .ok());
    (void)server.ask({"XADD", stream, std::to_string(i) + "-1", "d", ""});
  }
  const auto page = alone.world.history(*alone.worker, {});
  assert_true(page.ok());
  assert_int_equal(page->publications.back().position.offset, 4);
}

void what_is_too_large_for_a_zone_is_a_gap_there(void**) {
  RedisServer server;
  Alone alone(server);
  shm::Options large = shm::small_options();
  large.log_size = 1024UL * 1024;
  Machine::Worker& far = alone.world.machine(large).add();
  assert_true(alone.world.comes_up());
  alone.publish("1");
  assert_true(alone.world.publish(far, std::string(40'000, 'x')).ok());
  assert_true(alone.world.publish(far, "3").ok());
  assert_true(alone.hears("1=1;@2;3=3;"));
}

void one_that_comes_back_from_afar_costs_others_nothing(void**) {
  RedisServer server;
  Alone alone(server);
  std::uint64_t epoch = 0;
  for (int i = 1; i <= 40; ++i) {
    epoch = alone.publish(std::to_string(i)).position.epoch;
  }
  assert_true(alone.hears("40=40;"));
  std::vector<HistoryPage> pages;
  for (const std::uint64_t offset : {39, 0, 35}) {
    alone.worker->broker.history("news",
                                 {.since = Position{epoch, offset},
                                  .limit = 10,
                                  .until = Position{epoch, 40}},
                                 [&](const Result<HistoryPage>& page) {
                                   assert_true(page.ok());
                                   pages.push_back(*page);
                                 });
  }
  assert_true(alone.world.until([&] { return pages.size() == 3; }));
  int complete = 0;
  for (const HistoryPage& page : pages) {
    complete += is_complete(page, {epoch, 39});
    complete += is_complete(page, {epoch, 35});
  }
  assert_int_equal(complete, 2);
}

/// The next worker hears of it by its own message, before anything was
/// compared.
void what_was_lost_is_seen_by_the_next_message_too(void**) {
  RedisServer server;
  Alone alone(server);
  alone.world.options.check_ms = 60'000;
  alone.publish("1");
  (void)server.ask({"SAVE"});
  const auto last = alone.publish("2");
  assert_true(alone.hears("2=2;"));
  server.kill();
  alone.replace();
  server.start();
  auto& engine = alone.worker->broker.engine();
  assert_true(alone.world.until([&] { return engine.is_up(0); }));
  const auto next = alone.publish("other");
  assert_true(next.position.epoch != last.position.epoch);
  assert_true(alone.hears("=other;"));
}

/// A worker connects anew, asks for its topics, and gives some of them away
/// before that is answered: the others are compared all the same.
void topics_that_are_given_away_hold_up_no_others(void**) {
  constexpr int kChannels = 40;
  RedisServer server;
  World world({server.address()});
  world.options.timeout_ms = 20'000;
  world.options.check_ms = 60'000;
  Machine& machine = world.machine();
  Machine::Worker& first = machine.add();
  Machine::Worker& far = world.machine().add();
  assert_true(world.comes_up());
  for (int i = 0; i < kChannels; ++i) {
    assert_true(first.broker.subscribe("c" + std::to_string(i), 0).ok());
  }
  const std::size_t anchors = std::strlen("@0;") * kChannels;
  assert_true(world.until([&] { return first.hears.text.size() == anchors; }));
  const redis::Keys& keys = first.broker.keys();
  for (int i = 0; i < kChannels; ++i) {
    const std::string channel = "c" + std::to_string(i);
    first.broker.engine().ignore(bucket_of(channel), keys.topic(channel));
  }
  world.rest(100);
  for (int i = 0; i < kChannels; ++i) {
    assert_true(world.publish(far, "x", "c" + std::to_string(i)).ok());
  }
  assert_int_equal(first.hears.text.size(), anchors);
  machine.add();
  (void)server.ask({"CLIENT", "KILL", "TYPE", "pubsub"});
  assert_true(
      world.until([&] { return first.count(Counter::redis_reconnects) > 0; }));
  assert_true(world.until([&] { return first.broker.engine().is_up(0); }));
  (void)server.ask({"CLIENT", "PAUSE", "4000"});
  const std::size_t all = anchors + std::strlen("1=x;") * kChannels;
  (void)world.until([&] { return first.hears.text.size() >= all; });
  assert_int_equal(first.hears.text.size(), all);
}

void another_name_for_the_same_history_ends_no_epoch(void**) {
  RedisServer server;
  Alone alone(server);
  Machine::Worker& far = alone.world.machine().add();
  assert_true(alone.world.comes_up());
  const auto first = alone.publish("1");
  for (int i = 0; i < 30; ++i) {
    (void)server.ask({"DEBUG", "CHANGE-REPL-ID"});
    for (int n = 0; n < 10; ++n) {
      const auto at = alone.world.publish(n % 2 ? far : *alone.worker, "x");
      assert_true(at->position.epoch == first.position.epoch);
    }
  }
}

std::vector<std::string> told_of_losses(const World& world) {
  std::vector<std::string> lines;
  for (const std::string& line : world.network.logs) {
    if (line.starts_with("Redis has lost")) lines.push_back(line);
  }
  return lines;
}

void a_loss_is_told_in_the_log(void**) {
  RedisServer server;
  Alone alone(server);
  alone.publish("1");
  (void)server.ask({"SAVE"});
  alone.publish("2");
  const std::string before(alone.worker->broker.engine().replication_id(0));
  alone.restart(server);
  alone.publish("3");
  const std::string after(alone.worker->broker.engine().replication_id(0));
  const auto lines = told_of_losses(alone.world);
  assert_int_equal(lines.size(), 1);
  const auto says = [&](const std::string& text) {
    assert_true(lines[0].find(text) != std::string::npos);
  };
  says("bucket " + std::to_string(bucket_of("news")) + ": ");
  says(before + ":2, generation 1-");
  says(" was seen, and there is " + after + ":1 " + before + ":1");
}

void many_losses_are_two_lines(void**) {
  constexpr int kChannels = 50;
  RedisServer server;
  Alone alone(server);
  for (int i = 0; i < kChannels; ++i) {
    const std::string channel = "c" + std::to_string(i);
    assert_true(alone.world.publish(*alone.worker, "x", channel).ok());
  }
  alone.restart(server);
  for (int i = 0; i < kChannels; ++i) {
    const std::string channel = "c" + std::to_string(i);
    assert_true(alone.world.publish(*alone.worker, "x", channel).ok());
  }
  assert_true(alone.world.until(
      [&] { return told_of_losses(alone.world).size() > 1; }));
  alone.world.rest(1500);
  const auto lines = told_of_losses(alone.world);
  assert_int_equal(lines.size(), 2);
  assert_true(lines[0].find("there is nothing") != std::string::npos);
  assert_true(lines[1].find(" more buckets") != std::string::npos);
}

void a_removal_that_wasnt_heard_is_found(void**) {
  RedisServer server;
  Alone alone(server);
  const Retention keep{.count = 10};
  assert_true(alone.machine.rules.add("news", {.keep = keep}));
  const auto at = alone.world.publish(*alone.worker, "1", "news", keep);
  assert_true(alone.hears("1=1;"));
  alone.worker->broker.engine().ignore(
      bucket_of("news"), alone.worker->broker.keys().topic("news"));
  alone.world.rest(100);
  bool done = false;
  alone.worker->broker.remove_history("news",
                                      [&](const auto&) { done = true; });
  assert_true(alone.world.until([&] { return done; }));
  alone.world.rest(1000);
  const Position top = at->position;
  const auto page = alone.world.history(
      *alone.worker, {.since = Position{top.epoch, 0}, .until = top});
  assert_true(page->publications.empty());
}

/// What a script answers on a server of this id, and is shown.
std::string generation(RedisServer& server, const std::string& id,
                       const std::string& g, const std::string& seen) {
  const Reply reply =
      server.ask({"EVAL", std::string(source(Script::position)), "1", "{1}", id,
                  "f", "e", "1000", "PUBLISH", g, seen, "0"});
  assert_int_equal(reply.items.size(), 2);
  return reply.items[0].text;
}

/// A server that starts changes its id once more with its first replica, and
/// some callers hear of that later than others.
void ids_that_come_by_turns_are_no_loss(void**) {
  RedisServer server;
  const std::string first(16, 'a');
  const std::string g = generation(server, first, "", "");
  for (int i = 0; i < 10; ++i) {
    const std::string id(16, i % 2 == 0 ? 'b' : 'c');
    assert_string_equal(generation(server, id, "", "").c_str(), g.c_str());
  }
  assert_string_equal(
      generation(server, std::string(16, 'b'), g, first).c_str(), g.c_str());
  assert_string_not_equal(
      generation(server, std::string(16, 'b'), g, std::string(16, 'd')).c_str(),
      g.c_str());
}

void a_node_that_was_away_for_some_starts_ends_no_epoch(void**) {
  RedisServer server;
  const std::string first(16, 'a');
  const std::string g = generation(server, first, "", "");
  for (char c = 'b'; c < 'b' + 16; ++c) {
    (void)generation(server, std::string(16, c), "", "");
  }
  const std::string last(16, 'z');
  assert_string_equal(generation(server, last, g, std::string(16, 'c')).c_str(),
                      g.c_str());
  assert_string_not_equal(generation(server, last, g, first).c_str(),
                          g.c_str());
}

/// Of a channel that no node has: what the zone says of channels is no help.
void what_was_seen_outlives_the_workers(void**) {
  RedisServer server;
  Alone alone(server);
  const auto publish = [&](Bytes data) {
    return alone.world.publish(*alone.worker, data, "elsewhere")->position;
  };
  const Position first = publish("1");
  (void)server.ask({"SAVE"});
  assert_int_equal(publish("2").epoch, first.epoch);
  server.kill();
  alone.machine.workers.clear();
  server.start();
  alone.replace();
  assert_true(alone.world.comes_up());
  assert_true(publish("another 2").epoch != first.epoch);
}

void workers_that_are_replaced_end_no_epoch(void**) {
  RedisServer server;
  Alone alone(server);
  const Position before = alone.publish("1").position;
  alone.replace();
  assert_true(alone.world.comes_up());
  alone.world.rest();
  (void)server.ask({"SAVE"});
  server.kill();
  alone.replace();
  server.start();
  assert_true(alone.world.comes_up());
  const Position after = alone.publish("2").position;
  assert_int_equal(after.epoch, before.epoch);
  assert_int_equal(after.offset, 2);
}

/// No worker has to live until the next tick for that.
void what_a_publisher_is_told_is_in_the_zone(void**) {
  RedisServer server;
  Alone alone(server);
  std::uint64_t noted = 0;
  alone.worker->broker.publish(
      {.channel = "elsewhere", .data = "1"}, [&](const auto& published) {
        assert_true(published.ok());
        const auto all = alone.machine.zone.zone.sightings();
        noted = all.value()[bucket_of("elsewhere")].sequence;
      });
  assert_true(alone.world.until([&] { return noted != 0; }));
  assert_int_equal(noted, 1);
}

}  // namespace
}  // namespace paperboy::broker::redis

int main() {
  using namespace paperboy::broker::redis;
  const CMUnitTest tests[] = {
      cmocka_unit_test(
          what_redis_lost_while_no_worker_looked_is_seen_by_the_next),
      cmocka_unit_test(an_epoch_that_was_over_doesnt_come_back),
      cmocka_unit_test(a_stream_that_somebody_wrote_to_stops_nothing),
      cmocka_unit_test(what_is_late_is_no_hole),
      cmocka_unit_test(ten_thousand_that_come_back_cost_two_reads),
      cmocka_unit_test(a_key_that_is_no_stream_is_an_empty_one),
      cmocka_unit_test(no_key_that_is_another_stops_anything),
      cmocka_unit_test(what_redis_refuses_each_time_is_tried_ever_more_seldom),
      cmocka_unit_test(nonsense_in_a_stream_is_left_out),
      cmocka_unit_test(what_is_too_large_for_a_zone_is_a_gap_there),
      cmocka_unit_test(one_that_comes_back_from_afar_costs_others_nothing),
      cmocka_unit_test(what_was_lost_is_seen_by_the_next_message_too),
      cmocka_unit_test(topics_that_are_given_away_hold_up_no_others),
      cmocka_unit_test(another_name_for_the_same_history_ends_no_epoch),
      cmocka_unit_test(a_loss_is_told_in_the_log),
      cmocka_unit_test(many_losses_are_two_lines),
      cmocka_unit_test(a_removal_that_wasnt_heard_is_found),
      cmocka_unit_test(ids_that_come_by_turns_are_no_loss),
      cmocka_unit_test(a_node_that_was_away_for_some_starts_ends_no_epoch),
      cmocka_unit_test(what_was_seen_outlives_the_workers),
      cmocka_unit_test(workers_that_are_replaced_end_no_epoch),
      cmocka_unit_test(what_a_publisher_is_told_is_in_the_zone),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
