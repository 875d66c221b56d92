// The engine against real servers that die, hang, load, and change their role.
#include <algorithm>
#include <string>

#include "broker/redis_url.hpp"
#include "redis_support.hpp"
#include "test.hpp"  // last: a macro of its own is called fail

namespace paperboy::broker::redis {
namespace {

void one_that_is_killed_and_started_again_is_found(void**) {
  RedisServer server;
  Node node(server.address());
  assert_true(node.comes_up());
  for (int round = 1; round <= 3; ++round) {
    assert_true(node.listens_to("t"));
    node.answers.clear();
    server.stop();
    for (int i = 0; i < 10; ++i) node.signal("t", "x");
    node.network.turn(5);
    server.kill();
    assert_true(node.goes_down());
    assert_true(node.answers_are(10));
    assert_int_equal(std::ranges::count(node.answers, "unavailable"), 10);
    assert_true(node.ask({"PING"}) == "unavailable");
    assert_int_equal(node.network.holding(), 0);
    for (int i = 0; i < 20; ++i) node.network.turn(20);
    server.start();
    assert_true(node.comes_up());
    assert_int_equal(node.told.ups, round + 1);
    // The listener is fresh.
    assert_int_equal(server.ask({"PUBLISH", "t", "x"}).integer, 0);
  }
}

void an_outage_is_a_line_a_change(void**) {
  RedisServer server;
  Node node(server.address());
  assert_true(node.comes_up());
  server.kill();
  assert_true(node.goes_down());
  for (int i = 0; i < 40; ++i) node.network.turn(20);
  const std::string name = name_of(server.address());
  assert_int_equal(node.lines_with("lost " + name), 1);
  assert_int_equal(node.lines_with("can't use " + name), 1);
  assert_int_equal(node.network.logs.size(), 3);
  server.start();
  assert_true(node.comes_up());
  assert_int_equal(node.lines_with("ms without"), 1);
  assert_int_equal(node.network.logs.size(), 4);
}

void one_that_pauses_is_left_and_found_again(void**) {
  const RedisServer server;
  Node node(server.address());
  assert_true(node.comes_up());
  assert_true(server.ask({"CLIENT", "PAUSE", "3000", "ALL"}).text == "OK");
  node.signal("t", "x");
  assert_true(node.network.holding() > 0);
  assert_true(node.goes_down());
  assert_true(node.answers == Answers({"unavailable"}));
  assert_int_equal(node.lines_with("didn't answer within 1000 ms"), 1);
  assert_true(node.comes_up());
  node.answers.clear();
  node.signal("t", "x");
  assert_true(node.answers_are(1) && node.answers[0] != "unavailable");
}

void one_that_hangs_is_noticed_without_a_command(void**) {
  const RedisServer server;
  Node node(server.address());
  assert_true(node.comes_up());
  server.stop();
  assert_true(node.goes_down());
  server.go_on();
  assert_true(node.comes_up());
}

void a_listener_that_is_killed_takes_the_link_along(void**) {
  const RedisServer server;
  Node node(server.address());
  assert_true(node.comes_up());
  assert_true(node.listens_to("t"));
  assert_int_equal(server.ask({"CLIENT", "KILL", "TYPE", "pubsub"}).integer, 1);
  assert_true(node.goes_down());
  assert_true(node.comes_up());
  assert_true(node.listens_to("t2"));
  assert_true(
      node.network.turn_until([&] { return node.network.connections() == 2; }));
}

void one_that_has_too_much_to_read_is_cut_off_and_returns(void**) {
  const RedisServer server(
      {"--client-output-buffer-limit", "pubsub 100kb 100kb 1"});
  Node node(server.address());
  assert_true(node.comes_up());
  assert_true(node.listens_to("t"));
  node.engine.read(false);
  node.network.turn(5);
  const std::string big(1024UL * 1024, 'x');
  for (int i = 0; i < 20; ++i) {
    static_cast<void>(server.ask({"PUBLISH", "t", big}));
  }
  assert_int_equal(node.told.downs, 0);
  node.engine.read(true);
  assert_true(node.goes_down());
  assert_true(node.comes_up());
  assert_true(node.listens_to("t"));
}

void it_is_made_anew_when_asked(void**) {
  const RedisServer server;
  Node node(server.address());
  assert_true(node.comes_up());
  node.command({"ECHO", "hello"});
  node.engine.reconnect(0, "no probe came back");
  assert_int_equal(node.told.downs, 0);  // not during the call
  assert_true(node.goes_down());
  assert_int_equal(node.lines_with("no probe came back"), 1);
  assert_true(node.answers_are(1));
  assert_true(node.comes_up());
}

void the_first_server_that_is_a_primary_is_taken(void**) {
  RedisServer first;
  const RedisServer replica(
      {"--replicaof", "127.0.0.1 " + std::to_string(first.port())});
  const RedisServer third;
  Server nobody = first.address();
  nobody.port = RedisServer::free_port();
  Node node(options_for(
      {nobody, replica.address(), first.address(), third.address()}));
  assert_true(node.comes_up());
  assert_int_equal(node.lines_with("it is a replica"), 1);
  assert_int_equal(node.lines_with(name_of(first.address()) + " is there"), 1);
  first.kill();
  assert_true(node.goes_down());
  assert_true(node.comes_up());
  assert_int_equal(node.lines_with(name_of(third.address()) + " is there"), 1);
  first.start();
  node.engine.reconnect(0, "enough");
  assert_true(node.goes_down());
  assert_true(node.comes_up());
  assert_int_equal(node.lines_with(name_of(first.address()) + " is there"), 2);
}

/// By a look at its role, and by its answer.
void one_that_is_demoted_is_left(void**) {
  const RedisServer other;
  const RedisServer server;
  const std::string port = std::to_string(other.port());
  for (const bool looks : {true, false}) {
    Node node(server.address());
    assert_true(node.comes_up());
    const std::string before(node.engine.replication_id(0));
    assert_true(server.ask({"REPLICAOF", "127.0.0.1", port}).text == "OK");
    if (looks) {
      node.engine.refresh_identity(0);
    } else {
      node.signal("t", "x");
      node.command({"SET", "a", "b"});
    }
    assert_true(node.goes_down());
    assert_int_equal(node.answers.size(), looks ? 0 : 2);
    assert_true(server.ask({"REPLICAOF", "NO", "ONE"}).text == "OK");
    assert_true(node.comes_up());
    assert_true(node.engine.replication_id(0) != before);
  }
}

void a_new_replication_id_is_told(void**) {
  const RedisServer other;
  const RedisServer server;
  Node node(server.address());
  assert_true(node.comes_up());
  const std::string before(node.engine.replication_id(0));
  const std::string port = std::to_string(other.port());
  assert_true(server.ask({"REPLICAOF", "127.0.0.1", port}).text == "OK");
  assert_true(server.ask({"REPLICAOF", "NO", "ONE"}).text == "OK");
  node.engine.refresh_identity(0);
  assert_true(node.network.turn_until(
      [&] { return node.engine.replication_id(0) != before; }));
  assert_int_equal(node.lines_with("it was " + before), 1);
  assert_int_equal(node.told.downs, 0);
}

void one_that_loads_its_data_is_waited_for(void**) {
  RedisServer server({"--key-load-delay", "3000",
                      "--loading-process-events-interval-bytes", "1024"});
  const std::string value(100, 'x');
  for (int i = 0; i < 500; ++i) {
    static_cast<void>(server.ask({"SET", "key" + std::to_string(i), value}));
  }
  assert_true(server.ask({"SAVE"}).text == "OK");
  server.kill();
  server.start();
  assert_true(server.ask({"PING"}).text.starts_with("LOADING"));
  Node node(server.address());
  assert_true(node.comes_up());
  assert_int_equal(node.lines_with("it answers LOADING"), 1);
  assert_true(node.ask({"DBSIZE"}) == "500");
}

void a_waiter_comes_back_too(void**) {
  RedisServer server;
  Node node(server.address());
  assert_true(node.comes_up());
  node.signal_and_wait("t", 1, 5000);
  assert_true(node.network.turn_until([&] {
    return server.ask({"INFO", "clients"}).text.find("blocked_clients:1") !=
           std::string::npos;
  }));
  server.kill();
  assert_true(node.goes_down());
  assert_true(node.answers_are(1) && node.answers[0] == "unavailable");
  server.start();
  assert_true(node.comes_up());
  node.answers.clear();
  node.signal_and_wait("t", 0, 1);
  assert_true(node.answers_are(1) && node.answers[0] == "fedcba9876543210");
  assert_int_equal(node.network.holding(), 0);
}

/// Its connection alone is lost; the link goes on.
void a_waiter_that_is_lost_is_made_anew(void**) {
  const RedisServer server;
  Node node(server.address());
  assert_true(node.comes_up());
  for (int round = 0; round < 3; ++round) {
    node.answers.clear();
    node.signal_and_wait("t", 1, 5000);
    std::string id;
    assert_true(node.network.turn_until([&] {
      const std::string clients = server.ask({"CLIENT", "LIST"}).text;
      const std::size_t at = clients.find(" flags=b");
      if (at == std::string::npos) return false;
      const std::size_t line = clients.rfind("id=", at);
      id = clients.substr(line + 3, clients.find(' ', line) - line - 3);
      return true;
    }));
    assert_int_equal(server.ask({"CLIENT", "KILL", "ID", id}).integer, 1);
    assert_true(node.answers_are(1) && node.answers[0] == "unavailable");
  }
  assert_int_equal(node.told.downs, 0);
  assert_int_equal(node.network.holding(), 0);
}

}  // namespace
}  // namespace paperboy::broker::redis

int main() {
  using namespace paperboy::broker::redis;
  const CMUnitTest tests[] = {
      cmocka_unit_test(one_that_is_killed_and_started_again_is_found),
      cmocka_unit_test(an_outage_is_a_line_a_change),
      cmocka_unit_test(one_that_pauses_is_left_and_found_again),
      cmocka_unit_test(one_that_hangs_is_noticed_without_a_command),
      cmocka_unit_test(a_listener_that_is_killed_takes_the_link_along),
      cmocka_unit_test(one_that_has_too_much_to_read_is_cut_off_and_returns),
      cmocka_unit_test(it_is_made_anew_when_asked),
      cmocka_unit_test(the_first_server_that_is_a_primary_is_taken),
      cmocka_unit_test(one_that_is_demoted_is_left),
      cmocka_unit_test(a_new_replication_id_is_told),
      cmocka_unit_test(one_that_loads_its_data_is_waited_for),
      cmocka_unit_test(a_waiter_comes_back_too),
      cmocka_unit_test(a_waiter_that_is_lost_is_made_anew),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
