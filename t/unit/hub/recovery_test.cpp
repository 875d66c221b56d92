#include "hub/recovery.hpp"

#include <memory>
#include <string>
#include <vector>

#include "hub/fakes.hpp"
#include "hub/hub.hpp"
#include "hub/listener.hpp"

#include "test.hpp"  // last: a macro of its own is called fail

namespace paperboy::hub {
namespace {

struct Fixture {
  FakeBroker broker;
  FakePresence presence{broker};
  RuleSet rules;
  Hub hub{broker, presence, rules};
  Lines lines;

  explicit Fixture(std::uint32_t kept = 100) {
    Rule rule;
    rule.keep.count = kept;
    assert_true(rules.add("news", rule));
  }

  void publish(Bytes data, Event event = Event::message) {
    hub.publish({.channel = "news", .event = event, .data = data},
                [](const auto&) {});
  }
  Position join(Listener& listener) {
    return hub.subscribe(listener.in(hub), "news", lines).value();
  }
  /// What it is told is written down as "[1=a;2=b;]" or "[lost]".
  void recover(Listener& listener, Position since, RecoveryLimits limits = {}) {
    hub.recover(listener.subscription, since, limits,
                [&listener](const Result<Recovery>& recovery) {
                  listener.heard += told(recovery);
                });
  }
  void come_back(Listener& listener, Position since,
                 RecoveryLimits limits = {}) {
    join(listener);
    recover(listener, since, limits);
  }
  static std::string told(const Result<Recovery>& recovery) {
    if (!recovery) return "[error]";
    if (!recovery->recovered) return "[lost]";
    std::string text = "[";
    for (const Kept& kept : recovery->publications) {
      text += std::to_string(kept.position.offset) + "=" + kept.data + ";";
    }
    return text + "]";
  }
  void drain_all() {
    while (hub.drain()) hub.release();
    hub.release();
  }
};

void assert_heard(const Listener& listener, const char* expected) {
  assert_string_equal(listener.heard.c_str(), expected);
}

void who_comes_back_gets_what_it_missed(void**) {
  Fixture f;
  Listener listener;
  for (const char* data : {"a", "b", "c"}) f.publish(data);
  f.come_back(listener, {7, 1});
  f.publish("d");
  f.drain_all();
  assert_heard(listener, "[2=b;3=c;]4=d;");
}

void who_missed_nothing_is_told_so_without_a_history(void**) {
  Fixture f(0);
  Listener listener;
  f.publish("a");
  f.come_back(listener, {7, 1});
  f.publish("b");
  f.drain_all();
  assert_heard(listener, "[]2=b;");
}

void what_is_not_kept_any_more_is_told(void**) {
  Fixture f(2);
  Listener listener;
  for (const char* data : {"a", "b", "c", "d"}) f.publish(data);
  f.come_back(listener, {7, 1});
  f.publish("e");
  f.drain_all();
  assert_heard(listener, "[lost]5=e;");
}

void a_position_that_means_nothing_is_told(void**) {
  for (const Position since : {Position{8, 1}, Position{7, 5}}) {
    Fixture f;
    Listener listener;
    f.publish("a");
    f.come_back(listener, since);
    f.publish("b");
    f.drain_all();
    assert_heard(listener, "[lost]2=b;");
  }
}

/// On another node, which was ahead of this one.
void who_has_more_than_the_worker_is_not_sent_back(void**) {
  Fixture f;
  Listener stays;
  Listener comes;
  f.join(stays);
  f.publish("a");
  f.drain_all();
  f.broker.lag("news");
  for (const char* data : {"b", "c", "d"}) f.publish(data);
  f.broker.remove_history("news", [](const Result<Done>&) {});
  f.come_back(comes, {7, 2});
  assert_heard(comes, "[lost]");
  f.broker.arrive("news");
  f.publish("e");
  f.drain_all();
  assert_heard(comes, "[lost]5=e;");
  assert_heard(stays, "1=a;2=b;3=c;4=d;5=e;");
}

void limits_are_kept(void**) {
  Fixture f;
  Listener within;
  Listener beyond;
  for (const char* data : {"a", "b", "c"}) f.publish(data);
  f.come_back(within, {7, 1}, {.publications = 2});
  f.come_back(beyond, {7, 0}, {.publications = 2});
  assert_heard(within, "[2=b;3=c;]");
  assert_heard(beyond, "[lost]");
}

void a_broker_that_fails_is_a_loss(void**) {
  Fixture f;
  Listener listener;
  f.publish("a");
  f.join(listener);
  f.broker.refusal = Error{ErrorCode::internal, "our fault"};
  f.recover(listener, {7, 0});
  f.broker.refusal.reset();
  f.publish("b");
  f.drain_all();
  assert_heard(listener, "[lost]2=b;");
}

void what_the_worker_has_still_to_read_comes_once(void**) {
  Fixture f;
  Listener stays;
  Listener comes;
  Listener anew;
  f.join(stays);
  f.publish("a");
  f.publish("b");  // both wait in the log
  f.come_back(comes, {7, 1});
  f.join(anew);
  f.publish("c");
  f.drain_all();
  assert_heard(stays, "1=a;2=b;3=c;");
  assert_heard(comes, "[2=b;]3=c;");
  assert_heard(anew, "3=c;");
  // And from then on they share their bytes again.
  f.publish("d");
  f.hub.drain();
  assert_ptr_equal(stays.last_run.data(), comes.last_run.data());
  assert_ptr_equal(stays.last_run.data(), anew.last_run.data());
  assert_true(comes.subscription.position() == (Position{7, 4}));
}

void a_position_says_where_a_subscription_begins(void**) {
  Fixture f;
  Listener stays;
  Listener comes;
  f.join(stays);
  f.publish("a");
  assert_true(f.join(comes) == (Position{7, 1}));
  assert_true(comes.subscription.position() == (Position{7, 1}));
  assert_true(stays.subscription.position() == (Position{7, 0}));
}

void many_may_begin_at_many_positions(void**) {
  Fixture f;
  std::vector<std::unique_ptr<Listener>> listeners;
  for (int i = 0; i < 20; ++i) {
    listeners.push_back(std::make_unique<Listener>());
    f.join(*listeners.back());
    if (i % 5 == 4) f.hub.unsubscribe(listeners[2]->subscription);
    if (i % 5 == 4) f.join(*listeners[2]);
    f.publish(std::to_string(i));
  }
  f.drain_all();
  for (int i = 0; i < 20; ++i) {
    const int first = i == 2 ? 20 : i + 1;
    std::string expected;
    for (int n = first; n <= 20; ++n) {
      expected += std::to_string(n) + "=" + std::to_string(n - 1) + ";";
    }
    assert_heard(*listeners[static_cast<std::size_t>(i)], expected.c_str());
  }
}

void what_comes_while_the_history_is_read_waits(void**) {
  Fixture f;
  Listener listener;
  f.publish("a");
  f.broker.hold_replies = true;
  f.come_back(listener, {7, 0});
  f.publish("b");
  f.drain_all();
  f.publish("c");
  assert_heard(listener, "");
  f.broker.answer_held();
  f.drain_all();
  assert_heard(listener, "[1=a;2=b;3=c;]");
}

void who_leaves_while_it_is_held_is_not_answered(void**) {
  Fixture f;
  Listener stays;
  auto leaves = std::make_unique<Listener>();
  f.publish("a");
  f.broker.hold_replies = true;
  f.come_back(*leaves, {7, 0});
  f.come_back(stays, {7, 0});
  leaves.reset();
  f.broker.answer_held();
  assert_heard(stays, "[1=a;]");
  f.hub.unsubscribe(stays.subscription);
  assert_int_equal(f.broker.subscribers(), 0);
  assert_int_equal(f.hub.channel_count(), 0);
}

void too_much_while_it_is_held_is_told_as_a_gap(void**) {
  Fixture f(0);
  Listener listener;
  f.publish("a");
  f.broker.hold_replies = true;
  f.come_back(listener, {7, 0});
  f.publish(std::string(Hub::kMaxHeld, 'x'));
  f.publish("b");
  f.drain_all();
  f.broker.answer_held();
  assert_heard(listener, "[lost]gap;");
}

// Every interleaving of four publishes, a drain after each or not, with
// subscribing, asking for the history, its answer, and leaving. Whatever the
// order: no duplicate, no hole, and what was published before `since` and
// after the end is not heard.
//
// A schedule is a word of: p publish, d drain, s subscribe and ask, a answer,
// l leave; s before a, both once, l at most once and after s.
struct Schedule {
  std::string word;
  std::size_t publishes = 0;
  bool asked = false, answered = false, left = false;
};

int schedules_run = 0;

void run_schedule(const std::string& word, std::uint64_t since) {
  Fixture f;
  Listener listener;
  f.broker.hold_replies = true;
  std::uint64_t top = 0;
  f.publish("0");
  f.publish("1");
  top = 2;
  std::uint64_t end = 0;  // what it must have heard at least, at its leave
  for (const char step : word) {
    if (step == 'p') f.publish(std::to_string(top++));
    if (step == 'd') f.drain_all();
    if (step == 's') f.come_back(listener, {7, since});
    if (step == 'a') f.broker.answer_held();
    if (step == 'l') {
      f.hub.unsubscribe(listener.subscription);
      end = 1;
    }
  }
  f.broker.answer_held();
  f.drain_all();
  ++schedules_run;
  std::string heard = listener.heard;
  std::erase(heard, '[');
  std::erase(heard, ']');
  std::string expected;
  for (std::uint64_t n = since + 1; n <= top; ++n) {
    expected += std::to_string(n) + "=" + std::to_string(n - 1) + ";";
  }
  // Who stays has heard all; who left, some of the beginning.
  const bool good = end == 0 ? heard == expected : expected.starts_with(heard);
  if (!good)
    print_error("%s since %d: %s\n", word.c_str(), static_cast<int>(since),
                listener.heard.c_str());
  assert_true(good);
}

void enumerate(Schedule at) {
  if (at.publishes == 4 && at.answered) {
    for (const std::uint64_t since : {0, 1, 2}) run_schedule(at.word, since);
  }
  const auto go = [&at](char step, auto change) {
    Schedule next = at;
    next.word += step;
    change(next);
    enumerate(next);
  };
  if (at.publishes < 4) {
    go('p', [](Schedule& next) { ++next.publishes; });
  }
  if (!at.word.empty() && at.word.back() != 'd') go('d', [](Schedule&) {});
  if (!at.asked) {
    go('s', [](Schedule& next) { next.asked = true; });
  }
  if (at.asked && !at.answered) {
    go('a', [](Schedule& next) { next.answered = true; });
  }
  if (at.asked && !at.left) {
    go('l', [](Schedule& next) { next.left = true; });
  }
}

void no_interleaving_loses_or_repeats(void**) {
  enumerate({});
  assert_true(schedules_run > 10'000);
}

// ---- after a loss ----------------------------------------------------------

void a_worker_that_was_too_slow_reads_on_from_history(void**) {
  Fixture f;
  Listener listener;
  f.join(listener);
  f.publish("a");
  f.drain_all();
  f.publish("b");
  f.publish("c");
  f.broker.lose = true;
  f.drain_all();
  f.publish("d");
  f.drain_all();
  assert_heard(listener, "1=a;2=b;3=c;4=d;");
}

void what_history_has_not_is_told_as_a_gap(void**) {
  Fixture f(1);
  Listener listener;
  f.join(listener);
  f.publish("a");
  f.publish("b");
  f.broker.lose = true;
  f.drain_all();
  f.publish("c");
  f.drain_all();
  assert_heard(listener, "gap;3=c;");
}

void a_loss_brings_nobody_what_it_has(void**) {
  Fixture f;
  Listener stays;
  Listener comes;
  f.join(stays);
  f.publish("a");
  f.publish("b");
  f.come_back(comes, {7, 1});
  f.publish("c");
  f.broker.lose = true;
  f.drain_all();
  assert_heard(stays, "1=a;2=b;3=c;");
  assert_heard(comes, "[2=b;]3=c;");
}

void what_the_log_brings_during_a_repair_comes_once(void**) {
  Fixture f;
  Listener listener;
  f.join(listener);
  f.publish("a");
  f.broker.lose = true;
  f.broker.hold_replies = true;
  f.hub.drain();
  f.publish("b");
  f.hub.drain();
  f.broker.answer_held();
  f.publish("c");
  f.drain_all();
  assert_heard(listener, "1=a;2=b;3=c;");
}

void what_the_history_came_too_early_for_is_read_again(void**) {
  Fixture f;
  Listener listener;
  Listener comes;
  f.join(listener);
  f.publish("a");
  f.broker.lose = true;
  f.broker.hold_replies = f.broker.read_at_once = true;
  f.hub.drain();
  f.come_back(comes, {7, 0});
  f.publish("b");
  f.drain_all();
  f.broker.answer_held();
  f.broker.answer_held();
  assert_heard(listener, "1=a;2=b;");
  assert_heard(comes, "[1=a;]2=b;");
  f.publish("c");
  f.drain_all();
  assert_heard(listener, "1=a;2=b;3=c;");
  assert_heard(comes, "[1=a;]2=b;3=c;");
}

void a_second_loss_during_a_repair_is_repaired(void**) {
  Fixture f;
  Listener listener;
  f.join(listener);
  f.broker.hold_replies = f.broker.read_at_once = true;
  for (const char* data : {"a", "b"}) {
    f.publish(data);
    f.broker.lose = true;
    f.drain_all();
  }
  f.broker.answer_held();
  f.broker.answer_held();
  assert_heard(listener, "1=a;2=b;");
}

void what_is_void_reaches_nobody_who_is_held(void**) {
  Fixture f;
  Listener listener;
  f.publish("a");
  f.drain_all();
  f.broker.hold_replies = f.broker.read_at_once = true;
  f.come_back(listener, {7, 0});
  f.publish("b");
  f.drain_all();
  f.publish("c");
  f.broker.lose = true;
  f.drain_all();
  f.broker.answer_held();
  assert_heard(listener, "[1=a;]2=b;gap;3=c;");
}

// ---- what has no offset ----------------------------------------------------

void what_has_no_offset_moves_no_position(void**) {
  Fixture f;
  Listener listener;
  f.join(listener);
  f.publish("a");
  f.publish("typing", Event::passing);
  f.publish("b");
  f.drain_all();
  assert_heard(listener, "1=a;1=typing;2=b;");
  assert_true(listener.subscription.position() == (Position{7, 2}));
}

void who_begins_later_does_not_hear_earlier_ones(void**) {
  Fixture f;
  Listener stays;
  Listener comes;
  f.join(stays);
  f.publish("typing", Event::passing);
  f.publish("a");
  f.join(comes);
  f.publish("again", Event::passing);
  f.drain_all();
  assert_heard(stays, "0=typing;1=a;1=again;");
  assert_heard(comes, "1=again;");
}

std::string text_of(const std::optional<Position>& at) {
  return at ? position_text(*at) : "none";
}

void one_that_is_awaited_gets_nothing_until_it_is_known_where_it_goes_on(
    void**) {
  Fixture fixture;
  fixture.publish("a");
  fixture.drain_all();
  Listener listener;
  fixture.join(listener);
  fixture.hub.await(listener.subscription);
  fixture.publish("b");
  fixture.drain_all();
  assert_string_equal(listener.heard.c_str(), "");
  assert_true(text_of(fixture.hub.reached(listener.subscription)) == "none");
  fixture.recover(listener, {7, 0});
  fixture.drain_all();
  assert_string_equal(listener.heard.c_str(), "[1=a;2=b;]");
  fixture.publish("c");
  fixture.drain_all();
  assert_string_equal(listener.heard.c_str(), "[1=a;2=b;]3=c;");
}

void one_that_was_awaited_in_vain_begins_where_it_was(void**) {
  Fixture fixture;
  fixture.publish("a");
  fixture.drain_all();
  Listener listener;
  fixture.join(listener);
  fixture.hub.await(listener.subscription);
  fixture.publish("b");
  fixture.drain_all();
  Listener same;
  fixture.join(same);
  fixture.hub.await(same.subscription);
  fixture.hub.recover(listener.subscription, {}, {},
                      [&](const Result<Recovery>& recovery) {
                        assert_true(recovery->position == (Position{7, 1}));
                      });
  fixture.recover(same, {7, 2});
  assert_int_equal(fixture.broker.histories, 0);
  assert_string_equal(listener.heard.c_str(), "2=b;");
  assert_string_equal(same.heard.c_str(), "[]");
}

/// Notes where it is as it is handed something.
struct Walker final : Subscriber {
  explicit Walker(Hub& hub) : where(hub) {}
  [[nodiscard]] Hub& hub() const override { return where; }
  void deliver(const Subscription& to, Bytes run, std::uint32_t) override {
    heard.append(text_of(where.reached(to))).append(" then ").append(run);
  }
  void gap(const Subscription& at) override {
    heard.append("gap at ").append(text_of(where.reached(at))).append(";");
  }

  Hub& where;
  std::string heard;
  Subscription subscription{*this};
};

void it_is_known_where_one_is_amid_a_fan_out(void**) {
  Fixture fixture;
  Walker first(fixture.hub);
  Walker second(fixture.hub);
  fixture.publish("a");
  for (Walker* const walker : {&first, &second}) {
    assert_true(
        fixture.hub.subscribe(walker->subscription, "news", fixture.lines)
            .ok());
  }
  assert_true(text_of(fixture.hub.reached(first.subscription)) == "7:1");
  fixture.publish("b");
  fixture.publish("c");
  fixture.broker.bring_at("news", {7, 5}, "e");
  fixture.drain_all();
  for (const Walker* const walker : {&first, &second}) {
    assert_string_equal(walker->heard.c_str(),
                        "7:1 then 2=b;3=c;gap at 7:3;7:3 then 5=e;");
    assert_true(text_of(fixture.hub.reached(walker->subscription)) == "7:5");
  }
}

}  // namespace
}  // namespace paperboy::hub

int main() {
  using namespace paperboy::hub;
  const CMUnitTest tests[] = {
      cmocka_unit_test(who_comes_back_gets_what_it_missed),
      cmocka_unit_test(who_missed_nothing_is_told_so_without_a_history),
      cmocka_unit_test(what_is_not_kept_any_more_is_told),
      cmocka_unit_test(a_position_that_means_nothing_is_told),
      cmocka_unit_test(who_has_more_than_the_worker_is_not_sent_back),
      cmocka_unit_test(limits_are_kept),
      cmocka_unit_test(a_broker_that_fails_is_a_loss),
      cmocka_unit_test(what_the_worker_has_still_to_read_comes_once),
      cmocka_unit_test(a_position_says_where_a_subscription_begins),
      cmocka_unit_test(many_may_begin_at_many_positions),
      cmocka_unit_test(what_comes_while_the_history_is_read_waits),
      cmocka_unit_test(who_leaves_while_it_is_held_is_not_answered),
      cmocka_unit_test(too_much_while_it_is_held_is_told_as_a_gap),
      cmocka_unit_test(no_interleaving_loses_or_repeats),
      cmocka_unit_test(a_worker_that_was_too_slow_reads_on_from_history),
      cmocka_unit_test(what_history_has_not_is_told_as_a_gap),
      cmocka_unit_test(a_loss_brings_nobody_what_it_has),
      cmocka_unit_test(what_the_log_brings_during_a_repair_comes_once),
      cmocka_unit_test(what_the_history_came_too_early_for_is_read_again),
      cmocka_unit_test(a_second_loss_during_a_repair_is_repaired),
      cmocka_unit_test(what_is_void_reaches_nobody_who_is_held),
      cmocka_unit_test(what_has_no_offset_moves_no_position),
      cmocka_unit_test(who_begins_later_does_not_hear_earlier_ones),
      cmocka_unit_test(
          one_that_is_awaited_gets_nothing_until_it_is_known_where_it_goes_on),
      cmocka_unit_test(one_that_was_awaited_in_vain_begins_where_it_was),
      cmocka_unit_test(it_is_known_where_one_is_amid_a_fan_out),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
