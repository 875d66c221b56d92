#include "hub/orders.hpp"

#include <string>

#include "hub/fakes.hpp"

#include "test.hpp"

namespace paperboy::hub {
namespace {

struct World {
  FakeBroker broker;
  FakePresence presence{broker};
  RuleSet rules;
  Hub hub{broker, presence, rules};
  Orders orders{hub};

  void send(Bytes client) {
    Order order;
    order.client = client;
    orders.send(order, [](const auto& outcome) { assert_true(outcome.ok()); });
  }
  std::string heard() {
    while (hub.drain()) {
    }
    hub.release();
    std::string all;
    for (const Order& order : orders.take()) all += order.client + ";";
    return all;
  }
};

void orders_come_in_their_order_once(void**) {
  World world;
  assert_false(world.orders.listening());
  world.send("before");
  assert_true(world.orders.listen().ok());
  assert_true(world.orders.listen().ok());
  assert_int_equal(world.broker.subscribers(), 1);
  world.send("a");
  world.send("b");
  assert_string_equal(world.heard().c_str(), "a;b;");
  assert_string_equal(world.heard().c_str(), "");
  assert_false(world.orders.lost());
}

/// So that who is sent away hears nothing that was published after that.
void an_order_ends_the_drain_that_brings_it(void**) {
  World world;
  assert_true(world.orders.listen().ok());
  world.send("a");
  world.send("b");
  assert_true(world.hub.drain());
  world.hub.release();
  assert_int_equal(world.orders.take().size(), 1);
  assert_string_equal(world.heard().c_str(), "b;");
}

void what_another_build_wrote_is_passed_over(void**) {
  World world;
  assert_true(world.orders.listen().ok());
  world.send("a");
  world.broker.bring(kOrders, "something else", Kind::binary);
  world.send("b");
  assert_string_equal(world.heard().c_str(), "a;b;");
}

void who_was_too_slow_reads_what_is_kept(void**) {
  World world;
  assert_true(world.orders.listen().ok());
  world.send("a");
  world.broker.lose = true;
  assert_string_equal(world.heard().c_str(), "a;");
  assert_false(world.orders.lost());
  world.send("b");
  world.broker.entry(kOrders).kept.clear();
  world.broker.lose = true;
  assert_string_equal(world.heard().c_str(), "");
  assert_true(world.orders.lost());
  assert_false(world.orders.lost());
}

/// Another one, which has forgotten the channel.
void begin_anew(World& world, std::uint64_t epoch, std::uint64_t offset = 0) {
  world.broker.entry(kOrders).top = {epoch, offset};
  world.broker.anchor(kOrders);
}

void an_epoch_before_which_nobody_ordered_loses_nothing(void**) {
  World world;
  assert_true(world.orders.listen().ok());
  for (std::uint64_t epoch = 8; epoch < 12; ++epoch) {
    begin_anew(world, epoch);
    assert_string_equal(world.heard().c_str(), "");
    assert_false(world.orders.lost());
  }
  begin_anew(world, 12);
  world.send("a");
  assert_string_equal(world.heard().c_str(), "a;");
  assert_false(world.orders.lost());
}

void orders_of_a_past_that_is_no_more_may_be_lost(void**) {
  World world;
  assert_true(world.orders.listen().ok());
  world.send("a");
  assert_string_equal(world.heard().c_str(), "a;");
  assert_false(world.orders.lost());
  begin_anew(world, 8);
  assert_string_equal(world.heard().c_str(), "");
  assert_true(world.orders.lost());
  // Nobody has ordered since.
  begin_anew(world, 9);
  assert_string_equal(world.heard().c_str(), "");
  assert_false(world.orders.lost());
  // The new one has orders that can't be read.
  begin_anew(world, 10, 3);
  world.send("b");
  assert_string_equal(world.heard().c_str(), "b;");
  assert_true(world.orders.lost());
}

void where_there_is_no_room_it_is_told(void**) {
  World world;
  world.broker.refusal = Error{ErrorCode::too_many_channels, "full"};
  assert_false(world.orders.listen().ok());
  world.broker.refusal.reset();
  assert_true(world.orders.listen().ok());
}

void no_rule_of_names_is_for_orders(void**) {
  World world;
  assert_true(world.rules.add("orders", {.keep = {}, .presence = true}));
  assert_true(world.rules.add("*", {.keep = {}, .presence = true}));
  assert_true(world.hub.rule("orders").presence);
  assert_false(world.hub.rule(kOrders).presence);
  assert_true(world.hub.rule(kOrders).keep.count > 0);
}

}  // namespace
}  // namespace paperboy::hub

int main() {
  using namespace paperboy::hub;
  const CMUnitTest tests[] = {
      cmocka_unit_test(orders_come_in_their_order_once),
      cmocka_unit_test(an_order_ends_the_drain_that_brings_it),
      cmocka_unit_test(what_another_build_wrote_is_passed_over),
      cmocka_unit_test(who_was_too_slow_reads_what_is_kept),
      cmocka_unit_test(an_epoch_before_which_nobody_ordered_loses_nothing),
      cmocka_unit_test(orders_of_a_past_that_is_no_more_may_be_lost),
      cmocka_unit_test(where_there_is_no_room_it_is_told),
      cmocka_unit_test(no_rule_of_names_is_for_orders),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
