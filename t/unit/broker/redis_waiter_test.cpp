#include "broker/redis_waiter.hpp"

#include <string>

#include "fake_network.hpp"
#include "test.hpp"  // last: a macro of its own is called fail

namespace paperboy::broker::redis {
namespace {

struct Fixture {
  Fixture() {
    options.timeout_ms = 1000;
    options.retry_ms = 100;
    waiter.move_to(Server{"h"});
  }
  [[nodiscard]] FakeNetwork::Peer& peer() const {
    return *network.peers.back();
  }
  void call(const std::string& name, std::uint32_t replicas,
            std::uint64_t wait_ms = 500) {
    waiter.call({Script::publish,
                 {"k"},
                 {name},
                 replicas,
                 wait_ms,
                 [this, name](const Result<Reply>& answer) {
                   log +=
                       name + " " +
                       (answer ? answer->text
                               : std::string(error_name(answer.error().code))) +
                       "\n";
                 }});
  }
  void come_up() {
    network.pass(0);
    peer().open();
    const std::string info =
        "role:master\r\nmaster_replid:" + std::string(40, 'a') + "\r\n";
    peer().answer("+OK\r\n+PONG\r\n$" + std::to_string(info.size()) + "\r\n" +
                  info + "\r\n");
    load();
    network.pass(0);
  }
  void load() {
    peer().take();
    for (std::size_t i = 0; i < kScripts; ++i) {
      peer().answer("+hash" + std::to_string(i) + "\r\n");
    }
  }
  std::string sent() {
    network.pass(0);
    return peer().take();
  }
  std::string take() { return std::exchange(log, {}); }

  FakeNetwork network;
  Options options;
  Refusals refusals{network};
  std::string log;
  Waiter waiter{{network, options, refusals}};
};

void it_connects_when_it_is_needed(void**) {
  Fixture test;
  test.network.pass(10'000);
  assert_int_equal(test.network.peers.size(), 0);
  test.call("a", 1);
  assert_true(test.network.holding() > 0);
  test.come_up();
  assert_int_equal(test.network.peers.size(), 1);
  assert_true(test.sent() == "EVALSHA hash0 1 k a\n");
}

void who_comes_together_shares_a_wait(void**) {
  Fixture test;
  test.call("a", 2, 100);
  test.call("b", 1, 700);
  test.call("c", 2, 300);
  test.come_up();
  assert_true(
      test.sent() ==
      "EVALSHA hash0 1 k a\nEVALSHA hash0 1 k b\nEVALSHA hash0 1 k c\n");
  test.peer().answer("+1\r\n+2\r\n");
  assert_true(test.sent().empty());
  test.call("d", 1, 0);
  test.peer().answer("+3\r\n");
  assert_true(test.sent() == "WAIT 1 700\nWAIT 2 300\n");
  test.peer().answer(":1\r\n");
  assert_true(test.take() == "b 2\n");
  assert_true(test.sent().empty());
  test.peer().answer(":1\r\n");
  assert_true(test.take() == "a not_replicated\nc not_replicated\n");
  assert_true(test.sent() == "EVALSHA hash0 1 k d\n");
  test.peer().answer("+4\r\n");
  assert_true(test.sent() == "WAIT 1 1\n");  // 0 would be for ever
  test.peer().answer(":3\r\n");
  assert_true(test.take() == "d 4\n");
  assert_int_equal(test.network.holding(), 0);
}

void what_failed_is_not_waited_for(void**) {
  Fixture test;
  test.call("a", 1);
  test.call("b", 1);
  test.come_up();
  test.sent();
  test.peer().answer("-ERR a\r\n-ERR b\r\n");
  assert_true(test.take() == "a ERR a\nb ERR b\n");
  assert_true(test.sent().empty());
  test.call("c", 1);
  assert_true(test.sent() == "EVALSHA hash0 1 k c\n");
}

void it_waits_for_what_was_done(void**) {
  Fixture test;
  test.call("a", 1);
  test.come_up();
  test.sent();
  test.peer().answer("-NOSCRIPT\r\n");
  assert_true(test.peer().sent.find("WAIT") == std::string::npos);
  test.load();
  assert_true(test.sent() == "EVALSHA hash0 1 k a\n");
  test.peer().answer("+1\r\n");
  assert_true(test.sent() == "WAIT 1 500\n");
  test.network.pass(1499);  // its own time, and the wait's
  assert_true(test.take().empty());
  test.network.pass(1);
  assert_true(test.take() == "a unavailable\n");
}

void a_loss_is_told_at_every_step(void**) {
  for (int step = 0; step < 4; ++step) {
    Fixture test;
    test.call("a", 1);
    test.call("b", 1);
    if (step == 0) test.network.pass(0);
    if (step > 0) test.come_up();
    test.sent();
    if (step > 1) test.peer().answer("+1\r\n");
    if (step > 2) test.peer().answer("+2\r\n");
    test.call("c", 1);
    test.peer().events->on_lost("reset");
    std::string told = test.take();
    for (const char* name : {"a", "b", "c"}) {
      const std::string line = std::string(name) + " unavailable\n";
      const std::size_t at = told.find(line);
      assert_true(at != std::string::npos);
      told.erase(at, line.size());
    }
    assert_true(told.empty());
    assert_int_equal(test.network.holding(), 0);
    // It is made anew for the next, after a while.
    test.call("d", 0);
    test.network.pass(0);
    assert_int_equal(test.network.peers.size(), 1);
    test.network.pass(101);
    assert_int_equal(test.network.peers.size(), 2);
    test.come_up();
    assert_true(test.sent() == "EVALSHA hash0 1 k d\n");
  }
}

void closing_answers_who_waits(void**) {
  Fixture test;
  test.call("a", 1);
  test.waiter.close("the link is lost");
  test.network.pass(0);
  assert_true(test.take() == "a unavailable\n");
  test.call("b", 1);
  test.network.pass(0);
  test.waiter.close("the link is lost");
  test.network.pass(0);
  assert_true(test.take() == "b unavailable\n");
  assert_int_equal(test.network.holding(), 0);
}

void what_waits_is_bounded(void**) {
  Fixture test;
  test.options.max_queue = 1000;
  const std::string big(400, 'x');
  for (int i = 0; i < 3; ++i) test.call(big, 1);
  assert_true(test.take().empty());
  test.network.pass(0);
  assert_true(test.take() == big + " unavailable\n");
  test.waiter.close("the link is lost");
  test.network.pass(0);
  test.take();
  test.call(big, 1);
  test.call(big, 1);
  test.network.pass(0);
  assert_true(test.take().empty());
}

}  // namespace
}  // namespace paperboy::broker::redis

int main() {
  using namespace paperboy::broker::redis;
  const CMUnitTest tests[] = {
      cmocka_unit_test(it_connects_when_it_is_needed),
      cmocka_unit_test(who_comes_together_shares_a_wait),
      cmocka_unit_test(what_failed_is_not_waited_for),
      cmocka_unit_test(it_waits_for_what_was_done),
      cmocka_unit_test(a_loss_is_told_at_every_step),
      cmocka_unit_test(closing_answers_who_waits),
      cmocka_unit_test(what_waits_is_bounded),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
