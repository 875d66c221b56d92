// The engine against real servers: what it promises while they are well.
#include "broker/redis_engine_single.hpp"

#include <string>

#include "redis_support.hpp"
#include "test.hpp"  // last: a macro of its own is called fail

namespace paperboy::broker::redis {
namespace {

constexpr Bytes kEpoch = "fedcba9876543210";

std::string info(const RedisServer& server, const std::string& section,
                 const std::string& name) {
  const std::string text = server.ask({"INFO", section}).text;
  const std::size_t at = text.find(name);
  if (at == std::string::npos) return {};
  const std::size_t begin = at + name.size();
  return text.substr(begin, text.find_first_of(",\r", begin) - begin);
}

void it_comes_up_and_answers(void**) {
  const RedisServer server;
  Node node(server.address());
  assert_false(node.engine.is_up(0));
  assert_true(node.engine.replication_id(0).empty());
  assert_true(node.comes_up());
  assert_int_equal(node.told.ups, 1);
  assert_true(node.engine.replication_id(0) ==
              info(server, "replication", "master_replid:").substr(0, 16));
  assert_true(node.ask({"ECHO", "hello"}) == "hello");
  node.answers.clear();
  node.signal("t", "x");
  assert_true(node.answers_are(1) && node.answers[0] == kEpoch);
  assert_true(info(server, "clients", "connected_clients:") == "3");
}

void no_handler_is_called_during_its_call(void**) {
  const RedisServer server;
  Node node(server.address());
  node.command({"PING"});
  node.signal("t", "x");
  node.signal_and_wait("t", 1, 1);
  assert_true(node.answers.empty());
  assert_true(node.answers_are(3));
  for (const std::string& answer : node.answers) {
    assert_true(answer == "unavailable");
  }
  assert_int_equal(node.network.holding(), 0);
}

void messages_of_a_topic_come_from_its_confirmation_on(void**) {
  const RedisServer server;
  Node node(server.address());
  assert_true(node.comes_up());
  assert_true(node.listens_to("topic"));
  node.signal("topic", "one");
  node.signal("other", "two");
  node.signal("topic", "three");
  assert_true(
      node.network.turn_until([&] { return node.told.messages.size() == 2; }));
  assert_true(node.told.messages[0].first == "topic");
  assert_true(node.told.messages[0].second.ends_with("one"));
  assert_true(node.told.messages[1].second.ends_with("three"));
  node.engine.ignore(0, "topic");
  assert_true(node.listens_to("next"));
  assert_int_equal(server.ask({"PUBLISH", "topic", "four"}).integer, 0);
}

void a_turn_of_wishes_is_few_commands(void**) {
  const RedisServer server;
  Node node(server.address());
  assert_true(node.comes_up());
  const std::size_t count = 20'000;
  for (std::size_t i = 0; i < count; ++i) {
    node.engine.listen(0, "topic" + std::to_string(i));
  }
  assert_true(node.network.turn_until(
      [&] { return node.told.listening.size() == count; }));
  assert_true(node.told.listening[count - 1] == "topic19999");
  assert_true(info(server, "commandstats", "cmdstat_subscribe:calls=") == "40");
}

void scripts_that_were_forgotten_are_loaded_again(void**) {
  const RedisServer server;
  Node node(server.address());
  assert_true(node.comes_up());
  assert_true(node.listens_to("t"));
  for (int round = 0; round < 3; ++round) {
    node.answers.clear();
    node.told.messages.clear();
    assert_true(server.ask({"SCRIPT", "FLUSH"}).text == "OK");
    for (int i = 0; i < 100; ++i) {
      node.signal("t", std::to_string(i));
      if (i == 50) node.network.turn(20);
    }
    assert_true(node.answers_are(100));
    for (const std::string& answer : node.answers) {
      assert_true(answer == kEpoch);
    }
    assert_true(node.network.turn_until(
        [&] { return node.told.messages.size() == 100; }));
    for (std::size_t i = 0; i < 100; ++i) {
      assert_true(
          node.told.messages[i].second.ends_with("\n" + std::to_string(i)));
    }
  }
  assert_int_equal(node.lines_with("forgotten"), 3);
  assert_int_equal(node.told.ups, 1);
}

void a_database_is_chosen(void**) {
  const RedisServer server;
  Options options = options_for({server.address()});
  options.database = 3;
  Node node(options);
  assert_true(node.comes_up());
  assert_true(node.ask({"SET", "key", "value"}) == "OK");
  assert_true(info(server, "keyspace", "db3:keys=") == "1");
  options.database = 99;
  Node other(options);
  assert_true(other.network.turn_until(
      [&] { return other.lines_with("DB index is out of range") == 1; }));
}

void a_unix_socket_is_a_server_too(void**) {
  const RedisServer server;
  Node node(server.socket());
  assert_true(node.comes_up());
  assert_true(node.ask({"ECHO", "hello"}) == "hello");
  assert_int_equal(node.lines_with("unix:" + server.path() + " is there"), 1);
}

void a_password_is_told_to_the_server_alone(void**) {
  const RedisServer server({"--requirepass", "right"});
  Options options = options_for({server.address()});
  options.password = "right";
  Node good(options);
  assert_true(good.comes_up());
  options.password = "wrong";
  Node bad(options);
  assert_true(bad.network.turn_until(
      [&] { return bad.lines_with("refuses the user or password") > 0; }));
  options.password = "";
  Node none(options);
  assert_true(none.network.turn_until(
      [&] { return none.lines_with("wants a password") > 0; }));
  for (int i = 0; i < 20; ++i) bad.network.turn(20);
  assert_int_equal(bad.network.logs.size(), 1);
  assert_int_equal(bad.lines_with("wrong"), 0);
  assert_int_equal(good.lines_with("right"), 0);
}

/// The rules are those of docs/redis.md.
void a_user_needs_no_more_than_is_documented(void**) {
  const RedisServer server;
  const auto allow = [&](std::vector<std::string> channels) {
    std::vector<std::string> rules{
        "ACL",         "SETUSER",      "joe",           "reset",
        "on",          ">secret",      "resetkeys",     "resetchannels",
        "~paperboy:*", "-@all",        "+@hash",        "+@string",
        "+@stream",    "+@sortedset",  "+@set",         "+@scripting",
        "+@pubsub",    "+@connection", "+@transaction", "+@keyspace",
        "+info",       "+wait",        "+time"};
    rules.insert(rules.end(), channels.begin(), channels.end());
    assert_true(server.ask(rules).text == "OK");
  };
  allow({});
  Options options = options_for({server.address()});
  options.user = "joe";
  options.password = "secret";
  options.database = 1;
  Node node(options);
  assert_true(node.comes_up());
  node.engine.listen(0, "paperboy:t");
  assert_true(node.network.turn_until(
      [&] { return node.lines_with("its user needs the channels") == 1; }));
  allow({"&paperboy:*"});
  assert_true(node.network.turn_until(
      [&] { return node.engine.is_up(0) && node.listens_to("paperboy:t"); }));
  node.signal("paperboy:t", "x");
  node.signal_and_wait("paperboy:t", 0, 1);
  assert_true(node.answers_are(2));
  assert_true(node.answers == Answers(2, std::string(kEpoch)));
  assert_true(
      node.network.turn_until([&] { return node.told.messages.size() == 2; }));
  assert_int_equal(node.lines_with("secret"), 0);
}

void waiting_for_replicas_shares_and_holds_up_nobody(void**) {
  const RedisServer server;
  const RedisServer replica(
      {"--replicaof", "127.0.0.1 " + std::to_string(server.port())});
  Node node(server.address());
  assert_true(node.comes_up());
  assert_true(node.network.turn_until([&] {
    return info(replica, "replication", "master_link_status:") == "up";
  }));
  for (int i = 0; i < 100; ++i) node.signal_and_wait("t", 1, 5000);
  assert_true(node.answers_are(100));
  for (const std::string& answer : node.answers) assert_true(answer == kEpoch);
  assert_true(info(server, "commandstats", "cmdstat_wait:calls=") == "1");
  // Two replicas aren't to be had; who wants one, or none, gets it.
  node.answers.clear();
  node.signal_and_wait("t", 2, 300);
  node.signal_and_wait("t", 1, 300);
  node.command({"ECHO", "hello"});
  assert_true(node.answers_are(3));
  assert_true(node.answers ==
              Answers({"hello", std::string(kEpoch), "not_replicated"}));
  assert_int_equal(node.network.holding(), 0);
}

void what_waits_for_answers_is_bounded(void**) {
  const RedisServer server;
  Options options = options_for({server.address()});
  options.max_queue = 10'000;
  options.timeout_ms = 10'000;
  Node node(options);
  assert_true(node.comes_up());
  server.stop();
  const std::string big(3000, 'x');
  for (int i = 0; i < 5; ++i) node.command({"ECHO", big});
  node.signal_and_wait("t", 0, 1);
  assert_true(node.answers_are(2));
  assert_true(node.answers == Answers(2, "unavailable"));
  assert_true(node.network.holding() > 0);
  server.go_on();
  assert_true(node.answers_are(6));
  assert_int_equal(node.told.downs, 0);
  assert_int_equal(node.network.holding(), 0);
}

void reading_can_be_put_off(void**) {
  const RedisServer server;
  Node node(server.address());
  assert_true(node.comes_up());
  assert_true(node.listens_to("t"));
  node.engine.read(false);
  for (int i = 0; i < 10; ++i) node.signal("t", std::to_string(i));
  assert_true(node.answers_are(10));
  for (int i = 0; i < 10; ++i) node.network.turn(5);
  assert_int_equal(node.told.messages.size(), 0);
  // That holds for a listener to come.
  node.engine.reconnect(0, "to see");
  assert_true(node.goes_down());
  assert_true(node.comes_up());
  node.engine.listen(0, "t");
  for (int i = 0; i < 10; ++i) node.network.turn(5);
  assert_int_equal(node.told.listening.size(), 1);
  node.engine.read(true);
  assert_true(
      node.network.turn_until([&] { return node.told.listening.size() == 2; }));
  node.engine.read(false);
  node.answers.clear();
  for (int i = 0; i < 10; ++i) node.signal("t", std::to_string(i));
  assert_true(node.answers_are(10));
  for (int i = 0; i < 10; ++i) node.network.turn(5);
  assert_int_equal(node.told.messages.size(), 0);
  node.engine.read(true);
  assert_true(
      node.network.turn_until([&] { return node.told.messages.size() == 10; }));
  assert_int_equal(node.told.downs, 1);
}

void what_blocks_holds_up_nobody(void**) {
  RedisServer server;
  Node node(server.address());
  assert_true(node.comes_up());
  Answers popped;
  node.engine.command_and_block(
      0, {"BLPOP", "list", "0"}, 20'000,
      [&](const Result<Reply>& answer) { popped.push_back(text_of(answer)); });
  assert_true(node.network.turn_until([&] {
    return server.ask({"INFO", "clients"}).text.find("blocked_clients:1") !=
           std::string::npos;
  }));
  assert_true(node.ask({"PING"}) == "PONG");
  assert_int_equal(node.network.holding(), 0);
  assert_true(node.ask({"RPUSH", "list", "x"}) == "1");
  assert_true(node.network.turn_until([&] { return !popped.empty(); }));
  assert_true(popped[0] == "list");
  // It goes with the others, and is made anew with them.
  node.engine.command_and_block(
      0, {"BLPOP", "list", "0"}, 20'000,
      [&](const Result<Reply>& answer) { popped.push_back(text_of(answer)); });
  node.engine.reconnect(0, "a test");
  assert_true(node.network.turn_until([&] { return popped.size() == 2; }));
  assert_true(popped[1] == "unavailable");
  assert_true(node.comes_up());
  assert_true(node.ask({"RPUSH", "list", "y"}) == "1");
  node.engine.command_and_block(
      0, {"BLPOP", "list", "0"}, 20'000,
      [&](const Result<Reply>& answer) { popped.push_back(text_of(answer)); });
  assert_true(node.network.turn_until([&] { return popped.size() == 3; }));
  assert_true(popped[2] == "list");
}

}  // namespace
}  // namespace paperboy::broker::redis

int main() {
  using namespace paperboy::broker::redis;
  const CMUnitTest tests[] = {
      cmocka_unit_test(it_comes_up_and_answers),
      cmocka_unit_test(no_handler_is_called_during_its_call),
      cmocka_unit_test(messages_of_a_topic_come_from_its_confirmation_on),
      cmocka_unit_test(a_turn_of_wishes_is_few_commands),
      cmocka_unit_test(scripts_that_were_forgotten_are_loaded_again),
      cmocka_unit_test(a_database_is_chosen),
      cmocka_unit_test(a_unix_socket_is_a_server_too),
      cmocka_unit_test(a_password_is_told_to_the_server_alone),
      cmocka_unit_test(a_user_needs_no_more_than_is_documented),
      cmocka_unit_test(waiting_for_replicas_shares_and_holds_up_nobody),
      cmocka_unit_test(what_waits_for_answers_is_bounded),
      cmocka_unit_test(reading_can_be_put_off),
      cmocka_unit_test(what_blocks_holds_up_nobody),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
