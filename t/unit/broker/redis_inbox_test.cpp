// Back ends add to a stream of a real Redis what machines publish.
#include "broker/redis_inbox.hpp"

#include <algorithm>
#include <string>

#include "redis_machine.hpp"

#include "test.hpp"  // last: a macro of its own is called fail

namespace paperboy::broker::redis {
namespace {

constexpr const char* kStream = "paperboy:{0}:inbox";

struct Inboxes {
  explicit Inboxes(bool open = true) : world({server.address()}) {
    world.options.inbox = open;
    world.options.inbox_idle_ms = 300;
  }

  Machine::Worker& add() { return world.machine().add(); }
  Machine::Worker& add_hearing() {
    Machine::Worker& worker = add();
    assert_true(world.comes_up());
    assert_true(worker.broker.subscribe("news", 0).ok());
    assert_true(world.until([&] { return worker.hears.text == "@0;"; }));
    worker.hears.text.clear();
    return worker;
  }

  std::string xadd(const std::vector<std::string>& fields) const {
    std::vector<std::string> words{"XADD", kStream, "*"};
    words.insert(words.end(), fields.begin(), fields.end());
    return server.ask(words).text;
  }
  std::string add_message(const std::string& data) const {
    return xadd({"channel", "news", "data", data});
  }
  [[nodiscard]] bool is_empty() const {
    return server.ask({"XLEN", kStream}).integer == 0;
  }
  bool becomes_empty() {
    return world.until([&] { return is_empty(); });
  }
  [[nodiscard]] std::size_t consumers() const {
    return server.ask({"XINFO", "CONSUMERS", kStream, "paperboy"}).items.size();
  }
  [[nodiscard]] std::uint64_t count(Counter counter) const {
    std::uint64_t sum = 0;
    for (const auto& machine : world.machines) {
      for (const auto& worker : machine->workers) sum += worker->count(counter);
    }
    return sum;
  }
  [[nodiscard]] bool was_logged(const std::string& text) const {
    return std::ranges::any_of(world.network.logs, [&](const auto& line) {
      return line.find(text) != std::string::npos;
    });
  }

  RedisServer server;
  World world;
};

void what_is_added_is_heard_everywhere(void**) {
  Inboxes test;
  Machine::Worker& here = test.add();
  Machine::Worker& there = test.add_hearing();
  assert_true(here.broker.subscribe("news", 0).ok());
  test.world.assert_hears(here, "@0;");
  test.add_message("one");
  test.world.assert_hears(there, "1=one;");
  test.add_message("two");
  test.world.assert_hears(there, "1=one;2=two;");
  test.world.assert_hears(here, "@0;1=one;2=two;");
  assert_true(test.becomes_empty());
  assert_int_equal(test.count(Counter::redis_inbox), 2);
}

void machines_share_what_there_is(void**) {
  Inboxes test;
  Machine::Worker& here = test.add_hearing();
  test.add();
  test.add();
  for (int i = 0; i < 300; ++i) test.add_message("x");
  assert_true(test.becomes_empty());
  std::string expected;
  for (int i = 1; i <= 300; ++i) expected += std::to_string(i) + "=x;";
  test.world.assert_hears(here, expected);
  assert_int_equal(test.count(Counter::redis_inbox), 300);
}

void one_machine_keeps_the_order(void**) {
  Inboxes test;
  Machine::Worker& here = test.add_hearing();
  std::string expected;
  for (int i = 1; i <= 200; ++i) {
    test.add_message(std::to_string(i));
    expected += std::to_string(i) + "=" + std::to_string(i) + ";";
  }
  test.world.assert_hears(here, expected);
  assert_true(test.becomes_empty());
}

void the_key_of_an_entry_outlives_it_for_a_while(void**) {
  Inboxes test;
  test.add();
  assert_true(test.world.comes_up());
  const std::string id = test.add_message("x");
  const std::string key = Keys("paperboy:").idempotency("news", "inbox:" + id);
  std::int64_t left = 0;
  assert_true(test.world.until([&] {
    left = test.server.ask({"PTTL", key}).integer;
    return left > 0 && left <= 300'000;
  }));
  assert_true(test.is_empty());
}

/// Some were taken and lost with the connection, and more is new.
void what_was_taken_goes_before_what_is_new(void**) {
  Inboxes test;
  Machine& closed = test.world.machine();
  closed.options.inbox = false;
  Machine::Worker& hears = closed.add();
  assert_true(test.world.comes_up());
  assert_true(hears.broker.subscribe("news", 0).ok());
  test.world.assert_hears(hears, "@0;");
  (void)test.server.ask(
      {"XGROUP", "CREATE", kStream, "paperboy", "0", "MKSTREAM"});
  std::string expected = "@0;";
  for (int i = 1; i <= 120; ++i) {
    test.add_message(std::to_string(i));
    expected += std::to_string(i) + "=" + std::to_string(i) + ";";
  }
  (void)test.server.ask({"XREADGROUP", "GROUP", "paperboy", "dead", "COUNT",
                         "40", "STREAMS", kStream, ">"});
  usleep(400'000);  // until they are left behind
  test.add();
  test.world.assert_hears(hears, expected);
  assert_true(test.becomes_empty());
}

void nobody_reads_what_is_closed(void**) {
  Inboxes test(false);
  Machine::Worker& here = test.add_hearing();
  test.add_message("x");
  test.world.rest();
  assert_false(test.is_empty());
  assert_true(here.hears.text.empty());
}

void the_rule_of_the_channel_holds(void**) {
  Inboxes test;
  Machine& machine = test.world.machine();
  hub::Rule kept;
  kept.keep.count = 2;
  assert_true(machine.rules.add("kept", kept));
  // Without the rule the window would tell all three.
  machine.options.window = 1;
  Machine::Worker& here = machine.add();
  assert_true(test.world.comes_up());
  for (const char* data : {"a", "b", "c"}) {
    test.xadd({"channel", "kept", "data", data});
  }
  assert_true(test.becomes_empty());
  const auto page = test.world.history(here, {}, "kept");
  assert_true(page.ok());
  assert_int_equal(page->publications.size(), 2);
}

void a_key_publishes_once(void**) {
  Inboxes test;
  Machine::Worker& here = test.add_hearing();
  for (int i = 0; i < 3; ++i) {
    test.xadd({"channel", "news", "data", "x", "key", "k"});
  }
  assert_true(test.becomes_empty());
  test.world.assert_hears(here, "1=x;");
}

/// Who was killed after it had published, before it said so.
void what_a_dead_reader_left_is_published_once(void**) {
  Inboxes test;
  Machine& closed = test.world.machine();
  closed.options.inbox = false;
  Machine::Worker& publisher = closed.add();
  assert_true(test.world.comes_up());
  assert_true(publisher.broker.subscribe("news", 0).ok());
  test.world.assert_hears(publisher, "@0;");
  (void)test.server.ask(
      {"XGROUP", "CREATE", kStream, "paperboy", "0", "MKSTREAM"});
  const std::string first = test.add_message("one");
  test.add_message("two");
  (void)test.server.ask(
      {"XREADGROUP", "GROUP", "paperboy", "dead", "STREAMS", kStream, ">"});
  std::optional<Result<hub::Published>> done;
  publisher.broker.publish(
      {.channel = "news", .data = "one", .idempotency_key = "inbox:" + first},
      [&](const auto& answer) { done = answer; });
  assert_true(test.world.until([&] { return done.has_value(); }));
  test.add();
  assert_true(test.becomes_empty());
  test.world.assert_hears(publisher, "@0;1=one;2=two;");
  assert_true(test.world.until([&] { return test.consumers() == 1; }));
}

void what_can_never_be_published_is_thrown_away(void**) {
  Inboxes test;
  Machine::Worker& here = test.add_hearing();
  test.xadd({"data", "x"});
  test.xadd({"channel", std::string(300, 'c'), "data", "x"});
  test.xadd({"channel", "news", "data", "\xff"});
  test.xadd({"channel", "news", "data", std::string(kMaxInboxData + 1, 'x')});
  // More than the zone's log takes.
  test.xadd({"channel", "news", "data", std::string(100'000, 'x')});
  test.add_message("good");
  assert_true(test.becomes_empty());
  test.world.assert_hears(here, "1=good;");
  assert_int_equal(test.count(Counter::redis_inbox_refused), 5);
  assert_true(test.was_logged("the inbox paperboy:{0}:inbox: entry "));
  assert_true(test.was_logged(" is thrown away: no channel is named"));
}

/// It isn't even read: each time the connection would be lost.
void what_is_larger_than_a_reply_is_thrown_away(void**) {
  Inboxes test;
  test.world.options.max_reply = 3UL * 1024 * 1024;
  test.add_message("before");
  test.add_message(std::string(4UL * 1024 * 1024, 'x'));
  test.add();
  assert_true(test.world.comes_up());
  test.add_message("after");
  assert_true(test.becomes_empty());
  assert_int_equal(test.count(Counter::redis_inbox), 2);
  assert_int_equal(test.count(Counter::redis_inbox_refused), 1);
}

void what_can_not_be_published_now_is_later(void**) {
  Inboxes test;
  test.add();
  assert_true(test.world.comes_up());
  const std::string in_the_way = Keys("paperboy:").idempotency("other", "k");
  (void)test.server.ask({"LPUSH", in_the_way, "x"});
  test.xadd({"channel", "other", "data", "x", "key", "k"});
  test.world.rest(500);
  assert_false(test.is_empty());
  (void)test.server.ask({"DEL", in_the_way});
  assert_true(test.becomes_empty());
  assert_int_equal(test.count(Counter::redis_inbox), 1);
  assert_int_equal(test.count(Counter::redis_inbox_refused), 0);
}

/// More than are read at a time; of their channel others wait behind them.
void what_can_not_be_published_holds_up_no_other_channel(void**) {
  Inboxes test;
  Machine::Worker& here = test.add_hearing();
  assert_true(here.broker.subscribe("other", 0).ok());
  test.world.assert_hears(here, "@0;");
  here.hears.text.clear();
  const Keys keys("paperboy:");
  std::string expected = "1=good;";
  for (int i = 1; i <= 120; ++i) {
    const std::string key = std::to_string(i);
    if (i <= 110) {
      (void)test.server.ask({"LPUSH", keys.idempotency("other", key), "x"});
    }
    test.xadd({"channel", "other", "data", key, "key", key});
    expected += key + "=" + key + ";";
  }
  test.add_message("good");
  test.world.assert_hears(here, "1=good;");
  for (int i = 1; i <= 110; ++i) {
    const std::string key = keys.idempotency("other", std::to_string(i));
    (void)test.server.ask({"DEL", key});
  }
  test.world.assert_hears(here, expected);
  assert_true(test.becomes_empty());
  assert_int_equal(test.count(Counter::redis_inbox_refused), 0);
}

/// Of few bytes, and more words than a reply may have.
void what_has_many_fields_is_thrown_away(void**) {
  Inboxes test;
  test.world.options.max_reply = 3UL * 1024 * 1024;
  std::vector<std::string> fields(60'000, "x");
  test.xadd(fields);
  test.add();
  assert_true(test.world.comes_up());
  test.add_message("after");
  assert_true(test.becomes_empty());
  assert_int_equal(test.count(Counter::redis_inbox), 1);
  assert_int_equal(test.count(Counter::redis_inbox_refused), 1);
}

void it_goes_on_when_redis_has_forgotten_all(void**) {
  Inboxes test;
  Machine::Worker& here = test.add_hearing();
  test.add_message("one");
  test.world.assert_hears(here, "1=one;");
  test.server.kill();
  assert_true(test.world.goes_down());
  test.server.start();
  assert_true(test.world.comes_up());
  test.add_message("two");
  assert_true(
      test.world.until([&] { return test.count(Counter::redis_inbox) == 2; }));
  (void)test.server.ask({"FLUSHALL"});
  test.add_message("three");
  assert_true(
      test.world.until([&] { return test.count(Counter::redis_inbox) == 3; }));
  assert_true(test.becomes_empty());
}

void it_goes_on_when_its_connection_is_lost(void**) {
  Inboxes test;
  Machine::Worker& here = test.add_hearing();
  // Whoever is blocked is the inbox.
  std::string blocked;
  assert_true(test.world.until([&] {
    const std::string clients = test.server.ask({"CLIENT", "LIST"}).text;
    const std::size_t at = clients.find("flags=b ");
    if (at == std::string::npos) return false;
    const std::size_t line = clients.rfind('\n', at) + 1;            // or 0
    blocked = std::to_string(std::stoul(clients.substr(line + 3)));  // id=
    return true;
  }));
  assert_int_equal(test.server.ask({"CLIENT", "KILL", "ID", blocked}).integer,
                   1);
  test.add_message("one");
  test.world.assert_hears(here, "1=one;");
  assert_true(test.becomes_empty());
}

void another_worker_reads_when_one_goes(void**) {
  Inboxes test;
  Machine& machine = test.world.machine();
  for (int i = 0; i < 3; ++i) machine.add();
  assert_true(test.world.comes_up());
  for (int left = 3; left > 0; --left) {
    test.add_message("x");
    assert_true(test.becomes_empty());
    if (left > 1) machine.workers.pop_back();
  }
}

}  // namespace
}  // namespace paperboy::broker::redis

int main() {
  using namespace paperboy::broker::redis;
  const CMUnitTest tests[] = {
      cmocka_unit_test(what_is_added_is_heard_everywhere),
      cmocka_unit_test(machines_share_what_there_is),
      cmocka_unit_test(one_machine_keeps_the_order),
      cmocka_unit_test(the_key_of_an_entry_outlives_it_for_a_while),
      cmocka_unit_test(what_was_taken_goes_before_what_is_new),
      cmocka_unit_test(nobody_reads_what_is_closed),
      cmocka_unit_test(the_rule_of_the_channel_holds),
      cmocka_unit_test(a_key_publishes_once),
      cmocka_unit_test(what_a_dead_reader_left_is_published_once),
      cmocka_unit_test(what_can_never_be_published_is_thrown_away),
      cmocka_unit_test(what_is_larger_than_a_reply_is_thrown_away),
      cmocka_unit_test(what_can_not_be_published_now_is_later),
      cmocka_unit_test(what_can_not_be_published_holds_up_no_other_channel),
      cmocka_unit_test(what_has_many_fields_is_thrown_away),
      cmocka_unit_test(it_goes_on_when_redis_has_forgotten_all),
      cmocka_unit_test(it_goes_on_when_its_connection_is_lost),
      cmocka_unit_test(another_worker_reads_when_one_goes),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
