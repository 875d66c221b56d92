#include "broker/redis_blocker.hpp"

#include <string>

#include "fake_network.hpp"
#include "test.hpp"  // last: a macro of its own is called fail

namespace paperboy::broker::redis {
namespace {

struct Fixture {
  Fixture() {
    options.timeout_ms = 1000;
    options.retry_ms = 100;
    options.database = 2;
    blocker.move_to(Server{"h"});
  }
  [[nodiscard]] FakeNetwork::Peer& peer() const {
    return *network.peers.back();
  }
  void ask(const std::string& name) {
    blocker.command(
        {"BLPOP", name, "5"}, 5000, [this, name](const Result<Reply>& answer) {
          log += name + " " +
                 (answer ? answer->text
                         : std::string(error_name(answer.error().code))) +
                 "\n";
        });
  }
  /// Connected and logged in: the name, the database.
  void come_up() {
    network.pass(0);
    peer().open();
    peer().answer("+OK\r\n");
    assert_true(peer().take() == "CLIENT SETNAME paperboy\nSELECT 2\n");
    peer().answer("+OK\r\n");
  }
  std::string take() { return std::exchange(log, {}); }

  FakeNetwork network;
  Options options;
  Refusals refusals{network};
  std::string log;
  Blocker blocker{{network, options, refusals}};
};

void it_connects_when_it_is_needed(void**) {
  Fixture test;
  test.network.pass(10'000);
  assert_int_equal(test.network.peers.size(), 0);
  test.ask("a");
  test.come_up();
  assert_true(test.peer().take() == "BLPOP a 5\n");
  test.peer().answer("+1\r\n");
  assert_true(test.take() == "a 1\n");
  test.ask("b");
  assert_true(test.peer().take() == "BLPOP b 5\n");
  assert_int_equal(test.network.peers.size(), 1);
}

void it_waits_as_long_as_was_said(void**) {
  Fixture test;
  test.ask("a");
  test.come_up();
  test.network.pass(5999);  // its own time, and the command's
  assert_true(test.take().empty());
  test.network.pass(1);
  assert_true(test.take() == "a unavailable\n");
}

void no_worker_that_is_told_to_go_waits_for_it(void**) {
  Fixture test;
  test.ask("a");
  assert_int_equal(test.network.holding(), 0);
  test.come_up();
  assert_int_equal(test.network.holding(), 0);
}

void a_loss_is_told_and_it_connects_again(void**) {
  Fixture test;
  test.ask("a");
  test.come_up();
  test.peer().events->on_lost("reset");
  assert_true(test.take() == "a unavailable\n");
  test.ask("b");
  test.network.pass(0);
  assert_int_equal(test.network.peers.size(), 1);
  test.network.pass(101);
  assert_int_equal(test.network.peers.size(), 2);
  test.peer().events->on_lost("refused");
  assert_true(test.take() == "b unavailable\n");
  test.ask("c");
  test.network.pass(201);
  test.come_up();
  assert_true(test.peer().take() == "BLPOP c 5\n");
}

void another_server_is_asked_at_once(void**) {
  Fixture test;
  test.ask("a");
  test.come_up();
  test.blocker.move_to(Server{"other"});
  assert_true(test.take() == "a unavailable\n");
  test.ask("b");
  test.network.pass(0);
  assert_true(test.peer().server.host == "other");
  test.come_up();
  assert_true(test.peer().take() == "BLPOP b 5\n");
}

void closing_answers_who_waits(void**) {
  Fixture test;
  test.ask("a");
  test.blocker.close("the link is lost");
  test.network.pass(0);
  assert_true(test.take() == "a unavailable\n");
  test.ask("b");
  test.come_up();
  test.blocker.close("the link is lost");
  test.network.pass(0);
  assert_true(test.take() == "b unavailable\n");
}

void what_is_owed_is_bounded(void**) {
  Fixture test;
  for (int i = 0; i < 50; ++i) test.ask("a");
  test.come_up();
  for (int i = 0; i < 51; ++i) test.ask("b");
  test.network.pass(0);
  assert_true(test.take() == "b unavailable\n");
  test.peer().answer("+1\r\n");
  test.take();
  test.ask("c");
  test.network.pass(0);
  assert_true(test.take().empty());
}

}  // namespace
}  // namespace paperboy::broker::redis

int main() {
  using namespace paperboy::broker::redis;
  const CMUnitTest tests[] = {
      cmocka_unit_test(it_connects_when_it_is_needed),
      cmocka_unit_test(it_waits_as_long_as_was_said),
      cmocka_unit_test(no_worker_that_is_told_to_go_waits_for_it),
      cmocka_unit_test(a_loss_is_told_and_it_connects_again),
      cmocka_unit_test(another_server_is_asked_at_once),
      cmocka_unit_test(closing_answers_who_waits),
      cmocka_unit_test(what_is_owed_is_bounded),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
