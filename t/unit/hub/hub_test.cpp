#include "hub/hub.hpp"

#include <algorithm>
#include <initializer_list>
#include <memory>
#include <new>
#include <string>
#include <vector>

#include "hub/fakes.hpp"
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

  Position join(Listener& listener, Bytes channel = "news") {
    return join(listener, channel, lines);
  }
  Position join(Listener& listener, Bytes channel, Encoder& encoder) {
    return hub.subscribe(listener.in(hub), channel, encoder).value();
  }

  void drain_all() {
    while (hub.drain()) hub.release();
    hub.release();
  }
};

void assert_heard(const Listener& listener, const char* expected) {
  assert_string_equal(listener.heard.c_str(), expected);
}

void publications_arrive_in_order_and_once(void**) {
  Fixture f;
  Listener listener;
  f.join(listener);
  f.broker.bring("news", "a");
  f.broker.bring("news", "b");
  f.drain_all();
  f.broker.bring("news", "c");
  f.drain_all();
  f.drain_all();
  assert_heard(listener, "1=a;2=b;3=c;");
  assert_int_equal(listener.publications, 3);
  assert_true(listener.subscription.position() == (Position{7, 3}));
}

void what_a_drain_brings_is_one_run(void**) {
  Fixture f;
  Listener listener;
  f.join(listener);
  for (int i = 0; i < 64; ++i) f.broker.bring("news", "x");
  assert_false(f.hub.drain());
  assert_int_equal(listener.runs, 1);
  assert_int_equal(listener.publications, 64);
  f.hub.release();
}

void a_bounded_share_asks_to_be_called_again(void**) {
  Fixture f;
  Listener listener;
  f.join(listener);
  f.broker.share = 2;
  for (const char* data : {"a", "b", "c"}) f.broker.bring("news", data);
  assert_true(f.hub.drain());
  assert_heard(listener, "1=a;2=b;");
  assert_false(f.hub.drain());
  assert_heard(listener, "1=a;2=b;3=c;");
}

void a_publication_is_encoded_once_an_encoder(void**) {
  Fixture f;
  Lines other("other ");
  Lines unused("unused ");
  std::vector<std::unique_ptr<Listener>> listeners;
  for (int i = 0; i < 100; ++i) {
    listeners.push_back(std::make_unique<Listener>());
    f.join(*listeners.back(), "news", i % 2 == 0 ? f.lines : other);
  }
  Listener gone;
  f.join(gone, "news", unused);
  f.hub.unsubscribe(gone.subscription);
  f.broker.bring("news", "a");
  f.broker.bring("news", "b");
  f.hub.drain();
  assert_int_equal(f.lines.encoded, 2);
  assert_int_equal(other.encoded, 2);
  assert_int_equal(unused.encoded, 0);
  for (int i = 0; i < 100; ++i) {
    assert_heard(*listeners[static_cast<std::size_t>(i)],
                 i % 2 == 0 ? "1=a;2=b;" : "other 1=a;other 2=b;");
  }
  // The same bytes, not copies of them.
  assert_ptr_equal(listeners[0]->last_run.data(),
                   listeners[98]->last_run.data());
}

void channels_are_apart(void**) {
  Fixture f;
  Listener news;
  Listener chat;
  f.join(news, "news");
  f.join(chat, "chat");
  f.broker.bring("news", "a");
  f.broker.bring("chat", "b");
  f.broker.bring("nobody", "c");
  f.broker.bring("news", "d");
  f.hub.drain();
  assert_heard(news, "1=a;2=d;");
  assert_heard(chat, "1=b;");
  assert_int_equal(f.hub.channel_count(), 2);
}

void one_subscriber_may_be_in_a_channel_twice(void**) {
  Fixture f;
  Listener listener;
  Subscription second{listener};
  f.join(listener);
  assert_true(f.hub.subscribe(second, "news", f.lines).ok());
  f.broker.bring("news", "a");
  f.hub.drain();
  assert_heard(listener, "1=a;1=a;");
}

void nothing_comes_from_before_the_position(void**) {
  Fixture f;
  f.broker.bring("news", "before");
  f.broker.bring("news", "and before");
  Listener first;
  assert_true(f.join(first) == (Position{7, 2}));
  f.broker.bring("news", "after");
  f.drain_all();
  assert_heard(first, "3=after;");
  Listener second;
  assert_true(f.join(second) == (Position{7, 3}));
  f.broker.bring("news", "more");
  f.drain_all();
  assert_heard(first, "3=after;4=more;");
  assert_heard(second, "4=more;");
}

void who_joins_begins_at_the_top_whatever_others_have_still_to_hear(void**) {
  Fixture f;
  Listener first;
  f.join(first);
  f.broker.bring("news", "a");  // not drained yet
  Listener second;
  assert_true(f.join(second) == (Position{7, 1}));
  f.broker.bring("news", "b");
  f.drain_all();
  assert_heard(first, "1=a;2=b;");
  assert_heard(second, "2=b;");
}

void a_jump_of_offsets_is_a_gap_before_what_follows(void**) {
  Fixture f;
  Listener listener;
  Listener other;
  f.join(listener);
  f.join(other, "chat");
  f.broker.bring_at("news", {7, 1}, "a");
  f.broker.bring_at("chat", {7, 1}, "x");
  f.broker.bring_at("news", {7, 2}, "b");
  f.broker.bring_at("news", {7, 5}, "e");
  f.broker.bring_at("news", {7, 6}, "f");
  f.broker.bring_at("news", {7, 9}, "i");
  f.broker.bring_at("chat", {7, 2}, "y");
  f.drain_all();
  assert_heard(listener, "1=a;2=b;gap;5=e;6=f;gap;9=i;");
  assert_int_equal(listener.publications, 5);
  assert_heard(other, "1=x;2=y;");
  f.broker.bring_at("news", {7, 10}, "j");
  f.drain_all();
  assert_heard(listener, "1=a;2=b;gap;5=e;6=f;gap;9=i;10=j;");
}

void a_jump_at_the_start_is_a_gap(void**) {
  Fixture f;
  Listener listener;
  f.join(listener);
  f.broker.bring_at("news", {7, 2}, "b");
  f.drain_all();
  assert_heard(listener, "gap;2=b;");
}

void everybody_in_the_channel_is_told_of_the_gap(void**) {
  Fixture f;
  Lines other("other ");
  Listener one;
  Listener two;
  Listener three;
  f.join(one);
  f.join(two, "news", other);
  f.join(three);
  f.broker.bring_at("news", {7, 2}, "b");
  f.drain_all();
  assert_heard(one, "gap;2=b;");
  assert_heard(two, "gap;other 2=b;");
  assert_heard(three, "gap;2=b;");
}

void stale_records_are_ignored(void**) {
  Fixture f;
  f.broker.entry("news").top = {7, 10};
  Listener listener;
  f.join(listener);
  f.broker.bring_at("news", {7, 9}, "older");
  f.broker.bring_at("news", {7, 10}, "old");
  f.broker.bring_at("news", {7, 11}, "new");
  f.broker.bring_at("news", {7, 11}, "again");
  f.drain_all();
  assert_heard(listener, "11=new;");
}

void records_of_another_epoch_are_ignored_while_the_channel_is_in_ours(void**) {
  Fixture f;
  Listener listener;
  f.join(listener);
  f.broker.bring_at("news", {6, 1}, "the entry was another channel's");
  f.broker.bring("news", "a");
  f.broker.bring_at("news", {8, 2}, "foreign");
  f.broker.bring("news", "b");
  f.drain_all();
  assert_heard(listener, "1=a;2=b;");
}

void a_new_epoch_is_a_gap(void**) {
  Fixture f;
  Listener listener;
  f.join(listener);
  f.broker.bring("news", "a");
  f.broker.entry("news").top = {8, 0};
  f.broker.bring("news", "b");
  f.broker.bring("news", "c");
  f.drain_all();
  assert_heard(listener, "1=a;gap;1=b;2=c;");
  assert_true(listener.subscription.position() == (Position{8, 2}));
}

void a_loss_is_a_gap_where_the_position_moved_and_voids_the_batch(void**) {
  Fixture f;
  Listener moved;
  Listener quiet;
  Listener read;
  f.join(moved, "moved");
  f.join(quiet, "quiet");
  f.join(read, "read");
  f.broker.bring("quiet", "q");
  f.drain_all();
  f.broker.entry("moved").top = {7, 5};  // never seen
  f.broker.bring("read", "void");
  f.broker.lose = true;
  assert_true(f.hub.drain());
  f.hub.release();
  assert_heard(moved, "gap;");
  assert_heard(quiet, "1=q;");
  assert_heard(read, "gap;");
  f.broker.bring("moved", "m");
  f.broker.bring("quiet", "r");
  f.broker.bring("read", "s");
  assert_false(f.hub.drain());
  assert_heard(moved, "gap;6=m;");
  assert_heard(quiet, "1=q;2=r;");
  assert_heard(read, "gap;2=s;");
}

void a_void_batch_leaks_nothing_at_its_holes(void**) {
  Fixture f;
  Listener news;
  Listener chat;
  f.join(news, "news");
  f.join(chat, "chat");
  f.broker.bring("chat", "void");
  f.broker.bring("news", "void");
  f.broker.bring_at("news", {7, 123456}, "torn");
  f.broker.bring_at("news", {7, 99}, "torn");
  f.broker.lose = true;
  assert_true(f.hub.drain());
  assert_heard(news, "gap;");
  assert_heard(chat, "gap;");
  assert_true(news.subscription.position() == (Position{7, 1}));
}

void records_before_the_loss_are_stale_after_it(void**) {
  Fixture f;
  Listener listener;
  f.join(listener);
  f.broker.entry("news").top = {7, 5};
  f.broker.lose = true;
  f.hub.drain();
  f.broker.bring_at("news", {7, 4}, "behind the loss");
  f.broker.bring_at("news", {7, 5}, "behind the loss");
  f.broker.bring("news", "new");
  f.drain_all();
  assert_heard(listener, "gap;6=new;");
}

void a_refused_subscription_leaves_nothing_behind(void**) {
  Fixture f;
  Listener listener;
  f.broker.refusal = Error{ErrorCode::too_many_channels, "full"};
  const auto refused = f.hub.subscribe(listener.in(f.hub), "news", f.lines);
  assert_false(refused.ok());
  assert_true(refused.error().code == ErrorCode::too_many_channels);
  assert_false(listener.subscription.active());
  assert_int_equal(f.hub.channel_count(), 0);
  f.broker.refusal.reset();
  f.join(listener);
  assert_true(listener.subscription.active());
}

void unsubscribing_is_once(void**) {
  Fixture f;
  Listener listener;
  f.join(listener);
  f.hub.unsubscribe(listener.subscription);
  f.hub.unsubscribe(listener.subscription);
  assert_int_equal(f.broker.subscribers(), 0);
  assert_int_equal(f.hub.channel_count(), 0);
  f.broker.bring("news", "a");
  f.drain_all();
  assert_heard(listener, "");
}

void a_subscription_leaves_when_it_dies(void**) {
  Fixture f;
  Listener stays;
  f.join(stays);
  {
    Listener dies;
    f.join(dies);
    assert_int_equal(f.broker.subscribers(), 2);
  }
  assert_int_equal(f.broker.subscribers(), 1);
  f.broker.bring("news", "a");
  f.drain_all();
  assert_heard(stays, "1=a;");
}

void those_who_stay_are_found_whoever_leaves(void**) {
  Fixture f;
  Lines other("other ");
  Lines third("third ");
  Encoder* const encoders[] = {&f.lines, &other, &third};
  const char* const expected[] = {"1=a;", "other 1=a;", "third 1=a;"};
  constexpr std::size_t kCount = 30;
  for (std::size_t step = 1; step < 7; ++step) {
    FakeBroker broker;
    FakePresence presence(broker);
    const RuleSet rules;
    Hub hub(broker, presence, rules);
    std::vector<std::unique_ptr<Listener>> listeners;
    for (std::size_t i = 0; i < kCount; ++i) {
      listeners.push_back(std::make_unique<Listener>());
      assert_true(
          hub.subscribe(listeners[i]->in(hub), "news", *encoders[i % 3]).ok());
    }
    for (std::size_t i = 0; i < kCount; i += step) {
      hub.unsubscribe(listeners[i * 7 % kCount]->subscription);
    }
    broker.bring("news", "a");
    hub.drain();
    for (std::size_t i = 0; i < kCount; ++i) {
      const bool stays = listeners[i]->subscription.active();
      assert_heard(*listeners[i], stays ? expected[i % 3] : "");
    }
    for (const auto& listener : listeners) {
      hub.unsubscribe(listener->subscription);
    }
    assert_int_equal(broker.subscribers(), 0);
    assert_int_equal(hub.channel_count(), 0);
  }
}

void a_group_that_became_empty_is_used_again(void**) {
  Fixture f;
  Lines other("other ");
  Listener stays;
  Listener comes;
  f.join(stays);
  f.join(comes, "news", other);
  f.broker.bring("news", "a");
  f.drain_all();
  f.hub.unsubscribe(comes.subscription);
  f.broker.bring("news", "b");
  f.drain_all();
  f.join(comes, "news", other);
  f.broker.bring("news", "c");
  f.drain_all();
  assert_heard(stays, "1=a;2=b;3=c;");
  assert_heard(comes, "other 1=a;other 3=c;");
}

void who_is_in_a_channel_is_told(void**) {
  Fixture f;
  Listener one;
  Listener other;
  Listener held;
  assert_true(f.hub.subscribers("news").empty());
  for (Listener* const it : {&one, &other, &held}) f.join(*it);
  f.broker.hold_replies = true;
  f.hub.recover(held.subscription, Position{6, 1}, {}, [](const auto&) {});
  const auto all = f.hub.subscribers("news");
  assert_int_equal(all.size(), 3);
  for (Subscriber* const expected :
       std::initializer_list<Subscriber*>{&one, &other, &held}) {
    assert_true(std::ranges::find(all, expected) != all.end());
  }
  assert_true(f.hub.subscribers("sport").empty());
  f.hub.unsubscribe(one.subscription);
  assert_int_equal(f.hub.subscribers("news").size(), 2);
  assert_int_equal(f.broker.entry("news").subscribers, 2);
}

void a_channel_that_everybody_left_begins_at_the_present(void**) {
  Fixture f;
  Listener listener;
  f.join(listener);
  f.broker.bring("news", "a");
  f.drain_all();
  f.hub.unsubscribe(listener.subscription);
  f.broker.bring("news", "b");
  assert_true(f.join(listener) == (Position{7, 2}));
  f.broker.bring("news", "c");
  f.drain_all();
  assert_heard(listener, "1=a;3=c;");
}

void runs_stay_until_they_are_released(void**) {
  Fixture f;
  Listener listener;
  f.join(listener);
  std::vector<Bytes> runs;
  std::string expected;
  for (int i = 1; i <= 200; ++i) {
    // Short ones, which a string keeps in itself, and long ones.
    const std::string data(i % 2 == 0 ? 1 : 5000, 'x');
    f.broker.bring("news", data);
    f.hub.drain();
    runs.push_back(listener.last_run);
    expected += std::to_string(i) + "=" + data + ";";
  }
  std::string kept;
  for (const Bytes run : runs) kept += run;
  assert_true(kept == expected);
  f.hub.release();
  f.hub.release();
  listener.heard.clear();
  f.broker.bring("news", "next");
  f.hub.drain();
  assert_heard(listener, "201=next;");
}

void names_are_told_while_subscribed(void**) {
  Fixture f;
  Listener listener;
  f.join(listener, "the news");
  assert_string_equal(std::string(listener.subscription.channel_name()).c_str(),
                      "the news");
}

void publishing_is_the_brokers(void**) {
  Fixture f;
  Listener listener;
  f.join(listener);
  Position position;
  std::uint64_t subscribers = 0;
  f.hub.publish({.channel = "news", .data = "a"}, [&](const auto& outcome) {
    position = outcome.value().position;
    subscribers = outcome.value().subscribers;
  });
  assert_true(position == (Position{7, 1}));
  assert_int_equal(subscribers, 1);
  assert_heard(listener, "");
  f.drain_all();
  assert_heard(listener, "1=a;");
}

/// Runs out of memory at the word "fail".
class Failing final : public Encoder {
 public:
  void encode(const Publication& publication, std::string& out) override {
    if (publication.data == "fail") throw std::bad_alloc();
    out.append(publication.data);
  }
};

void memory_that_runs_out_amid_a_drain_is_a_gap_and_no_mixture(void**) {
  Fixture f;
  Failing encoder;
  Listener one;
  Listener other;
  Listener quiet;
  f.join(one, "one", encoder);
  f.join(other, "other", encoder);
  f.join(quiet, "quiet", encoder);
  f.broker.bring("one", "1");
  f.broker.bring("other", "fail");
  bool thrown = false;
  try {
    f.hub.drain();
  } catch (const std::bad_alloc&) {
    thrown = true;
  }
  assert_true(thrown);
  f.hub.release();
  assert_heard(one, "gap;");
  assert_heard(other, "gap;");
  assert_heard(quiet, "");
  f.broker.bring("other", "2");
  f.broker.bring("one", "3");
  f.broker.bring("quiet", "4");
  f.drain_all();
  assert_heard(one, "gap;3");
  assert_heard(other, "gap;2");
  assert_heard(quiet, "4");
}

}  // namespace
}  // namespace paperboy::hub

int main() {
  using namespace paperboy::hub;
  const CMUnitTest tests[] = {
      cmocka_unit_test(publications_arrive_in_order_and_once),
      cmocka_unit_test(what_a_drain_brings_is_one_run),
      cmocka_unit_test(a_bounded_share_asks_to_be_called_again),
      cmocka_unit_test(a_publication_is_encoded_once_an_encoder),
      cmocka_unit_test(channels_are_apart),
      cmocka_unit_test(one_subscriber_may_be_in_a_channel_twice),
      cmocka_unit_test(nothing_comes_from_before_the_position),
      cmocka_unit_test(
          who_joins_begins_at_the_top_whatever_others_have_still_to_hear),
      cmocka_unit_test(a_jump_of_offsets_is_a_gap_before_what_follows),
      cmocka_unit_test(a_jump_at_the_start_is_a_gap),
      cmocka_unit_test(everybody_in_the_channel_is_told_of_the_gap),
      cmocka_unit_test(stale_records_are_ignored),
      cmocka_unit_test(
          records_of_another_epoch_are_ignored_while_the_channel_is_in_ours),
      cmocka_unit_test(a_new_epoch_is_a_gap),
      cmocka_unit_test(
          a_loss_is_a_gap_where_the_position_moved_and_voids_the_batch),
      cmocka_unit_test(a_void_batch_leaks_nothing_at_its_holes),
      cmocka_unit_test(records_before_the_loss_are_stale_after_it),
      cmocka_unit_test(a_refused_subscription_leaves_nothing_behind),
      cmocka_unit_test(unsubscribing_is_once),
      cmocka_unit_test(a_subscription_leaves_when_it_dies),
      cmocka_unit_test(those_who_stay_are_found_whoever_leaves),
      cmocka_unit_test(a_group_that_became_empty_is_used_again),
      cmocka_unit_test(who_is_in_a_channel_is_told),
      cmocka_unit_test(a_channel_that_everybody_left_begins_at_the_present),
      cmocka_unit_test(runs_stay_until_they_are_released),
      cmocka_unit_test(names_are_told_while_subscribed),
      cmocka_unit_test(publishing_is_the_brokers),
      cmocka_unit_test(
          memory_that_runs_out_amid_a_drain_is_a_gap_and_no_mixture),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
