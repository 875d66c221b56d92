// What every broker promises of history, events and limits, as contract.hpp
// does of delivery.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/history.hpp"

#include "broker/contract.hpp"

namespace paperboy::broker::contract {

inline constexpr Retention kHundred{.count = 100, .age_ms = 3'600'000};

/// Publishes without the hub, and waits for the answer.
inline Result<hub::Published> send(Worker& worker, const Draft& draft) {
  const auto outcome =
      std::make_shared<std::optional<Result<hub::Published>>>();
  worker.broker->publish(draft, [outcome](const auto& answer) {
    assert_false(outcome->has_value());
    *outcome = answer;
  });
  await(worker.node, [&] { return outcome->has_value(); });
  return **outcome;
}

inline Result<hub::Published> keep(Worker& worker, Bytes data,
                                   const Retention& keep = kHundred) {
  return send(worker, {.channel = "news", .data = data, .keep = keep});
}

inline Result<HistoryPage> history(Worker& worker, Bytes channel,
                                   const HistoryQuery& query = {}) {
  const auto outcome = std::make_shared<std::optional<Result<HistoryPage>>>();
  worker.broker->history(channel, query, [outcome](const auto& answer) {
    assert_false(outcome->has_value());
    *outcome = answer;
  });
  await(worker.node, [&] { return outcome->has_value(); });
  return **outcome;
}

inline Result<Done> remove_history(Worker& worker, Bytes channel) {
  const auto outcome = std::make_shared<std::optional<Result<Done>>>();
  worker.broker->remove_history(channel, [outcome](const auto& answer) {
    assert_false(outcome->has_value());
    *outcome = answer;
  });
  await(worker.node, [&] { return outcome->has_value(); });
  return **outcome;
}

/// "offset=data;", as many as there are.
inline std::string text_of(const HistoryPage& page) {
  std::string all;
  for (const Kept& kept : page.publications) {
    assert_true(kept.position.epoch == page.top.epoch);
    all += std::to_string(kept.position.offset) + "=" + kept.data + ";";
  }
  return all;
}

inline void assert_history(Worker& worker, const HistoryQuery& query,
                           const std::string& expected) {
  assert_string_equal(text_of(history(worker, "news", query).value()).c_str(),
                      expected.c_str());
}

/// What a worker is shown, whatever it is.
struct Shown final : hub::BrokerEvents {
  void on_publication(hub::ChannelRef, const Publication& p) override {
    if (p.event == Event::anchor) return;
    const char* what = p.event == Event::join    ? "+"
                       : p.event == Event::leave ? "-"
                                                 : "=";
    all += std::to_string(p.position.offset) + what + std::string(p.data) +
           std::string(p.extra) + ";";
  }
  std::string all;
};

inline void assert_shown(Worker& worker, const std::string& expected) {
  Shown shown;
  for (int i = 0;
       worker.node.is_patient(i) && shown.all.size() < expected.size(); ++i) {
    worker.node.turn();
    assert_true(worker.broker->drain(shown) != hub::Drained::lost);
  }
  assert_string_equal(shown.all.c_str(), expected.c_str());
}

inline void every_worker_reads_what_is_kept(void**) {
  const auto node = make_node();
  Worker one(*node);
  Worker two(*node, elsewhere);
  node->keep({.count = 3});
  for (const char* data : {"a", "b", "c", "d"}) {
    assert_true(keep(one, data, {.count = 3}).ok());
  }
  assert_true(keep(two, "e", {.count = 3}).ok());
  for (Worker* worker : {&one, &two}) {
    assert_history(*worker, {}, "3=c;4=d;5=e;");
    assert_int_equal(history(*worker, "news")->top.offset, 5);
  }
}

inline void queries_choose_from_both_ends(void**) {
  const auto node = make_node();
  Worker one(*node);
  Position last;
  for (const char* data : {"a", "b", "c", "d", "e"}) {
    last = keep(one, data)->position;
  }
  const auto at = [&](std::uint64_t offset) {
    return Position{last.epoch, offset};
  };
  assert_history(one, {.limit = 2}, "1=a;2=b;");
  assert_history(one, {.limit = 0}, "");
  assert_history(one, {.since = at(3)}, "4=d;5=e;");
  assert_history(one, {.since = at(0), .limit = 1}, "1=a;");
  assert_history(one, {.since = at(5)}, "");
  assert_history(one, {.limit = 2, .reverse = true}, "5=e;4=d;");
  assert_history(one, {.since = at(3), .reverse = true}, "2=b;1=a;");
  assert_history(one, {.since = at(1), .reverse = true}, "");
  assert_true(history(one, "news", {.limit = 0})->top == last);
}

inline void a_position_of_another_epoch_gets_only_the_present_one(void**) {
  const auto node = make_node();
  Worker one(*node);
  const Position last = keep(one, "a")->position;
  const HistoryQuery query{.since = Position{last.epoch + 1, 0}};
  const auto page = history(one, "news", query);
  assert_true(page.ok() && page->publications.empty());
  assert_true(page->top == last);
}

inline void who_comes_back_reads_what_it_missed(void**) {
  const auto node = make_node();
  Worker one(*node);
  Worker two(*node, elsewhere);
  hub::Listener listener;
  one.join(listener);
  (void)keep(two, "a");
  one.assert_hears(listener, "1=a;");
  const Position since = listener.subscription.position();
  one.hub.unsubscribe(listener.subscription);
  (void)keep(two, "b");
  (void)keep(two, "c");
  node->rest();
  assert_int_equal(one.join(listener).offset, 3);
  const auto page = history(one, "news", {.since = since});
  assert_true(page.ok() && is_complete(*page, since));
  assert_string_equal(text_of(*page).c_str(), "2=b;3=c;");
  (void)keep(two, "d");
  one.assert_hears(listener, "1=a;4=d;");
}

inline void what_was_not_kept_is_a_hole(void**) {
  const auto node = make_node();
  Worker one(*node);
  const Position first = keep(one, "a")->position;
  (void)keep(one, "b", {});
  (void)keep(one, "c");
  const auto page = history(one, "news", {.since = first});
  if (text_of(*page) == "2=b;3=c;") return;  // more may be kept than has to be
  assert_false(is_complete(*page, first));
  assert_history(one, {}, "1=a;3=c;");
}

inline void history_is_forgotten_and_offsets_go_on(void**) {
  const auto node = make_node();
  Worker one(*node);
  Worker two(*node, elsewhere);
  const Position first = keep(one, "a")->position;
  assert_true(remove_history(two, "news").ok());
  assert_history(one, {}, "");
  assert_true(history(one, "news")->top == first);
  assert_true(keep(two, "b")->position == (Position{first.epoch, 2}));
  assert_history(one, {}, "2=b;");
}

inline void of_no_channel_there_is_no_history(void**) {
  const auto node = make_node();
  Worker one(*node);
  const auto none = history(one, "nowhere");
  assert_true(none ? none->publications.empty()
                   : none.error().code == ErrorCode::not_found);
  assert_true(remove_history(one, "nowhere").ok());
}

inline void what_is_kept_is_what_was_published(void**) {
  const auto node = make_node();
  Worker one(*node);
  std::string all;
  for (int i = 0; i < 5000; ++i) all.push_back(static_cast<char>(i));
  const std::string extra = R"("info":{"user":"u"},"tags":{"a":"b"})";
  assert_true(send(one, {.channel = "news",
                         .kind = Kind::binary,
                         .data = all,
                         .extra = extra,
                         .keep = kHundred})
                  .ok());
  assert_true(keep(one, "").ok());
  const auto page = history(one, "news");
  assert_true(page.ok());
  assert_int_equal(page->publications.size(), 2);
  assert_true(page->publications[0].kind == Kind::binary);
  assert_true(page->publications[0].data == all);
  assert_true(page->publications[0].extra == extra);
  assert_true(page->publications[1].kind == Kind::text);
  assert_true(page->publications[1].data.empty());
  assert_true(page->publications[1].extra.empty());
}

inline void events_have_the_offset_before_and_are_not_kept(void**) {
  const auto node = make_node();
  Worker one(*node);
  Worker two(*node, elsewhere);
  const auto ref = one.subscribe().ref;
  one.asleep = true;
  const auto tell = [&](Event event, Bytes data) {
    return send(
        two,
        {.channel = "news", .event = event, .data = data, .keep = kHundred});
  };
  assert_int_equal(tell(Event::join, "j")->position.offset, 0);
  assert_int_equal(tell(Event::message, "a")->position.offset, 1);
  assert_int_equal(tell(Event::leave, "l")->position.offset, 1);
  const Draft last{.channel = "news", .data = "b", .extra = R"("tags":{})"};
  assert_int_equal(send(two, last)->position.offset, 2);
  assert_shown(one, R"(0+j;1=a;1-l;2=b"tags":{};)");
  const auto page = history(one, "news");
  // More may be kept than has to be, but no events.
  assert_true(text_of(*page) == "1=a;" || text_of(*page) == "1=a;2=b;");
  one.broker->unsubscribe(ref);
}

inline Result<hub::Published> keyed(Worker& worker, Bytes key,
                                    Bytes channel = "news") {
  return send(worker, {.channel = channel,
                       .data = key,
                       .keep = kHundred,
                       .idempotency_key = key,
                       .idempotency_ms = 60'000});
}

inline void one_key_makes_one_publication(void**) {
  const auto node = make_node();
  Worker one(*node);
  Worker two(*node, elsewhere);
  const auto first = keyed(one, "k");
  assert_true(first && !first->repeated);
  assert_true(keyed(two, "l").ok());
  for (Worker* worker : {&one, &two}) {
    const auto again = keyed(*worker, "k");
    assert_true(again && again->repeated);
    assert_true(again->position == first->position);
  }
  const auto other = keyed(two, "k", "chat");
  assert_true(other && !other->repeated);
  assert_history(one, {}, "1=k;2=l;");
  const std::string large(Draft::kMaxIdempotencyKey + 1, 'k');
  const auto refused = keyed(one, large);
  assert_true(!refused && refused.error().code == ErrorCode::bad_request);
}

inline void a_channel_may_be_full_of_subscribers(void**) {
  const auto node = make_node();
  Worker one(*node);
  Worker two(*node, elsewhere);
  const auto first = one.broker->subscribe("news", 2);
  const auto second = two.broker->subscribe("news", 2);
  assert_true(first && second);
  for (Worker* worker : {&one, &two}) {
    const auto third = worker->broker->subscribe("news", 2);
    assert_true(!third && third.error().code == ErrorCode::channel_full);
  }
  one.broker->unsubscribe(first->ref);
  const auto third = two.broker->subscribe("news", 2);
  assert_true(third.ok());
  two.broker->unsubscribe(second->ref);
  two.broker->unsubscribe(third->ref);
}

inline const CMUnitTest kHistoryTests[] = {
    cmocka_unit_test(every_worker_reads_what_is_kept),
    cmocka_unit_test(queries_choose_from_both_ends),
    cmocka_unit_test(a_position_of_another_epoch_gets_only_the_present_one),
    cmocka_unit_test(who_comes_back_reads_what_it_missed),
    cmocka_unit_test(what_was_not_kept_is_a_hole),
    cmocka_unit_test(history_is_forgotten_and_offsets_go_on),
    cmocka_unit_test(of_no_channel_there_is_no_history),
    cmocka_unit_test(what_is_kept_is_what_was_published),
    cmocka_unit_test(events_have_the_offset_before_and_are_not_kept),
    cmocka_unit_test(one_key_makes_one_publication),
    cmocka_unit_test(a_channel_may_be_full_of_subscribers),
};

/// What holds over two machines as well.
inline const CMUnitTest kFarHistoryTests[] = {
    cmocka_unit_test(every_worker_reads_what_is_kept),
    cmocka_unit_test(who_comes_back_reads_what_it_missed),
    cmocka_unit_test(history_is_forgotten_and_offsets_go_on),
    cmocka_unit_test(events_have_the_offset_before_and_are_not_kept),
    cmocka_unit_test(one_key_makes_one_publication),
};

/// Both groups; the number of failures.
inline int run_history() {
  const int near =
      cmocka_run_group_tests_name("history", kHistoryTests, nullptr, nullptr);
  elsewhere = true;
  const int far = cmocka_run_group_tests_name(
      "history, two machines", kFarHistoryTests, nullptr, nullptr);
  elsewhere = false;
  return near + far;
}

}  // namespace paperboy::broker::contract
