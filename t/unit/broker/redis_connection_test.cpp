#include "broker/redis_connection.hpp"

#include <optional>
#include <string>
#include <vector>

#include "fake_network.hpp"
#include "test.hpp"  // last: a macro of its own is called fail

namespace paperboy::broker::redis {
namespace {

struct Fixture final : ConnectionEvents {
  explicit Fixture(const Login& login = {}) {
    options.timeout_ms = 1000;
    options.max_reply = 1024UL * 1024;
    connection.emplace(network, options, Server{"h"}, login, *this);
  }
  void on_ready() override { log += "ready\n"; }
  bool on_push(const Reply& reply) override {
    if (reply.items.empty() || reply.items[0].text != "message") return false;
    log += "push " + reply.items[1].text + "\n";
    return true;
  }
  void on_lost(Bytes why) override { log += "lost " + std::string(why) + "\n"; }

  [[nodiscard]] FakeNetwork::Peer& peer() const { return *network.peers[0]; }
  void log_in() {
    peer().open();
    peer().answer("+OK\r\n+PONG\r\n");
    assert_true(take() == "ready\n");
    peer().take();
  }
  void send(const std::string& name, std::size_t answers = 1,
            std::uint64_t more_ms = 0) {
    std::string command;
    append_command(command, std::vector<Bytes>{name});
    connection->send(
        command,
        [this, name](const Result<Reply>& answer) {
          const bool error = !answer || answer->is_error();
          log += name + (error ? "! " : " ") +
                 (answer ? answer->text
                         : std::string(error_name(answer.error().code))) +
                 "\n";
        },
        answers, more_ms);
  }
  std::string take() { return std::exchange(log, {}); }

  FakeNetwork network;
  Options options;
  std::string log;
  std::optional<Connection> connection;
};

void it_says_who_it_is_before_it_is_ready(void**) {
  Fixture plain;
  plain.peer().open();
  assert_true(plain.peer().take() == "CLIENT SETNAME paperboy\nPING\n");
  plain.peer().answer("-NOPERM no names\r\n");  // a name is a courtesy
  assert_true(plain.take().empty());
  plain.peer().answer("+PONG\r\n");
  assert_true(plain.take() == "ready\n");

  Fixture user({"joe", "secret", 7});
  user.peer().open();
  assert_true(user.peer().take() ==
              "AUTH joe secret\nCLIENT SETNAME paperboy\nSELECT 7\n");
  Fixture password({"", "secret", 0});
  password.peer().open();
  assert_true(password.peer().take() ==
              "AUTH secret\nCLIENT SETNAME paperboy\nPING\n");
}

std::string lost_by(const Login& login, Bytes answers) {
  Fixture test(login);
  test.peer().open();
  test.peer().answer(answers);
  assert_true(test.connection->is_lost());
  assert_false(test.peer().alive);
  return test.take();
}

void what_stands_in_its_way_is_said_without_the_password(void**) {
  const Login login{"joe", "hunter2", 1};
  assert_true(lost_by(login, "-WRONGPASS invalid\r\n").find("WRONGPASS inv") !=
              std::string::npos);
  const std::string unknown = lost_by(
      login, "-ERR unknown command 'AUTH', with args: 'joe' 'hunter2'\r\n");
  assert_true(unknown.find("refuses the user") != std::string::npos);
  assert_true(unknown.find("hunter2") == std::string::npos);
  assert_true(lost_by(login, "+OK\r\n+OK\r\n-ERR DB index is out of range\r\n")
                  .find("DB index") != std::string::npos);
  assert_true(lost_by({}, "+OK\r\n-LOADING data\r\n").find("LOADING data") !=
              std::string::npos);
  assert_true(lost_by({}, "HTTP/1.1 400 Bad Request\r\n").find("no reply") !=
              std::string::npos);
}

void answers_come_in_order_wherever_they_are_cut(void**) {
  const std::string bytes =
      "+1\r\n$1\r\n2\r\n*3\r\n$7\r\nmessage\r\n+t\r\n+x\r\n-E\r\n";
  for (std::size_t i = 0; i <= bytes.size(); ++i) {
    Fixture test;
    test.log_in();
    for (const char* name : {"a", "b", "c"}) test.send(name);
    assert_true(test.peer().take() == "a\nb\nc\n");
    test.peer().answer(Bytes(bytes).substr(0, i));
    test.peer().answer(Bytes(bytes).substr(i));
    assert_true(test.take() == "a 1\nb 2\npush t\nc! E\n");
    assert_true(test.connection->is_idle());
  }
}

void a_command_may_have_many_answers_but_one_error(void**) {
  Fixture test;
  test.log_in();
  test.send("a", 3);
  test.send("b", 3);
  test.send("c");
  test.peer().answer("+1\r\n+2\r\n+3\r\n+4\r\n-E\r\n+5\r\n");
  assert_true(test.take() == "a 1\na 2\na 3\nb 4\nb! E\nc 5\n");
}

void what_is_owed_is_told_of_the_loss(void**) {
  Fixture test;
  test.log_in();
  test.send("a");
  test.send("b", 2);
  test.peer().answer("+1\r\n+2\r\n");
  test.peer().events->on_lost("reset");
  assert_true(test.take() == "a 1\nb 2\nb! unavailable\nlost reset\n");
  test.connection->close("again");
  test.network.pass(10'000);
  assert_true(test.take().empty());
}

void an_answer_that_nobody_waits_for_is_the_end(void**) {
  Fixture test;
  test.log_in();
  test.peer().answer("+what\r\n+more\r\n");
  assert_true(test.take() == "lost it sent what nobody asked for: what\n");
}

void what_is_not_answered_in_time_is_the_end(void**) {
  Fixture test;
  test.log_in();
  test.send("a");
  test.network.pass(600);
  test.send("b");
  test.peer().answer("+1\r\n");
  test.network.pass(999);
  assert_true(test.take() == "a 1\n");
  test.network.pass(1);
  assert_true(test.take() ==
              "b! unavailable\nlost it didn't answer within 1000 ms\n");
}

void some_may_take_longer_and_others_after_them_not(void**) {
  Fixture test;
  test.log_in();
  test.send("a", 1, 5000);
  test.send("b");
  test.network.pass(5999);
  test.peer().answer("+1\r\n+2\r\n");
  test.send("c");
  test.network.pass(999);
  assert_true(test.take() == "a 1\nb 2\n");
  test.network.pass(1);
  assert_true(test.connection->is_lost());
}

void one_that_took_less_leaves_no_more_time_to_others(void**) {
  Fixture test;
  test.log_in();
  test.network.pass(1500);
  test.send("a", 1, 5000);
  test.peer().answer("+1\r\n");
  test.send("b");
  test.network.pass(1000);
  assert_true(test.connection->is_lost());
}

void a_handshake_has_its_time(void**) {
  Fixture test;
  test.peer().open();
  test.network.pass(1000);
  assert_true(test.take() == "lost it didn't answer within 1000 ms\n");
}

void a_worker_that_was_held_up_looks_again_once(void**) {
  Fixture test;
  test.log_in();
  test.send("a");
  test.network.stall(3000);
  assert_true(test.take().empty());
  test.peer().answer("+1\r\n");
  assert_true(test.take() == "a 1\n");
  test.send("b");
  test.network.stall(3000);
  assert_true(test.take().empty());
  test.network.stall(3000);
  assert_true(test.connection->is_lost());
}

void while_messages_come_answers_are_behind_them(void**) {
  Fixture test;
  test.log_in();
  test.send("a");
  for (int i = 0; i < 10; ++i) {
    test.network.pass(500);
    test.peer().answer("*3\r\n+message\r\n+t\r\n+x\r\n");
  }
  assert_false(test.connection->is_lost());
  test.network.pass(2000);
  assert_true(test.connection->is_lost());
}

void a_silent_server_is_asked_whether_it_is_there(void**) {
  Fixture test;
  test.log_in();
  test.network.pass(2000);
  assert_true(test.peer().take() == "PING\n");
  test.peer().answer("+PONG\r\n");
  test.network.pass(1500);
  test.peer().answer("*3\r\n+message\r\n+t\r\n+x\r\n");
  test.network.pass(1999);
  assert_true(test.peer().take().empty());
  test.network.pass(1);
  assert_true(test.take() == "push t\n");
  assert_true(test.peer().take() == "PING\n");
  test.network.pass(1000);
  assert_true(test.take() == "lost it didn't answer within 1000 ms\n");
}

void nothing_comes_and_nothing_is_late_while_it_is_not_read(void**) {
  Fixture test;
  test.log_in();
  test.send("a");
  test.connection->read(false);
  assert_false(test.peer().reading);
  test.peer().answer("*3\r\n+message\r\n+t\r\n+x\r\n+1\r\n");  // on its way
  test.network.pass(100'000);
  assert_true(test.take().empty());
  test.connection->read(true);
  assert_true(test.take().empty());
  test.network.pass(0);
  assert_true(test.take() == "push t\na 1\n");
}

void it_is_closed_in_a_later_turn(void**) {
  Fixture test;
  test.log_in();
  test.send("a");
  test.connection->close("enough");
  assert_true(test.take().empty());
  test.network.pass(0);
  assert_true(test.take() == "a! unavailable\nlost enough\n");
}

void a_log_gets_printable_text(void**) {
  assert_true(printable("a\nb\x7f") == "a?b?");
  assert_int_equal(printable(std::string(1000, 'x')).size(), 200);
  assert_true(printable("ERR unknown command 'RPUSH', with args beginning "
                        "with: 'a' 'secret'") == "ERR unknown command 'RPUSH'");
}

}  // namespace
}  // namespace paperboy::broker::redis

int main() {
  using namespace paperboy::broker::redis;
  const CMUnitTest tests[] = {
      cmocka_unit_test(it_says_who_it_is_before_it_is_ready),
      cmocka_unit_test(what_stands_in_its_way_is_said_without_the_password),
      cmocka_unit_test(answers_come_in_order_wherever_they_are_cut),
      cmocka_unit_test(a_command_may_have_many_answers_but_one_error),
      cmocka_unit_test(what_is_owed_is_told_of_the_loss),
      cmocka_unit_test(an_answer_that_nobody_waits_for_is_the_end),
      cmocka_unit_test(what_is_not_answered_in_time_is_the_end),
      cmocka_unit_test(some_may_take_longer_and_others_after_them_not),
      cmocka_unit_test(one_that_took_less_leaves_no_more_time_to_others),
      cmocka_unit_test(a_handshake_has_its_time),
      cmocka_unit_test(a_worker_that_was_held_up_looks_again_once),
      cmocka_unit_test(while_messages_come_answers_are_behind_them),
      cmocka_unit_test(a_silent_server_is_asked_whether_it_is_there),
      cmocka_unit_test(nothing_comes_and_nothing_is_late_while_it_is_not_read),
      cmocka_unit_test(it_is_closed_in_a_later_turn),
      cmocka_unit_test(a_log_gets_printable_text),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
