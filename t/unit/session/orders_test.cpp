// What back ends order of sessions: session_orders.cpp and
// conversation_orders.cpp.
#include "session/talk.hpp"

#include <string>

#include "test.hpp"

namespace paperboy::session {
namespace {

hub::Order order(hub::Order::Kind kind, Bytes channel = {}) {
  hub::Order order;
  order.kind = kind;
  order.channel = channel;
  order.code = 3503;
  order.reason = "why";
  return order;
}

void obey(Client& client, const hub::Order& order) {
  client.socket.obey(order);
  client.flush();
}

Admission of(Bytes user, std::vector<std::string> channels = {}) {
  Admission admission;
  admission.user = user;
  admission.channels = std::move(channels);
  return admission;
}

void who_is_meant(void**) {
  Talk world;
  Talker ann(world, of("ann"));
  auto one = order(hub::Order::Kind::disconnect);
  one.user = "bob";
  obey(ann, one);
  one.user = "ann";
  one.name_space = "shop";
  obey(ann, one);
  one.name_space.clear();
  one.client = "another";
  obey(ann, one);
  one.client.clear();
  one.spared = {"x", ann.client};
  obey(ann, one);
  assert_text(ann.heard(), "");
  one.spared.clear();
  one.client = ann.client;
  obey(ann, one);
  assert_text(ann.heard(), "close 3503 why\n");
}

void a_raw_client_has_no_name(void**) {
  World world;
  Client client(world);
  assert_true(client.open(of("ann", {std::string("shop\0a", 6)})).ok());
  auto one = order(hub::Order::Kind::disconnect);
  one.client = "any";
  one.name_space = "shop";
  obey(client, one);
  one.client.clear();
  one.name_space.clear();
  obey(client, one);
  assert_text(client.heard(), "");
  one.name_space = "shop";
  obey(client, one);
  assert_text(client.heard(), "close 3503 why\n");
}

void a_raw_client_leaves_a_channel_or_goes(void**) {
  World world;
  Client client(world);
  assert_true(client.open(of("ann", {"a", "b"})).ok());
  obey(client, order(hub::Order::Kind::subscribe, "c"));
  assert_int_equal(world.broker.subscribers(), 2);
  obey(client, order(hub::Order::Kind::unsubscribe, "a"));
  obey(client, order(hub::Order::Kind::unsubscribe, "none"));
  assert_text(client.heard(), "");
  assert_int_equal(world.broker.subscribers(), 1);
  obey(client, order(hub::Order::Kind::unsubscribe));
  assert_text(client.heard(), "close 3503 unsubscribed by the server\n");
}

void a_conversation_is_told_of_each_channel(void**) {
  Talk world;
  Talker ann(world, of("ann"));
  obey(ann, order(hub::Order::Kind::subscribe, "a"));
  assert_text(ann.heard(),
              R"(text {"push":{"channel":"a","subscribe":{"epoch":"7",)"
              R"("offset":0,"recoverable":true,"positioned":true}}})"
              "\n");
  obey(ann, order(hub::Order::Kind::subscribe, "a"));
  assert_text(ann.heard(), "");
  obey(ann, order(hub::Order::Kind::unsubscribe));
  assert_text(ann.heard(),
              R"(text {"push":{"channel":"a","unsubscribe":{"code":2000,)"
              R"("reason":"server unsubscribe"}}})"
              "\n");
  assert_int_equal(world.broker.subscribers(), 0);
}

void what_was_missed_comes_after_the_push(void**) {
  Talk world;
  world.rule("a", {.keep = {.count = 9}});
  Talker ann(world, of("ann"));
  for (const Bytes data : {"1", "2", "3"}) world.publish("a", data);
  auto one = order(hub::Order::Kind::subscribe, "a");
  one.since = Position{7, 1};
  world.broker.hold_replies = true;
  obey(ann, one);
  assert_text(ann.heard(), "");
  world.broker.hold_replies = false;
  world.broker.answer_held();
  ann.flush();
  assert_text(
      ann.heard(),
      R"(text {"push":{"channel":"a","subscribe":{"epoch":"7","offset":1,)"
      R"("recoverable":true,"positioned":true}}})"
      "\n"
      R"(text {"push":{"channel":"a","pub":{"data":2,"offset":2}}})"
      "\n"
      R"(text {"push":{"channel":"a","pub":{"data":3,"offset":3}}})"
      "\n");
}

void it_may_leave_before_that(void**) {
  Talk world;
  world.rule("a", {.keep = {.count = 9}});
  Talker ann(world, of("ann"));
  for (const Bytes data : {"1", "2", "3"}) world.publish("a", data);
  auto one = order(hub::Order::Kind::subscribe, "a");
  one.since = Position{7, 1};
  world.broker.hold_replies = true;
  obey(ann, one);
  obey(ann, order(hub::Order::Kind::unsubscribe, "a"));
  (void)ann.heard();
  world.broker.answer_held();
  ann.flush();
  assert_text(ann.heard(), "");
}

void who_has_yet_to_connect_can_only_be_sent_away(void**) {
  Talk world;
  Client client(world);
  assert_true(client.open(of("ann")).ok());
  obey(client, order(hub::Order::Kind::subscribe, "a"));
  obey(client, order(hub::Order::Kind::unsubscribe));
  assert_int_equal(world.broker.subscribers(), 0);
  obey(client, order(hub::Order::Kind::disconnect));
  assert_text(client.heard(), "close 3503 why\n");
}

void a_new_end_or_none(void**) {
  Talk world;
  Admission admission = of("ann");
  admission.expires = world.clock.unix_seconds() + 2;
  Talker ann(world, admission);
  obey(ann, order(hub::Order::Kind::refresh));
  assert_text(ann.heard(), "text {\"push\":{\"refresh\":{}}}\n");
  world.pass(4'000);
  assert_text(ann.heard(), "");
  auto until = order(hub::Order::Kind::refresh);
  until.expires = world.clock.unix_seconds() + 40;
  obey(ann, until);
  assert_text(ann.heard(),
              "text {\"push\":{\"refresh\":{\"expires\":true,\"ttl\":30}}}\n");
  until.expires = world.clock.unix_seconds();
  obey(ann, until);
  assert_text(ann.heard(), "close 3005 connection expired\n");
}

void a_raw_client_ends_when_it_is_told_to(void**) {
  World world;
  Client client(world);
  assert_true(client.open(of("ann", {"a"})).ok());
  auto until = order(hub::Order::Kind::refresh);
  until.expires = world.clock.unix_seconds() + 2;
  obey(client, until);
  assert_text(client.heard(), "");
  world.pass(3'000);
  assert_text(client.heard(), "close 3005 the token has expired\n");
}

void one_that_ends_hears_no_more(void**) {
  Talk world;
  Talker ann(world, of("ann"));
  obey(ann, order(hub::Order::Kind::disconnect));
  assert_text(ann.heard(), "close 3503 why\n");
  obey(ann, order(hub::Order::Kind::subscribe, "a"));
  assert_text(ann.heard(), "");
  assert_int_equal(world.broker.subscribers(), 0);
}

}  // namespace
}  // namespace paperboy::session

int main() {
  using namespace paperboy::session;
  const CMUnitTest tests[] = {
      cmocka_unit_test(who_is_meant),
      cmocka_unit_test(a_raw_client_has_no_name),
      cmocka_unit_test(a_raw_client_leaves_a_channel_or_goes),
      cmocka_unit_test(a_conversation_is_told_of_each_channel),
      cmocka_unit_test(what_was_missed_comes_after_the_push),
      cmocka_unit_test(it_may_leave_before_that),
      cmocka_unit_test(who_has_yet_to_connect_can_only_be_sent_away),
      cmocka_unit_test(a_new_end_or_none),
      cmocka_unit_test(a_raw_client_ends_when_it_is_told_to),
      cmocka_unit_test(one_that_ends_hears_no_more),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
