// A hub whose broker is on a network: where channels stand is known later, the
// history knows of more than the node, and what can't be had is said.
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "hub/fakes.hpp"
#include "hub/hub.hpp"
#include "hub/listener.hpp"
#include "hub/recovery.hpp"

#include "test.hpp"  // last: a macro of its own is called fail

namespace paperboy::hub {
namespace {

struct Fixture {
  FakeBroker broker;
  FakePresence presence{broker};
  RuleSet rules;
  Hub hub{broker, presence, rules};
  Lines lines;

  void publish(Bytes data, Event event = Event::message) {
    broker.bring({.channel = "news",
                  .event = event,
                  .data = data,
                  .keep = {.count = 100}});
  }
  Position join(Listener& listener) {
    return hub.subscribe(listener.in(hub), "news", lines).value();
  }
  /// What it is told is written down as "[7:1]" where it begins, "[+2=b;]"
  /// what it missed, or "[error]".
  void ask(Listener& listener, std::optional<Position> since = {},
           RecoveryLimits limits = {}) {
    hub.recover(listener.subscription, since, limits,
                [&listener](const Result<Recovery>& recovery) {
                  listener.heard += told(recovery);
                });
  }
  static std::string told(const Result<Recovery>& recovery) {
    if (!recovery) return "[error]";
    if (!recovery->recovered) {
      return "[" + position_text(recovery->position) + "]";
    }
    std::string text = "[+";
    for (const Kept& kept : recovery->publications) {
      text += std::to_string(kept.position.offset) + "=" + kept.data + ";";
    }
    return text + "]";
  }
  void anchor() {
    broker.anchor("news");
    drain_all();
  }
  void anchor(Position at) {
    broker.anchor("news", at);
    drain_all();
  }
  void drain_all() {
    while (hub.drain()) hub.release();
    hub.release();
  }
};

/// A fixture whose channel is at 7:5, and isn't known to be.
struct Late : Fixture {
  Late() {
    broker.entry("news").top = {7, 5};
    broker.late = true;
    broker.hold_replies = true;
  }
};

void assert_heard(const Listener& listener, const char* expected) {
  assert_string_equal(listener.heard.c_str(), expected);
}

// ---- anchors ---------------------------------------------------------------

void who_just_subscribes_hears_all_behind_the_anchor(void**) {
  Late f;
  Listener listener;
  assert_true(f.join(listener) == Position{});
  f.broker.bring_at("news", {7, 4}, "from before");
  f.broker.bring_at("news", {7, 5}, "typing", Kind::text, Event::passing);
  f.anchor();
  assert_heard(listener, "");
  assert_true(listener.subscription.position() == (Position{7, 5}));
  f.publish("typing", Event::passing);
  f.publish("f");
  f.drain_all();
  assert_heard(listener, "5=typing;6=f;");
}

void an_anchor_and_what_follows_may_come_in_one_drain(void**) {
  Late f;
  Listener listener;
  f.join(listener);
  f.broker.anchor("news");
  f.publish("f");
  f.publish("g");
  f.drain_all();
  assert_heard(listener, "6=f;7=g;");
  assert_int_equal(listener.runs, 1);
}

void who_comes_before_the_anchor_is_read_begins_where_it_was_told(void**) {
  Late f;
  Listener first;
  Listener second;
  f.join(first);
  f.broker.anchor("news");
  f.publish("f");
  assert_true(f.join(second) == (Position{7, 6}));
  f.publish("g");
  f.drain_all();
  assert_heard(first, "6=f;7=g;");
  assert_heard(second, "7=g;");
}

void an_anchor_of_an_epoch_that_is_over_means_nothing(void**) {
  Late f;
  Listener listener;
  f.join(listener);
  f.broker.bring_at("news", {6, 9}, {}, Kind::text, Event::anchor);
  f.broker.bring_at("news", {6, 10}, "of another life");
  f.drain_all();
  assert_true(listener.subscription.position() == Position{});
  f.anchor();
  f.broker.bring_at("news", {6, 11}, {}, Kind::text, Event::anchor);
  f.publish("f");
  f.drain_all();
  assert_heard(listener, "6=f;");
}

void an_anchor_that_says_nothing_new_is_not_told(void**) {
  Late f;
  Listener listener;
  f.join(listener);
  f.anchor();
  f.publish("f");
  f.drain_all();
  f.anchor();
  f.broker.bring_at("news", {7, 5}, {}, Kind::text, Event::anchor);
  f.publish("g");
  f.drain_all();
  assert_heard(listener, "6=f;7=g;");
}

void an_anchor_beyond_is_a_gap_in_its_place(void**) {
  for (const Position at : {Position{7, 9}, Position{8, 0}}) {
    Fixture f;
    Lines other("o");
    Listener one;
    Listener two;
    f.join(one);
    assert_true(f.hub.subscribe(two.in(f.hub), "news", other).ok());
    f.publish("a");
    f.broker.entry("news").top = at;
    f.broker.anchor("news");
    f.publish("b");
    f.drain_all();
    const std::string next = std::to_string(at.offset + 1);
    assert_heard(one, ("1=a;gap;" + next + "=b;").c_str());
    assert_heard(two, ("o1=a;gap;o" + next + "=b;").c_str());
  }
}

void a_gap_by_an_anchor_is_told_without_a_publication(void**) {
  Fixture f;
  Listener listener;
  f.join(listener);
  f.anchor({8, 3});
  assert_heard(listener, "gap;");
  assert_int_equal(listener.runs, 0);
  assert_true(listener.subscription.position() == (Position{8, 3}));
}

void a_void_anchor_is_forgotten(void**) {
  Late f;
  Listener listener;
  Listener asks;
  f.join(listener);
  f.join(asks);
  f.ask(asks);
  f.broker.bring_at("news", {7, 1234}, {}, Kind::text, Event::anchor);
  f.broker.entry("news").local = Position{7, 5};
  f.broker.lose = true;
  f.hub.drain();
  assert_true(listener.subscription.position() == (Position{7, 5}));
  f.broker.arrive("news");
  f.publish("f");
  f.drain_all();
  f.broker.answer_held();
  assert_heard(listener, "6=f;");
  assert_heard(asks, "[7:5]6=f;");
}

void an_overrun_before_the_anchor_leaves_all_to_the_anchor(void**) {
  Late f;
  Listener listener;
  Listener asks;
  f.join(listener);
  f.join(asks);
  f.ask(asks);
  f.broker.lose = true;
  f.hub.drain();
  assert_true(listener.subscription.position() == Position{});
  f.anchor();
  f.publish("f");
  f.drain_all();
  f.broker.answer_held();
  assert_heard(listener, "6=f;");
  assert_heard(asks, "[7:5]6=f;");
}

void an_anchor_that_was_overrun_is_the_brokers_position(void**) {
  Late f;
  Listener listener;
  f.join(listener);
  f.broker.entry("news").local.reset();  // anchored, and the record is lost
  f.broker.lose = true;
  f.drain_all();
  assert_heard(listener, "");
  f.publish("f");
  f.drain_all();
  assert_heard(listener, "6=f;");
}

// ---- where it begins -------------------------------------------------------

void what_is_known_is_told_at_once(void**) {
  Fixture f;
  f.broker.hold_replies = true;
  Listener listener;
  f.join(listener);
  f.ask(listener);
  assert_heard(listener, "[7:0]");
  assert_int_equal(f.broker.histories, 0);
}

void where_one_begins_is_asked_for(void**) {
  Late f;
  Listener listener;
  f.join(listener);
  f.ask(listener);
  assert_int_equal(f.broker.asked->limit, 0);
  assert_false(f.broker.asked->since || f.broker.asked->until);
  f.broker.answer_held();
  assert_heard(listener, "[7:5]");
  f.anchor();
  f.publish("f");
  f.drain_all();
  assert_heard(listener, "[7:5]6=f;");
}

void an_anchor_may_be_faster_than_the_answer(void**) {
  Late f;
  Listener listener;
  f.join(listener);
  f.ask(listener);
  f.anchor();
  f.publish("f");
  f.drain_all();
  assert_heard(listener, "");
  f.broker.answer_held();
  assert_heard(listener, "[7:5]6=f;");
}

void an_anchor_may_be_before_where_one_begins(void**) {
  Late f;
  Listener asks;
  Listener listener;
  f.join(asks);
  f.join(listener);
  f.ask(asks);
  f.broker.answer_held();
  f.anchor({7, 3});
  f.broker.bring_at("news", {7, 4}, "d");
  f.broker.bring_at("news", {7, 5}, "e");
  f.broker.bring_at("news", {7, 6}, "f");
  f.drain_all();
  assert_heard(asks, "[7:5]6=f;");
  assert_heard(listener, "4=d;5=e;6=f;");
}

void an_anchor_beyond_where_one_begins_is_a_gap(void**) {
  Late f;
  Listener asks;
  Listener listener;
  f.join(asks);
  f.join(listener);
  f.ask(asks);
  f.broker.answer_held();
  f.anchor({7, 8});
  assert_heard(asks, "[7:5]gap;");
  assert_heard(listener, "");
}

void what_cant_be_had_is_an_error_and_can_be_asked_again(void**) {
  Late f;
  Listener listener;
  f.join(listener);
  f.ask(listener);
  f.broker.refusal = Error{ErrorCode::unavailable, "not now"};
  f.broker.answer_held();
  assert_heard(listener, "[error]");
  f.broker.refusal.reset();
  f.anchor();
  f.publish("f");
  f.drain_all();
  assert_heard(listener, "[error]");
  f.ask(listener);
  f.broker.answer_held();
  assert_heard(listener, "[error][7:5]6=f;");
}

void an_error_keeps_nobody_from_leaving(void**) {
  Late f;
  Listener listener;
  f.join(listener);
  f.ask(listener);
  f.broker.refusal = Error{ErrorCode::internal, "our fault"};
  f.broker.answer_held();
  assert_heard(listener, "[error]");
  f.hub.unsubscribe(listener.subscription);
  assert_int_equal(f.broker.subscribers(), 0);
  assert_int_equal(f.hub.channel_count(), 0);
}

void who_leaves_while_it_waits_is_not_answered(void**) {
  Late f;
  auto leaves = std::make_unique<Listener>();
  Listener stays;
  f.join(*leaves);
  f.join(stays);
  f.ask(*leaves);
  f.ask(stays);
  leaves.reset();
  f.broker.answer_held();
  assert_heard(stays, "[7:5]");
}

void an_answer_to_an_earlier_question_is_passed_over(void**) {
  Late f;
  Listener listener;
  f.join(listener);
  f.ask(listener);
  f.ask(listener, Position{7, 4});
  f.broker.answer_held();
  assert_heard(listener, "[7:5]");
}

// ---- coming back -----------------------------------------------------------

void the_node_may_lag_behind_who_comes_back(void**) {
  Fixture f;
  Listener stays;
  Listener comes;
  f.join(stays);
  f.publish("a");
  f.drain_all();
  f.broker.lag("news");
  for (const char* data : {"b", "c", "d"}) f.publish(data);
  assert_true(f.join(comes) == (Position{7, 1}));
  f.ask(comes, Position{7, 2});
  assert_true(f.broker.asked->until == (Position{7, 1}));
  assert_heard(comes, "[+3=c;4=d;]");
  f.broker.arrive("news");
  f.publish("e");
  f.drain_all();
  assert_heard(comes, "[+3=c;4=d;]5=e;");
  assert_heard(stays, "1=a;2=b;3=c;4=d;5=e;");
}

void the_node_may_lag_behind_in_epochs(void**) {
  Fixture f;
  Listener stays;
  Listener comes;
  Listener new_here;
  f.join(stays);
  f.publish("a");
  f.drain_all();
  f.broker.begin_anew("news", 8);
  for (const char* data : {"x", "y"}) f.publish(data);
  f.join(comes);
  f.ask(comes, Position{8, 1});
  f.join(new_here);
  f.ask(new_here, Position{6, 1});
  assert_heard(comes, "[+2=y;]");
  assert_heard(new_here, "[8:2]");
  f.anchor();
  f.publish("z");
  f.drain_all();
  assert_heard(comes, "[+2=y;]3=z;");
  assert_heard(new_here, "[8:2]3=z;");
  assert_heard(stays, "1=a;gap;3=z;");
}

void an_epoch_that_the_channel_does_not_come_to_is_a_gap(void**) {
  Fixture f;
  Listener stays;
  Listener comes;
  f.join(stays);
  f.broker.begin_anew("news", 8);
  f.publish("x");
  f.join(comes);
  f.ask(comes, Position{8, 0});
  assert_heard(comes, "[+1=x;]");
  f.broker.bring_at("news", {7, 1}, "a");
  f.broker.bring_at("news", {7, 2}, "b");
  f.drain_all();
  assert_heard(stays, "1=a;2=b;");
  assert_heard(comes, "[+1=x;]gap;1=a;2=b;");
  f.broker.bring_at("news", {7, 3}, "c");
  f.drain_all();
  assert_heard(comes, "[+1=x;]gap;1=a;2=b;3=c;");
}

void what_the_log_still_has_of_the_old_epoch_is_not_for_the_new(void**) {
  Fixture f;
  Listener stays;
  Listener comes;
  f.join(stays);
  f.publish("a");  // unread
  f.broker.entry("news").top = {8, 4};
  f.broker.anchor("news");
  assert_true(f.join(comes) == (Position{8, 4}));
  f.publish("e");
  f.drain_all();
  assert_heard(comes, "5=e;");
  assert_heard(stays, "1=a;gap;5=e;");
}

void an_anchor_beyond_what_one_has_that_is_held_is_a_gap(void**) {
  Fixture f;
  Listener listener;
  f.publish("a");
  f.broker.hold_replies = f.broker.read_at_once = true;
  f.join(listener);
  f.ask(listener, Position{7, 0});
  f.broker.entry("news").top = {7, 4};
  f.anchor();
  f.broker.answer_held();
  assert_heard(listener, "[+1=a;]gap;");
}

void an_answer_of_the_epoch_of_the_anchor_mends_it(void**) {
  Fixture f;
  Listener listener;
  f.publish("a");
  f.broker.hold_replies = true;
  f.join(listener);
  f.ask(listener, Position{7, 0});
  f.broker.begin_anew("news", 8);
  f.publish("x");
  f.anchor();
  f.broker.answer_held();
  f.publish("y");
  f.drain_all();
  assert_heard(listener, "[8:1]2=y;");
}

void what_comes_meanwhile_is_kept_once_for_all(void**) {
  Fixture f;
  f.publish("a");
  f.drain_all();
  f.broker.hold_replies = true;
  Listener from_start;
  Listener from_end;
  f.join(from_start);
  f.ask(from_start, Position{7, 0});
  f.publish("b");
  f.drain_all();
  f.join(from_end);
  f.ask(from_end, Position{7, 0});
  f.publish("c");
  f.drain_all();
  f.broker.answer_held();
  f.publish("d");
  f.drain_all();
  assert_heard(from_start, "[+1=a;2=b;3=c;]4=d;");
  assert_heard(from_end, "[+1=a;2=b;3=c;]4=d;");
}

void what_there_was_no_room_for_is_a_gap_for_who_needs_it(void**) {
  Fixture f;
  f.publish("a");
  f.drain_all();
  f.broker.hold_replies = f.broker.read_at_once = true;
  Listener early;
  Listener late;
  f.join(early);
  f.ask(early, Position{7, 0});
  for (int i = 0; i < 3; ++i) f.publish(std::string(Hub::kMaxHeld / 2, 'x'));
  f.drain_all();
  f.join(late);
  f.ask(late, Position{7, 3});
  f.publish("e");
  f.drain_all();
  f.broker.answer_held();
  f.publish("f");
  f.drain_all();
  assert_heard(early, "[+1=a;]gap;6=f;");
  const std::string big(Hub::kMaxHeld / 2, 'x');
  assert_heard(late, ("[+4=" + big + ";]5=e;6=f;").c_str());
}

void without_a_position_what_passes_is_heard(void**) {
  Late f;
  Listener listener;
  Listener asks;
  f.join(listener);
  f.join(asks);
  f.ask(asks);
  f.broker.answer_held();
  f.broker.bring_at("news", {}, "here alone", Kind::text, Event::passing);
  f.drain_all();
  assert_heard(listener, "0=here alone;");
  assert_heard(asks, "[7:5]0=here alone;");
  f.anchor({7, 6});
  assert_heard(asks, "[7:5]0=here alone;gap;");
}

void limits_are_known_without_asking(void**) {
  Fixture f;
  Listener listener;
  for (const char* data : {"a", "b", "c"}) f.publish(data);
  f.join(listener);
  f.ask(listener, Position{7, 0}, {.publications = 2});
  assert_heard(listener, "[7:3]");
  assert_int_equal(f.broker.histories, 0);
}

void an_overrun_while_one_waits_is_a_gap_where_something_was_lost(void**) {
  Fixture f;
  Listener lost;
  f.publish("a");
  f.drain_all();
  f.broker.hold_replies = f.broker.read_at_once = true;
  f.join(lost);
  f.ask(lost, Position{7, 0});
  f.broker.lose = true;  // of other channels
  f.drain_all();
  f.broker.answer_held();
  assert_heard(lost, "[+1=a;]");
}

}  // namespace
}  // namespace paperboy::hub

int main() {
  using namespace paperboy::hub;
  const CMUnitTest tests[] = {
      cmocka_unit_test(who_just_subscribes_hears_all_behind_the_anchor),
      cmocka_unit_test(an_anchor_and_what_follows_may_come_in_one_drain),
      cmocka_unit_test(
          who_comes_before_the_anchor_is_read_begins_where_it_was_told),
      cmocka_unit_test(an_anchor_of_an_epoch_that_is_over_means_nothing),
      cmocka_unit_test(an_anchor_that_says_nothing_new_is_not_told),
      cmocka_unit_test(an_anchor_beyond_is_a_gap_in_its_place),
      cmocka_unit_test(a_gap_by_an_anchor_is_told_without_a_publication),
      cmocka_unit_test(a_void_anchor_is_forgotten),
      cmocka_unit_test(an_overrun_before_the_anchor_leaves_all_to_the_anchor),
      cmocka_unit_test(an_anchor_that_was_overrun_is_the_brokers_position),
      cmocka_unit_test(what_is_known_is_told_at_once),
      cmocka_unit_test(where_one_begins_is_asked_for),
      cmocka_unit_test(an_anchor_may_be_faster_than_the_answer),
      cmocka_unit_test(an_anchor_may_be_before_where_one_begins),
      cmocka_unit_test(an_anchor_beyond_where_one_begins_is_a_gap),
      cmocka_unit_test(what_cant_be_had_is_an_error_and_can_be_asked_again),
      cmocka_unit_test(an_error_keeps_nobody_from_leaving),
      cmocka_unit_test(who_leaves_while_it_waits_is_not_answered),
      cmocka_unit_test(an_answer_to_an_earlier_question_is_passed_over),
      cmocka_unit_test(the_node_may_lag_behind_who_comes_back),
      cmocka_unit_test(the_node_may_lag_behind_in_epochs),
      cmocka_unit_test(an_epoch_that_the_channel_does_not_come_to_is_a_gap),
      cmocka_unit_test(
          what_the_log_still_has_of_the_old_epoch_is_not_for_the_new),
      cmocka_unit_test(an_anchor_beyond_what_one_has_that_is_held_is_a_gap),
      cmocka_unit_test(an_answer_of_the_epoch_of_the_anchor_mends_it),
      cmocka_unit_test(what_comes_meanwhile_is_kept_once_for_all),
      cmocka_unit_test(what_there_was_no_room_for_is_a_gap_for_who_needs_it),
      cmocka_unit_test(without_a_position_what_passes_is_heard),
      cmocka_unit_test(limits_are_known_without_asking),
      cmocka_unit_test(
          an_overrun_while_one_waits_is_a_gap_where_something_was_lost),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
