// What commands do, in the native dialect over a WebSocket. Tokens are tested
// where they are made: t/native_token.t.
#include "session/conversation.hpp"

#include <string>

#include "session/fakes.hpp"

namespace paperboy::session {
namespace {

constexpr const char* kSubscribed =
    R"(text {"id":2,"subscribe":{"epoch":"7","offset":0,"recoverable":true,)"
    R"("positioned":true}})"
    "\n";

struct Talk : World {
  Talk() {
    settings.dialect = dialect::find("native");
    settings.client_publish = true;
    settings.connect_timeout_ms = 2'000;
    settings.ping_interval_ms = 10'000;
    settings.ping_timeout_ms = 4'000;
  }
};

void connect(Client& client, const Admission& admission = {}) {
  assert_true(client.open(admission).ok());
  client.text(R"({"id":1,"connect":{}})");
  assert_true(client.heard().starts_with(R"(text {"id":1,"connect":{)"));
}

void subscribe(Client& client, const char* channel) {
  client.text(std::string(R"({"id":2,"subscribe":{"channel":")") + channel +
              "\"}}");
  assert_text(client.heard(), kSubscribed);
}

void nothing_is_subscribed_to_before_connect(void**) {
  Talk world;
  Client client(world);
  Admission admission;
  admission.channels = {"news"};
  assert_true(client.open(admission).ok());
  assert_int_equal(world.broker.subscribers(), 0);
  client.text(R"({"id":1,"connect":{}})");
  assert_int_equal(world.broker.subscribers(), 1);
  assert_true(client.heard().ends_with(
      R"("subs":{"news":{"epoch":"7","offset":0,"recoverable":true,)"
      R"("positioned":true}}}})"
      "\n"));
}

void who_does_not_connect_is_stale(void**) {
  Talk world;
  Client client(world);
  assert_true(client.open({}).ok());
  world.pass(1'900);
  assert_text(client.heard(), "");
  world.pass(400);
  assert_text(client.heard(), "close 3502 stale\n");
}

/// One that may take forever is no work meanwhile.
void who_has_not_connected_wakes_no_timer(void**) {
  Talk world;
  world.settings.connect_timeout_ms = 0;
  Client client(world);
  assert_true(client.open({}).ok());
  world.pass(10'500);
  assert_text(client.heard(), "");
  const auto next = world.wheel.next_ms();
  assert_true(!next || *next > world.clock.ms + 10 * Wheel::kTickMs);
}

void commands_before_connect_end_the_connection(void**) {
  Talk world;
  Client client(world);
  assert_true(client.open({}).ok());
  client.text(R"({"id":1,"ping":{}})");
  assert_text(client.heard(), "close 3501 bad request\n");
}

void a_run_carries_the_plain_name(void**) {
  Talk world;
  Client client(world);
  Admission admission;
  admission.name_space = "shop";
  connect(client, admission);
  subscribe(client, "room");
  world.broker.bring(std::string("shop\0room", 9), "{}");
  world.turn();
  assert_text(client.heard(),
              R"(text {"push":{"channel":"room","pub":{"data":{},"offset":1}}})"
              "\n");
}

void a_publication_is_encoded_once_for_all(void**) {
  Talk world;
  Client one(world);
  Client two(world);
  for (Client* const client : {&one, &two}) {
    connect(*client);
    subscribe(*client, "a");
  }
  world.broker.bring("a", "1");
  world.turn();
  assert_int_equal(one.transport.shared, 1);
  assert_text(one.heard(), two.heard().c_str());
}

void replies_to_a_message_leave_in_one(void**) {
  Talk world;
  Client client(world);
  connect(client);
  client.text("{\"id\":2,\"ping\":{}}\n{\"id\":3,\"ping\":{}}");
  assert_text(client.heard(),
              "text {\"id\":2,\"ping\":{}}\n{\"id\":3,\"ping\":{}}\n");
}

void a_publish_is_answered_when_the_broker_has_it(void**) {
  Talk world;
  Client client(world);
  connect(client);
  world.broker.hold_replies = true;
  client.text(R"({"id":2,"publish":{"channel":"a","data":1}})");
  assert_text(client.heard(), "");
  world.broker.answer_held();
  client.flush();
  assert_text(client.heard(), "text {\"id\":2,\"publish\":{}}\n");
}

void without_memory_for_one_command_other_answers_come(void**) {
  Talk world;
  Client client(world);
  connect(client);
  world.broker.hold_replies = true;
  client.text(R"({"id":2,"publish":{"channel":"a","data":1}})");
  world.broker.out_of_memory = true;
  bool thrown = false;
  try {
    client.text(R"({"id":3,"publish":{"channel":"a","data":1}})");
  } catch (const std::bad_alloc&) {
    thrown = true;
  }
  assert_true(thrown);
  world.broker.answer_held();
  client.flush();
  assert_text(client.heard(), "text {\"id\":2,\"publish\":{}}\n");
}

void an_answer_for_who_has_gone_is_dropped(void**) {
  Talk world;
  {
    Client client(world);
    connect(client);
    world.broker.hold_replies = true;
    client.text(R"({"id":2,"publish":{"channel":"a","data":1}})");
  }
  world.broker.answer_held();
  assert_int_equal(world.count(Counter::publications), 1);
}

void what_the_broker_refuses_is_told(void**) {
  Talk world;
  Client client(world);
  connect(client);
  world.broker.refusal = Error{ErrorCode::unavailable, "x"};
  for (const char* const method : {"subscribe", "publish"}) {
    client.text(std::string("{\"id\":2,\"") + method +
                R"(":{"channel":"a","data":1}})");
    assert_text(client.heard(), R"(text {"id":2,"error":{"code":100,"message":)"
                                R"("internal server error","temporary":true}})"
                                "\n");
  }
  assert_int_equal(world.count(Counter::subscriptions), 0);
}

void a_server_side_subscription_that_fails_ends_the_connection(void**) {
  Talk world;
  Client client(world);
  Admission admission;
  admission.channels = {"news"};
  assert_true(client.open(admission).ok());
  world.broker.refusal = Error{ErrorCode::unavailable, "x"};
  client.text(R"({"id":1,"connect":{}})");
  assert_text(client.heard(), "close 3004 internal server error\n");
}

void who_loses_publications_is_to_subscribe_again(void**) {
  Talk world;
  Client client(world);
  connect(client);
  subscribe(client, "a");
  client.text(R"({"id":2,"subscribe":{"channel":"b"}})");
  client.heard();
  ++world.broker.entry("a").top.offset;  // never handed over
  world.broker.bring("a", "2");
  world.broker.bring("b", "3");
  world.turn();
  assert_text(client.heard(),
              R"(text {"push":{"channel":"a","unsubscribe":{"code":2500,)"
              R"("reason":"insufficient state"}}})"
              "\n"
              R"(text {"push":{"channel":"b","pub":{"data":3,"offset":1}}})"
              "\n");
  assert_int_equal(world.count(Counter::gaps), 1);
  assert_int_equal(world.count(Counter::subscriptions), 1);
  client.text(R"({"id":3,"subscribe":{"channel":"a"}})");
  assert_text(
      client.heard(),
      R"(text {"id":3,"subscribe":{"epoch":"7","offset":2,"recoverable":true,)"
      R"("positioned":true}})"
      "\n");
}

void a_subscription_of_the_servers_that_loses_ends_the_connection(void**) {
  Talk world;
  Client client(world);
  Admission admission;
  admission.channels = {"a"};
  connect(client, admission);
  ++world.broker.entry("a").top.offset;
  world.broker.bring("a", "2");
  world.turn();
  assert_text(client.heard(), "close 3010 insufficient state\n");
}

void pings_are_messages_and_so_are_pongs(void**) {
  Talk world;
  Client client(world);
  connect(client);
  world.pass(10'300);
  assert_text(client.heard(), "text {}\n");
  client.text("{}");
  world.pass(10'300);
  assert_text(client.heard(), "text {}\n");
  world.pass(4'300);
  assert_text(client.heard(), "close 3012 no pong\n");
}

void pings_begin_with_the_conversation(void**) {
  Talk world;
  world.settings.ping_interval_ms = 500;
  Client client(world);
  assert_true(client.open({}).ok());
  world.pass(1'500);
  assert_text(client.heard(), "");
}

void a_connection_ends_with_its_token(void**) {
  Talk world;
  Client client(world);
  Admission admission;
  admission.expires = world.clock.unix_seconds() + 3;
  connect(client, admission);
  world.pass(4'200);
  assert_text(client.heard(), "close 3005 connection expired\n");
}

void a_shutdown_says_so(void**) {
  Talk world;
  Client client(world);
  connect(client);
  client.socket.shut_down();
  client.flush();
  assert_text(client.heard(), "close 3001 shutdown\n");
  assert_ended(client, 3001, Summary::Side::server, "shutdown");
}

void many_channels_come_and_go(void**) {
  Talk world;
  Client client(world);
  connect(client);
  for (int round = 0; round < 3; ++round) {
    std::string join;
    std::string leave;
    for (int i = 0; i < 100; ++i) {
      const std::string rest =
          R"(":{"channel":"c)" + std::to_string(i) + "\"}}\n";
      join += R"({"id":9,"subscribe)" + rest;
      leave += R"({"id":9,"unsubscribe)" + rest;
    }
    client.text(join);
    assert_int_equal(world.broker.subscribers(), 100);
    client.text(leave);
    assert_int_equal(world.broker.subscribers(), 0);
    assert_int_equal(world.count(Counter::subscriptions), 0);
  }
}

}  // namespace
}  // namespace paperboy::session

int main() {
  using namespace paperboy::session;
  const CMUnitTest tests[] = {
      cmocka_unit_test(nothing_is_subscribed_to_before_connect),
      cmocka_unit_test(who_does_not_connect_is_stale),
      cmocka_unit_test(who_has_not_connected_wakes_no_timer),
      cmocka_unit_test(commands_before_connect_end_the_connection),
      cmocka_unit_test(a_run_carries_the_plain_name),
      cmocka_unit_test(a_publication_is_encoded_once_for_all),
      cmocka_unit_test(replies_to_a_message_leave_in_one),
      cmocka_unit_test(a_publish_is_answered_when_the_broker_has_it),
      cmocka_unit_test(without_memory_for_one_command_other_answers_come),
      cmocka_unit_test(an_answer_for_who_has_gone_is_dropped),
      cmocka_unit_test(what_the_broker_refuses_is_told),
      cmocka_unit_test(
          a_server_side_subscription_that_fails_ends_the_connection),
      cmocka_unit_test(who_loses_publications_is_to_subscribe_again),
      cmocka_unit_test(
          a_subscription_of_the_servers_that_loses_ends_the_connection),
      cmocka_unit_test(pings_are_messages_and_so_are_pongs),
      cmocka_unit_test(pings_begin_with_the_conversation),
      cmocka_unit_test(a_connection_ends_with_its_token),
      cmocka_unit_test(a_shutdown_says_so),
      cmocka_unit_test(many_channels_come_and_go),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
