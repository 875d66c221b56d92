// What every broker promises (src/hub/broker.hpp), as tests over a factory of
// nodes, which a broker's own test sets before it runs them. Workers listen
// through a real hub, which is who relies on it. A broker may answer later: its
// node is turned until it does.
#pragma once

#include <algorithm>
#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "hub/broker.hpp"
#include "hub/hub.hpp"
#include "hub/listener.hpp"

#include "test.hpp"  // last: a macro of its own is called fail

namespace paperboy::broker::contract {

struct Worker;

/// Workers that hear each other over the broker under test: of one machine, or
/// of two where the broker carries channels that far.
class Node {
 public:
  Node() = default;
  Node(const Node&) = delete;
  Node& operator=(const Node&) = delete;
  virtual ~Node() = default;

  /// A worker more.
  virtual std::unique_ptr<hub::Broker> join() = 0;
  /// And one on another machine.
  virtual std::unique_ptr<hub::Broker> join_elsewhere() { return join(); }

  /// Lets arrive what is under way between the workers.
  virtual void turn() {}
  /// Until nothing is.
  virtual void rest() {}

  /// What the rules of all channels keep from now on.
  virtual void keep(const Retention&) {}

  /// Whether, after so many turns, something still has time to happen.
  [[nodiscard]] virtual bool is_patient(int turns) { return turns < 1000; }

  /// Whether a worker that doesn't read for long may be told of a gap.
  [[nodiscard]] virtual bool may_lose() const { return false; }

  /// The size of a message that can never be kept.
  [[nodiscard]] virtual std::size_t too_large() const = 0;

  std::vector<Worker*> workers;
};

/// Set by main() before the tests run.
inline std::function<std::unique_ptr<Node>()> make_node;

/// Whether the second worker of a case is on another machine.
inline bool elsewhere = false;

/// Who is there is another contract's.
class Nobody final : public hub::Presence {
 public:
  Result<hub::MemberRef> enter(hub::ChannelRef, const Member&, bool) override {
    return Error{ErrorCode::not_available, {}};
  }
  void leave(hub::MemberRef) override {}
  void members(Bytes, const Members&) override {}
  void stats(Bytes, const Stats&) override {}
};

/// Turns the node until `done`; meanwhile its workers read.
inline void await(Node& node, const std::function<bool()>& done);

struct Worker {
  explicit Worker(Node& node, bool far = false)
      : node(node),
        broker(far ? node.join_elsewhere() : node.join()),
        hub(*broker, nobody, rules) {
    node.workers.push_back(this);
  }
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;
  ~Worker() { std::erase(node.workers, this); }

  /// Where it begins, once that is known.
  Position join(hub::Listener& listener, Bytes channel = "news") {
    std::optional<Position> begin;
    assert_true(hub.subscribe(listener.in(hub), channel, lines).ok());
    hub.recover(listener.subscription, {}, {}, [&begin](const auto& answer) {
      begin = answer.value().position;
    });
    await(node, [&begin] { return begin.has_value(); });
    return *begin;
  }

  /// The same without the hub, for who reads by itself.
  hub::Subscribed subscribe(Bytes channel = "news") {
    const auto subscribed = broker->subscribe(channel, 0);
    assert_true(subscribed.ok());
    const auto ref = subscribed->ref;
    await(node, [&] { return broker->position(ref).epoch != 0; });
    return {ref, broker->position(ref)};
  }

  Result<hub::Published> publish(Bytes data, Bytes channel = "news",
                                 Kind kind = Kind::text) {
    const auto outcome =
        std::make_shared<std::optional<Result<hub::Published>>>();
    const Draft draft{.channel = channel, .kind = kind, .data = data};
    hub.publish(draft, [outcome](const auto& answer) {
      assert_false(outcome->has_value());  // once
      *outcome = answer;
    });
    await(node, [&] { return outcome->has_value(); });
    return **outcome;
  }

  /// Reads all that has arrived. Returns the number of shares it came in.
  int drain() {
    node.turn();
    return read();
  }
  int read() {
    int shares = 1;
    for (; hub.drain(); ++shares) hub.release();
    hub.release();
    return shares;
  }

  void assert_hears(const hub::Listener& listener,
                    const std::string& expected) {
    for (int i = 0;
         node.is_patient(i) && listener.heard.size() < expected.size(); ++i) {
      drain();
    }
    drain();  // and nothing more
    if (listener.heard.size() != expected.size()) {
      print_error("%zu bytes instead of %zu\n", listener.heard.size(),
                  expected.size());
    }
    assert_string_equal(listener.heard.c_str(), expected.c_str());
  }

  Node& node;
  std::unique_ptr<hub::Broker> broker;
  hub::Lines lines;
  Nobody nobody;
  hub::RuleSet rules;
  hub::Hub hub;
  bool asleep = false;  // it reads only when it is told to
};

inline void await(Node& node, const std::function<bool()>& done) {
  for (int i = 0; node.is_patient(i) && !done(); ++i) {
    node.turn();
    for (Worker* const worker : node.workers) {
      if (!worker->asleep) worker->read();
    }
  }
  assert_true(done());
}

inline void every_worker_hears_everything_in_order_and_once(void**) {
  const auto node = make_node();
  Worker one(*node);
  Worker two(*node, elsewhere);
  Worker three(*node);
  hub::Listener at_one;
  hub::Listener at_two;
  hub::Listener at_three;
  one.join(at_one);
  two.join(at_two);
  three.join(at_three, "chat");
  std::string expected;
  for (int i = 1; i <= 50; ++i) {
    const std::string data = "message " + std::to_string(i);
    Worker& sender = i % 3 == 0 ? one : i % 3 == 1 ? two : three;
    assert_true(sender.publish(data).ok());
    expected += std::to_string(i) + "=" + data + ";";
    if (i % 10 == 0) one.drain();
  }
  one.assert_hears(at_one, expected);
  two.assert_hears(at_two, expected);
  three.assert_hears(at_three, "");
}

inline void offsets_grow_by_one_within_an_epoch(void**) {
  const auto node = make_node();
  Worker one(*node);
  Worker two(*node, elsewhere);
  const Position first = one.publish("a")->position;
  assert_true(first.epoch != 0);
  assert_int_equal(first.offset, 1);
  assert_true(two.publish("b")->position == (Position{first.epoch, 2}));
  assert_true(one.publish("c")->position == (Position{first.epoch, 3}));
  assert_int_equal(two.publish("a", "chat")->position.offset, 1);
}

inline void a_subscription_starts_after_the_last_publication(void**) {
  const auto node = make_node();
  Worker one(*node);
  Worker two(*node, elsewhere);
  hub::Listener early;
  hub::Listener late;
  one.join(early);
  two.asleep = true;
  const Position top = two.publish("before")->position;
  node->rest();
  // Two has yet to read what one may have read.
  assert_true(two.join(late) == top);
  assert_true(one.publish("after").ok());
  one.assert_hears(early, "1=before;2=after;");
  two.assert_hears(late, "2=after;");
}

inline void a_new_channel_starts_at_offset_0(void**) {
  const auto node = make_node();
  Worker one(*node);
  hub::Listener listener;
  const Position start = one.join(listener);
  assert_int_equal(start.offset, 0);
  assert_true(one.publish("a")->position == (Position{start.epoch, 1}));
}

inline void a_position_is_that_of_the_last_publication(void**) {
  const auto node = make_node();
  Worker one(*node);
  Worker two(*node, elsewhere);
  const auto ref = one.subscribe().ref;
  const Position last = two.publish("a")->position;
  await(*node, [&] { return one.broker->position(ref) == last; });
  one.broker->unsubscribe(ref);
}

inline void names_may_hold_any_bytes(void**) {
  const auto node = make_node();
  Worker one(*node);
  Worker two(*node, elsewhere);
  const std::vector<std::string> names = {"n",
                                          std::string("shop\0news", 9),
                                          "shop",
                                          "r\xC3\xA9sum\xC3\xA9",
                                          std::string(255, 'x'),
                                          "a b:c*{d}\r\n"};
  std::vector<std::unique_ptr<hub::Listener>> listeners;
  for (const auto& name : names) {
    listeners.push_back(std::make_unique<hub::Listener>());
    one.join(*listeners.back(), name);
  }
  for (const auto& name : names) assert_true(two.publish(name, name).ok());
  for (std::size_t i = 0; i < names.size(); ++i) {
    one.assert_hears(*listeners[i], "1=" + names[i] + ";");
    assert_true(listeners[i]->subscription.channel_name() == names[i]);
  }
}

inline void messages_may_hold_any_bytes(void**) {
  struct Keep final : hub::BrokerEvents {
    void on_publication(hub::ChannelRef,
                        const Publication& publication) override {
      if (publication.event == Event::anchor) return;
      kinds.push_back(publication.kind);
      data.emplace_back(publication.data);
    }
    std::vector<Kind> kinds;
    std::vector<std::string> data;
  };
  const auto node = make_node();
  Worker one(*node);
  Worker two(*node, elsewhere);
  const auto ref = one.subscribe().ref;
  one.asleep = true;
  std::string all;
  for (int i = 0; i < 256; ++i) all.push_back(static_cast<char>(i));
  const std::vector<std::string> messages = {"", "a", all,
                                             std::string(5000, 'x')};
  for (const auto& message : messages) {
    assert_true(two.publish(message, "news", Kind::binary).ok());
    assert_true(two.publish("text", "news", Kind::text).ok());
  }
  Keep keep;
  for (int i = 0; node->is_patient(i) && keep.data.size() < 8; ++i) {
    node->turn();
    assert_true(one.broker->drain(keep) != hub::Drained::lost);
  }
  assert_int_equal(keep.data.size(), 8);
  for (std::size_t i = 0; i < 8; ++i) {
    assert_true(keep.kinds[i] == (i % 2 == 0 ? Kind::binary : Kind::text));
    assert_true(keep.data[i] == (i % 2 == 0 ? messages[i / 2] : "text"));
  }
  one.broker->unsubscribe(ref);
}

inline void an_answer_counts_the_nodes_subscribers(void**) {
  const auto node = make_node();
  Worker one(*node);
  Worker two(*node, elsewhere);
  hub::Listener a;
  hub::Listener b;
  hub::Listener c;
  assert_int_equal(one.publish("x")->subscribers, 0);
  one.join(a);
  one.join(b);
  two.join(c);
  assert_int_equal(one.publish("x")->subscribers, 3);
  assert_int_equal(one.publish("x", "chat")->subscribers, 0);
  one.hub.unsubscribe(b.subscription);
  assert_int_equal(two.publish("x")->subscribers, 2);
  one.hub.unsubscribe(a.subscription);
  two.hub.unsubscribe(c.subscription);
  assert_int_equal(two.publish("x")->subscribers, 0);
}

inline void subscribers_of_a_worker_share_a_channel(void**) {
  const auto node = make_node();
  Worker one(*node);
  const auto first = one.broker->subscribe("news", 0);
  const auto second = one.broker->subscribe("news", 0);
  assert_true(first && second && first->ref == second->ref);
  one.broker->unsubscribe(first->ref);
  assert_true(one.broker->name(second->ref) == "news");
  assert_int_equal(one.publish("a")->subscribers, 1);
  one.broker->unsubscribe(second->ref);
}

inline void who_left_and_came_back_misses_only_the_time_between(void**) {
  const auto node = make_node();
  Worker one(*node);
  Worker two(*node, elsewhere);
  hub::Listener listener;
  one.join(listener);
  assert_true(two.publish("a").ok());
  one.assert_hears(listener, "1=a;");
  const Position before = listener.subscription.position();
  one.hub.unsubscribe(listener.subscription);
  const Position between = two.publish("b")->position;
  node->rest();
  const Position back = one.join(listener);
  // A channel that nobody needed may have begun anew, and then it says so.
  assert_true(back == between);
  const Position after = two.publish("c")->position;
  one.assert_hears(listener, "1=a;" + std::to_string(after.offset) + "=c;");
  assert_true(after.epoch != before.epoch || after.offset == 3);
}

inline void channels_are_ordered_each_for_itself(void**) {
  const auto node = make_node();
  Worker one(*node);
  Worker two(*node, elsewhere);
  constexpr std::size_t kChannels = 20;
  std::vector<std::unique_ptr<hub::Listener>> listeners;
  for (std::size_t i = 0; i < kChannels; ++i) {
    listeners.push_back(std::make_unique<hub::Listener>());
    one.join(*listeners.back(), "channel " + std::to_string(i));
  }
  std::string expected;
  for (int n = 1; n <= 10; ++n) {
    for (std::size_t i = 0; i < kChannels; ++i) {
      assert_true(two.publish("x", "channel " + std::to_string(i)).ok());
    }
    expected += std::to_string(n) + "=x;";
  }
  for (const auto& listener : listeners) one.assert_hears(*listener, expected);
}

inline void a_share_is_bounded_and_nothing_is_left_out(void**) {
  const auto node = make_node();
  Worker one(*node);
  Worker two(*node, elsewhere);
  hub::Listener listener;
  one.join(listener);
  one.asleep = true;
  constexpr int kCount = 6000;
  std::string expected;
  for (int i = 1; i <= kCount; ++i) {
    assert_true(two.publish("x").ok());
    expected += std::to_string(i) + "=x;";
    if (i % 1000 == 0) two.drain();
  }
  node->rest();
  assert_true(one.drain() > 1);
  one.assert_hears(listener, expected);
}

inline void what_cant_be_kept_is_refused_and_hurts_nobody(void**) {
  const auto node = make_node();
  Worker one(*node);
  Worker two(*node, elsewhere);
  hub::Listener listener;
  one.join(listener);
  const auto large = two.publish(std::string(node->too_large(), 'x'));
  assert_false(large.ok());
  assert_true(large.error().code == ErrorCode::too_large);
  const auto nameless = two.publish("x", "");
  assert_false(nameless.ok());
  assert_true(nameless.error().code == ErrorCode::channel_name);
  const auto nowhere = one.broker->subscribe("", 0);
  assert_false(nowhere.ok());
  assert_true(nowhere.error().code == ErrorCode::channel_name);
  assert_true(two.publish("a").ok());
  one.assert_hears(listener, "1=a;");
}

/// No hole without a gap, and all in order. "offset=data;"
inline void assert_in_order(const std::string& heard) {
  std::uint64_t last = 0;
  bool gap = false;
  for (Bytes rest = heard; !rest.empty();) {
    const Bytes one = rest.substr(0, rest.find(';'));
    rest.remove_prefix(one.size() + 1);
    if (one == "gap") {
      gap = true;
      continue;
    }
    const std::uint64_t offset = std::stoull(std::string(one));
    assert_true(gap ? offset > last : offset == last + 1);
    last = offset;
    gap = false;
  }
}

// A worker that reads nothing for a while: what was acknowledged comes, and
// what is beyond its means is refused to the publisher; or it is told of a gap
// where only memory elsewhere bounds that.
inline void what_is_acknowledged_comes_however_late(void**) {
  const auto node = make_node();
  Worker slow(*node);
  Worker two(*node, elsewhere);
  hub::Listener listener;
  slow.join(listener);
  slow.asleep = true;
  const std::string data(2000, 'x');
  std::string expected;
  int refused = 0;
  for (int i = 0; i < 2000 && refused < 10; ++i) {
    const auto published = two.publish(data);
    if (published) {
      expected += std::to_string(published->position.offset) + "=" + data + ";";
    } else {
      ++refused;
      assert_true(published.error().code == ErrorCode::log_full);
    }
    two.drain();
  }
  if (!node->may_lose()) slow.assert_hears(listener, expected);
  const auto again = two.publish("again");
  assert_true(again.ok());
  const std::string end = std::to_string(again->position.offset) + "=again;";
  if (!node->may_lose()) {
    slow.assert_hears(listener, expected + end);
    return;
  }
  slow.asleep = false;
  await(*node, [&] { return listener.heard.ends_with(end); });
  assert_in_order(listener.heard);
}

inline void a_worker_that_leaves_takes_its_subscribers_with_it(void**) {
  const auto node = make_node();
  Worker one(*node);
  hub::Listener stays;
  one.join(stays);
  {
    Worker leaves(*node);
    // Behind the hub's back, as one that is stopped in its midst.
    assert_true(leaves.broker->subscribe("news", 0).ok());
    assert_int_equal(one.publish("a")->subscribers, 2);
  }
  assert_int_equal(one.publish("b")->subscribers, 1);
  Worker next(*node);
  assert_true(next.publish("c").ok());
  one.assert_hears(stays, "1=a;2=b;3=c;");
}

inline void one_that_joins_hears_nothing_from_before(void**) {
  const auto node = make_node();
  Worker one(*node);
  hub::Listener old;
  one.join(old);
  for (int i = 0; i < 10; ++i) assert_true(one.publish("x").ok());
  node->rest();
  Worker two(*node, elsewhere);
  hub::Listener listener;
  assert_int_equal(two.join(listener).offset, 10);
  two.assert_hears(listener, "");
  assert_true(one.publish("y").ok());
  two.assert_hears(listener, "11=y;");
}

inline const CMUnitTest kTests[] = {
    cmocka_unit_test(every_worker_hears_everything_in_order_and_once),
    cmocka_unit_test(offsets_grow_by_one_within_an_epoch),
    cmocka_unit_test(a_subscription_starts_after_the_last_publication),
    cmocka_unit_test(a_new_channel_starts_at_offset_0),
    cmocka_unit_test(a_position_is_that_of_the_last_publication),
    cmocka_unit_test(names_may_hold_any_bytes),
    cmocka_unit_test(messages_may_hold_any_bytes),
    cmocka_unit_test(an_answer_counts_the_nodes_subscribers),
    cmocka_unit_test(subscribers_of_a_worker_share_a_channel),
    cmocka_unit_test(who_left_and_came_back_misses_only_the_time_between),
    cmocka_unit_test(channels_are_ordered_each_for_itself),
    cmocka_unit_test(a_share_is_bounded_and_nothing_is_left_out),
    cmocka_unit_test(what_cant_be_kept_is_refused_and_hurts_nobody),
    cmocka_unit_test(what_is_acknowledged_comes_however_late),
    cmocka_unit_test(a_worker_that_leaves_takes_its_subscribers_with_it),
    cmocka_unit_test(one_that_joins_hears_nothing_from_before),
};

/// What holds over two machines as well.
inline const CMUnitTest kFarTests[] = {
    cmocka_unit_test(every_worker_hears_everything_in_order_and_once),
    cmocka_unit_test(offsets_grow_by_one_within_an_epoch),
    cmocka_unit_test(a_subscription_starts_after_the_last_publication),
    cmocka_unit_test(a_position_is_that_of_the_last_publication),
    cmocka_unit_test(names_may_hold_any_bytes),
    cmocka_unit_test(messages_may_hold_any_bytes),
    cmocka_unit_test(who_left_and_came_back_misses_only_the_time_between),
    cmocka_unit_test(channels_are_ordered_each_for_itself),
    cmocka_unit_test(a_share_is_bounded_and_nothing_is_left_out),
    cmocka_unit_test(what_cant_be_kept_is_refused_and_hurts_nobody),
    cmocka_unit_test(what_is_acknowledged_comes_however_late),
    cmocka_unit_test(one_that_joins_hears_nothing_from_before),
};

/// Both groups; the number of failures.
inline int run() {
  const int near =
      cmocka_run_group_tests_name("contract", kTests, nullptr, nullptr);
  elsewhere = true;
  const int far = cmocka_run_group_tests_name("contract, two machines",
                                              kFarTests, nullptr, nullptr);
  elsewhere = false;
  return near + far;
}

}  // namespace paperboy::broker::contract
