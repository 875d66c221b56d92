#include "broker/redis_listener.hpp"

#include <algorithm>
#include <optional>
#include <string>

#include "fake_network.hpp"
#include "test.hpp"  // last: a macro of its own is called fail

namespace paperboy::broker::redis {
namespace {

struct Fixture final : ListenerEvents {
  explicit Fixture(Topics topics = Topics::everywhere) {
    options.timeout_ms = 1000;
    options.database = 5;
    listener.emplace(Context{network, options, refusals}, Server{"h"}, topics,
                     *this);
    peer().open();
    assert_true(peer().take() == "CLIENT SETNAME paperboy\nPING\n");
    peer().answer("+OK\r\n+PONG\r\n");
    assert_true(take() == "up\n");
  }
  void on_listener_up() override { log += "up\n"; }
  void on_listening(Bytes topic) override { add("listening", topic); }
  void on_message(Bytes topic, Bytes message) override {
    add("message", std::string(topic) + " " + std::string(message));
  }
  void on_topic_lost(Bytes topic, Bytes why) override {
    add("topic lost", std::string(topic) + " " + std::string(why));
  }
  void on_listener_lost(Bytes why) override { add("lost", why); }

  [[nodiscard]] FakeNetwork::Peer& peer() const { return *network.peers[0]; }
  void add(Bytes what, Bytes text) {
    log.append(what).append(" ").append(text).append("\n");
  }
  std::string take() { return std::exchange(log, {}); }
  /// What was asked for in a turn.
  std::string turn() {
    network.pass(0);
    return peer().take();
  }

  FakeNetwork network;
  Options options;
  Refusals refusals{network};
  std::string log;
  std::optional<Listener> listener;
};

std::string said(Bytes kind, Bytes topic, Bytes last = ":1") {
  return "*3\r\n+" + std::string(kind) + "\r\n+" + std::string(topic) + "\r\n" +
         std::string(last) + "\r\n";
}

void a_turn_is_a_command(void**) {
  Fixture test;
  for (const Bytes topic : {"a", "b", "c"}) test.listener->listen(1, topic);
  assert_true(test.peer().take().empty());
  assert_true(test.turn() == "SUBSCRIBE a b c\n");
  test.peer().answer(said("subscribe", "a") + said("message", "a", "+hello") +
                     said("subscribe", "b"));
  assert_true(test.take() == "listening a\nmessage a hello\nlistening b\n");
  test.peer().answer(said("subscribe", "c"));
  test.network.pass(999);
  assert_true(test.take() == "listening c\n");
}

void wishes_keep_their_order(void**) {
  Fixture test;
  test.listener->listen(1, "a");
  test.listener->listen(2, "b");
  test.listener->ignore(1, "a");
  test.listener->listen(1, "a");
  assert_true(test.turn() == "SUBSCRIBE a b\nUNSUBSCRIBE a\nSUBSCRIBE a\n");
  test.peer().answer(said("subscribe", "a") + said("subscribe", "b") +
                     said("unsubscribe", "a") + said("subscribe", "a"));
  assert_true(test.take() == "listening a\nlistening b\nlistening a\n");
}

void many_go_out_in_bounded_commands_and_few_at_a_time(void**) {
  Fixture test;
  for (int i = 0; i < 10'000; ++i) {
    test.listener->listen(1, "t" + std::to_string(i));
  }
  const std::string first = test.turn();
  assert_int_equal(std::ranges::count(first, '\n'), 16);
  assert_int_equal(std::ranges::count(first, ' '), 16 * 512);
  std::string answers;
  for (int i = 0; i < 512; ++i) {
    answers += said("subscribe", "t" + std::to_string(i));
  }
  test.peer().answer(answers);
  const std::string next = test.turn();
  assert_int_equal(std::ranges::count(next, '\n'), 1);
  assert_true(next.starts_with("SUBSCRIBE t8192 t8193 "));
}

void what_is_not_confirmed_in_time_is_the_end(void**) {
  Fixture test;
  test.listener->listen(1, "a");
  test.turn();
  test.network.pass(1000);
  assert_true(test.take() == "lost it didn't answer within 1000 ms\n");
}

void a_confirmation_of_something_else_is_the_end(void**) {
  Fixture test;
  test.listener->listen(1, "a");
  test.turn();
  test.peer().answer(said("subscribe", "b"));
  assert_true(test.take() == "lost it confirms what nobody asked for\n");
}

void a_keep_alive_is_answered_in_both_forms(void**) {
  Fixture test;
  test.network.pass(2000);
  assert_true(test.peer().take() == "PING\n");
  test.peer().answer("+PONG\r\n");
  test.network.pass(2000);
  test.peer().answer("*2\r\n+pong\r\n+\r\n");
  test.network.pass(1500);
  assert_true(test.take().empty());
}

void a_user_who_may_not_listen_is_told_so(void**) {
  Fixture test;
  test.listener->listen(1, "a");
  test.listener->listen(1, "b");
  test.turn();
  test.peer().answer("-NOPERM no channels\r\n");
  assert_true(test.take().find("its user needs the channels") !=
              std::string::npos);
}

void a_cluster_has_a_command_a_bucket(void**) {
  Fixture test(Topics::sharded);
  test.listener->listen(1, "a");
  test.listener->listen(1, "b");
  test.listener->listen(2, "c");
  test.listener->ignore(2, "c");
  assert_true(test.turn() == "SSUBSCRIBE a b\nSSUBSCRIBE c\nSUNSUBSCRIBE c\n");
  test.peer().answer(said("ssubscribe", "a") + said("ssubscribe", "b") +
                     said("smessage", "a", "+x"));
  assert_true(test.take() == "listening a\nlistening b\nmessage a x\n");
}

void a_cluster_refuses_what_is_elsewhere(void**) {
  Fixture test(Topics::sharded);
  test.listener->listen(1, "a");
  test.listener->listen(1, "b");
  test.listener->listen(2, "c");
  test.turn();
  test.peer().answer("-MOVED 1 h:1\r\n" + said("ssubscribe", "c"));
  assert_true(test.take() ==
              "topic lost a MOVED 1 h:1\ntopic lost b MOVED 1 h:1\n"
              "listening c\n");
}

void a_slot_that_leaves_takes_its_topics_along(void**) {
  Fixture test(Topics::sharded);
  test.listener->listen(1, "a");
  test.listener->listen(1, "b");
  test.turn();
  test.peer().answer(said("ssubscribe", "a") + said("ssubscribe", "b"));
  test.take();
  test.listener->ignore(1, "b");
  test.turn();
  test.peer().answer(said("sunsubscribe", "a") + said("sunsubscribe", "b"));
  assert_true(test.take() == "topic lost a its slot has left the server\n");
  assert_true(test.listener->is_up());
}

}  // namespace
}  // namespace paperboy::broker::redis

int main() {
  using namespace paperboy::broker::redis;
  const CMUnitTest tests[] = {
      cmocka_unit_test(a_turn_is_a_command),
      cmocka_unit_test(wishes_keep_their_order),
      cmocka_unit_test(many_go_out_in_bounded_commands_and_few_at_a_time),
      cmocka_unit_test(what_is_not_confirmed_in_time_is_the_end),
      cmocka_unit_test(a_confirmation_of_something_else_is_the_end),
      cmocka_unit_test(a_keep_alive_is_answered_in_both_forms),
      cmocka_unit_test(a_user_who_may_not_listen_is_told_so),
      cmocka_unit_test(a_cluster_has_a_command_a_bucket),
      cmocka_unit_test(a_cluster_refuses_what_is_elsewhere),
      cmocka_unit_test(a_slot_that_leaves_takes_its_topics_along),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
