#include "broker/redis_caller.hpp"

#include <algorithm>
#include <optional>
#include <string>
#include <vector>

#include "fake_network.hpp"
#include "test.hpp"  // last: a macro of its own is called fail

namespace paperboy::broker::redis {
namespace {

constexpr Bytes kId = "0123456789abcdef0123456789abcdef01234567";

std::string info(Bytes role, Bytes id) {
  const std::string text = "# Replication\r\nrole:" + std::string(role) +
                           "\r\nmaster_failover_state:no-failover\r\n"
                           "master_replid:" +
                           std::string(id) + "\r\n";
  return "$" + std::to_string(text.size()) + "\r\n" + text + "\r\n";
}

/// The hash of a script is its number.
std::string loaded() {
  std::string bytes;
  for (std::size_t i = 0; i < kScripts; ++i) {
    bytes += "+hash" + std::to_string(i) + "\r\n";
  }
  return bytes;
}

constexpr Bytes kForgotten = "-NOSCRIPT No matching script.\r\n";

struct Fixture final : CallerEvents {
  Fixture() {
    options.timeout_ms = 1000;
    options.max_queue = 1200;
    caller.emplace(Context{network, options, refusals}, Server{"h"}, *this);
    peer().open();
    peer().answer("+OK\r\n+PONG\r\n");
    const std::string sent = peer().take();
    assert_true(sent.ends_with("INFO replication\n"));
  }
  void on_caller_up() override { log += "up\n"; }
  void on_caller_lost(Bytes why) override {
    log += "lost " + std::string(why) + "\n";
  }

  [[nodiscard]] FakeNetwork::Peer& peer() const { return *network.peers[0]; }
  void come_up() {
    peer().answer(info("master", kId));
    const std::string scripts = peer().take();
    assert_int_equal(count(scripts, "SCRIPT LOAD "), kScripts);
    peer().answer(loaded());
    assert_true(take() == "up\n");
  }
  static std::size_t count(const std::string& text, const std::string& word) {
    std::size_t found = 0;
    for (std::size_t at = text.find(word); at != std::string::npos;
         at = text.find(word, at + 1)) {
      ++found;
    }
    return found;
  }
  void call(const std::string& name) {
    caller->call(Script::signal, std::vector<std::string>{"k"},
                 std::vector<std::string>{name}, handler(name));
  }
  void command(const std::string& name) {
    caller->command(std::vector<std::string>{name}, handler(name));
  }
  ReplyHandler handler(const std::string& name) {
    return [this, name](const Result<Reply>& answer) {
      log += name + " " +
             (answer ? answer->text
                     : std::string(error_name(answer.error().code))) +
             "\n";
    };
  }
  std::string take() { return std::exchange(log, {}); }

  FakeNetwork network;
  Options options;
  Refusals refusals{network};
  std::string log;
  std::optional<Caller> caller;
};

void it_is_up_when_its_scripts_are_loaded(void**) {
  Fixture test;
  assert_false(test.caller->is_up());
  test.come_up();
  assert_true(test.caller->is_up());
  assert_true(test.caller->identity().replication_id == kId.substr(0, 16));
  test.call("a");
  test.command("PING");
  assert_true(test.peer().take() == "EVALSHA hash1 1 k a\nPING\n");
  test.peer().answer("+1\r\n+2\r\n");
  assert_true(test.take() == "a 1\nPING 2\n");
}

void what_cannot_be_used_is_left(void**) {
  const std::vector<std::pair<std::string, std::string>> all{
      {info("slave", kId), "it is a replica"},
      {info("", ""), "doesn't say who it is"},
      {info("master", "xyz"), "doesn't say who it is"},
      {"-NOPERM no\r\n", "NOPERM no"},
      {info("master", kId) + "-ERR Error compiling script\r\n", "SCRIPT LOAD"},
      {info("master", kId) + ":1\r\n", "SCRIPT LOAD"},
  };
  for (const auto& [answer, why] : all) {
    Fixture test;
    test.peer().answer(answer);
    const std::string told = test.take();
    assert_true(told.starts_with("lost "));
    assert_true(told.find(why) != std::string::npos);
  }
}

void nothing_is_sent_before_it_is_up(void**) {
  Fixture test;
  test.call("a");
  assert_true(test.take().empty());
  test.network.pass(0);
  assert_true(test.take() == "a unavailable\n");
  assert_true(test.peer().take().empty());
}

void forgotten_scripts_cost_no_call_and_no_order(void**) {
  Fixture test;
  test.come_up();
  for (const char* name : {"a", "b", "PING"}) {
    if (Bytes(name) == "PING") {
      test.command(name);
    } else {
      test.call(name);
    }
  }
  assert_true(test.peer().take() ==
              "EVALSHA hash1 1 k a\nEVALSHA hash1 1 k b\nPING\n");
  test.peer().answer(kForgotten);
  test.call("c");
  test.command("ECHO");
  assert_true(test.peer().take().empty());
  test.peer().answer(kForgotten);
  assert_true(test.peer().take().empty());
  test.peer().answer("+PONG\r\n");
  assert_true(test.take() == "PING PONG\n");
  assert_int_equal(Fixture::count(test.peer().take(), "SCRIPT LOAD "),
                   kScripts);
  test.call("d");
  test.peer().answer(loaded());
  assert_true(test.peer().take() ==
              "EVALSHA hash1 1 k a\nEVALSHA hash1 1 k b\n"
              "EVALSHA hash1 1 k c\nECHO\nEVALSHA hash1 1 k d\n");
  test.peer().answer("+1\r\n+2\r\n+3\r\n+4\r\n+5\r\n");
  assert_true(test.take() == "a 1\nb 2\nc 3\nECHO 4\nd 5\n");
  assert_int_equal(test.network.holding(), 0);
}

void a_call_is_sent_twice_at_most(void**) {
  Fixture test;
  test.come_up();
  test.call("a");
  test.peer().answer(kForgotten);
  test.peer().answer(loaded());
  test.peer().take();
  test.peer().answer(kForgotten);
  assert_true(test.take() == "a NOSCRIPT No matching script.\n");
  assert_true(test.peer().take().empty());
}

void what_a_server_says_of_itself_ends_the_connection(void**) {
  for (const Bytes word : {"-LOADING data\r\n", "-READONLY a replica\r\n",
                           "-MASTERDOWN link\r\n", "-NOAUTH needed\r\n"}) {
    Fixture test;
    test.come_up();
    for (const char* name : {"a", "b", "c"}) test.call(name);
    test.peer().answer("+1\r\n");
    test.peer().answer(word);
    const std::string told = test.take();
    assert_true(told.starts_with("a 1\n"));
    assert_true(told.find("b unavailable\n") != std::string::npos);
    assert_true(told.find("c unavailable\n") != std::string::npos);
    assert_true(told.ends_with("lost it answers " +
                               std::string(word.substr(1, word.size() - 3)) +
                               "\n"));
    assert_int_equal(test.network.holding(), 0);
  }
}

void other_errors_are_answers(void**) {
  Fixture test;
  test.come_up();
  test.call("a");
  test.peer().answer("-OOM command not allowed\r\n");
  assert_true(test.take() == "a OOM command not allowed\n");
  assert_true(test.caller->is_up());
}

void too_much_is_refused_until_answers_come(void**) {
  Fixture test;
  test.come_up();
  const std::string big(300, 'x');
  for (int i = 0; i < 4; ++i) test.call(big);
  assert_true(test.network.holding() > 0);
  test.network.pass(0);
  assert_true(test.take() == big + " unavailable\n");
  test.peer().answer("+1\r\n");
  test.call(big);
  test.peer().answer("+2\r\n+3\r\n+4\r\n");
  test.network.pass(0);
  assert_int_equal(Fixture::count(test.take(), "unavailable"), 0);
  assert_int_equal(test.network.holding(), 0);
}

void all_that_waits_is_told_of_the_loss(void**) {
  Fixture test;
  test.come_up();
  test.call("a");
  test.call("b");
  test.peer().answer(kForgotten);
  test.call("c");
  test.peer().events->on_lost("reset");
  const std::string told = test.take();
  for (const char* name : {"a", "b", "c"}) {
    assert_int_equal(Fixture::count(told, std::string(name) + " unavailable\n"),
                     1);
  }
  assert_true(told.ends_with("lost reset\n"));
  assert_int_equal(test.network.holding(), 0);
}

void an_answer_that_calls_again_is_answered_too(void**) {
  Fixture test;
  test.come_up();
  test.caller->command(std::vector<std::string>{"a"},
                       [&](const Result<Reply>&) { test.call("b"); });
  test.peer().events->on_lost("reset");
  test.network.pass(0);
  assert_true(test.take() == "lost reset\nb unavailable\n");
}

void a_change_of_its_history_is_told(void**) {
  Fixture test;
  test.come_up();
  test.caller->refresh_identity();
  test.call("a");
  assert_true(test.peer().take() == "INFO replication\nEVALSHA hash1 1 k a\n");
  test.peer().answer(info("master", std::string(40, 'f')) + "+1\r\n");
  assert_true(test.take() == "a 1\n");
  assert_true(test.caller->identity().replication_id == std::string(16, 'f'));
  assert_int_equal(test.network.logs.size(), 1);
  test.caller->refresh_identity();
  test.peer().answer(info("slave", std::string(40, 'f')));
  assert_true(test.take().find("it is a replica") != std::string::npos);
}

}  // namespace
}  // namespace paperboy::broker::redis

int main() {
  using namespace paperboy::broker::redis;
  const CMUnitTest tests[] = {
      cmocka_unit_test(it_is_up_when_its_scripts_are_loaded),
      cmocka_unit_test(what_cannot_be_used_is_left),
      cmocka_unit_test(nothing_is_sent_before_it_is_up),
      cmocka_unit_test(forgotten_scripts_cost_no_call_and_no_order),
      cmocka_unit_test(a_call_is_sent_twice_at_most),
      cmocka_unit_test(what_a_server_says_of_itself_ends_the_connection),
      cmocka_unit_test(other_errors_are_answers),
      cmocka_unit_test(too_much_is_refused_until_answers_come),
      cmocka_unit_test(all_that_waits_is_told_of_the_loss),
      cmocka_unit_test(an_answer_that_calls_again_is_answered_too),
      cmocka_unit_test(a_change_of_its_history_is_told),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
