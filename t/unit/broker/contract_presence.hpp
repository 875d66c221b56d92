// What every keeper of presence promises (src/hub/presence.hpp), as
// contract.hpp does of brokers.
#pragma once

#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "hub/presence.hpp"

#include "broker/contract.hpp"

namespace paperboy::broker::contract {

/// A node whose workers have presence too.
class PresenceNode : public Node {
 public:
  /// For the worker of `broker`, which join() made.
  virtual std::unique_ptr<hub::Presence> join_presence(hub::Broker& broker) = 0;
};

/// Set by main() before the tests run.
inline std::function<std::unique_ptr<PresenceNode>()> make_presence_node;

/// A worker that subscribes to "news".
struct Host : Worker {
  explicit Host(PresenceNode& node, bool far = false)
      : Worker(node, far),
        presence(node.join_presence(*broker)),
        ref(broker->subscribe("news", 0)->ref) {}
  ~Host() {
    for (const auto member : inside) presence->leave(member);
    broker->unsubscribe(ref);
  }
  Host(const Host&) = delete;
  Host& operator=(const Host&) = delete;

  void enter(Bytes client, Bytes user, Bytes info = {}) {
    const Member member{.client = client, .user = user, .conn_info = info};
    const auto entered = presence->enter(ref, member, false);
    assert_true(entered.ok());
    inside.push_back(*entered);
  }
  void leave(std::size_t i) {
    presence->leave(inside.at(i));
    inside.erase(inside.begin() + static_cast<std::ptrdiff_t>(i));
  }

  std::vector<MemberRecord> members(Bytes channel = "news") {
    node.rest();
    std::optional<std::vector<MemberRecord>> all;
    presence->members(channel, [&](const auto& answer) {
      assert_false(all.has_value());
      assert_true(answer.ok());
      all = *answer;
    });
    await(node, [&] { return all.has_value(); });
    std::ranges::sort(*all, {}, &MemberRecord::client);
    return *all;
  }

  PresenceStats stats(Bytes channel = "news") {
    node.rest();
    std::optional<PresenceStats> numbers;
    presence->stats(channel, [&](const auto& answer) {
      assert_false(numbers.has_value());
      assert_true(answer.ok());
      numbers = *answer;
    });
    await(node, [&] { return numbers.has_value(); });
    return *numbers;
  }

  std::string clients() {
    std::string all;
    for (const auto& member : members()) all += member.client + " ";
    return all;
  }

  /// What others did may still be under way.
  void assert_clients(const std::string& expected) {
    for (int i = 0; node.is_patient(i) && clients() != expected; ++i)
      node.turn();
    assert_string_equal(clients().c_str(), expected.c_str());
  }
  void assert_count(std::uint64_t expected) {
    for (int i = 0; node.is_patient(i) && stats().clients != expected; ++i) {
      node.turn();
    }
    assert_int_equal(stats().clients, expected);
  }

  std::unique_ptr<hub::Presence> presence;
  hub::ChannelRef ref;
  std::vector<hub::MemberRef> inside;
};

inline void every_worker_sees_who_is_there(void**) {
  const auto node = make_presence_node();
  Host one(*node);
  Host two(*node, elsewhere);
  one.assert_clients("");
  one.enter("a", "ann");
  two.enter("b", "bob");
  one.enter("c", "ann");
  for (Host* host : {&one, &two}) {
    host->assert_clients("a b c ");
    assert_int_equal(host->stats().clients, 3);
    assert_int_equal(host->stats().users, 2);
  }
  one.leave(0);
  for (Host* host : {&one, &two}) {
    host->assert_clients("b c ");
    assert_int_equal(host->stats().users, 2);
  }
}

inline void members_are_told_as_they_came(void**) {
  const auto node = make_presence_node();
  Host one(*node);
  Host two(*node, elsewhere);
  const Member whole{.client = "c",
                     .user = "\xC3\xBC \"u\"",
                     .conn_info = R"({"a":[1]})",
                     .chan_info = "null"};
  const auto entered = one.presence->enter(one.ref, whole, true);
  assert_true(entered.ok());
  one.inside.push_back(*entered);
  two.assert_count(1);
  const auto all = two.members();
  assert_true(all[0].client == whole.client && all[0].user == whole.user);
  assert_true(all[0].conn_info == whole.conn_info);
  assert_true(all[0].chan_info == whole.chan_info);
}

inline void nobody_is_in_other_channels(void**) {
  const auto node = make_presence_node();
  Host one(*node);
  one.enter("a", "ann");
  assert_true(one.members("chat").empty());
  assert_int_equal(one.stats("chat").clients, 0);
  assert_int_equal(one.stats("chat").users, 0);
}

inline void a_worker_that_leaves_takes_its_members_with_it(void**) {
  const auto node = make_presence_node();
  Host stays(*node);
  stays.enter("a", "ann");
  {
    Host leaves(*node);
    leaves.enter("b", "bob");
    leaves.inside.clear();  // as one that is stopped in its midst
    stays.assert_clients("a b ");
  }
  stays.assert_clients("a ");
  assert_int_equal(stays.stats().clients, 1);
}

inline void many_may_be_there(void**) {
  const auto node = make_presence_node();
  Host one(*node);
  Host two(*node, elsewhere);
  for (int i = 0; i < 1000; ++i) {
    Host& host = i % 2 == 0 ? one : two;
    host.enter("c" + std::to_string(i), "u" + std::to_string(i % 100));
  }
  two.assert_count(1000);
  one.assert_count(1000);
  assert_int_equal(one.members().size(), 1000);
  assert_int_equal(two.stats().users, 100);
}

inline void who_is_larger_than_a_member_may_be_is_refused(void**) {
  const auto node = make_presence_node();
  Host one(*node);
  const std::string info(Member::kMaxLength, 'x');
  const Member large{.client = "c", .conn_info = info};
  const auto refused = one.presence->enter(one.ref, large, false);
  assert_true(!refused && refused.error().code == ErrorCode::too_large);
  assert_true(one.members().empty());
}

inline const CMUnitTest kPresenceTests[] = {
    cmocka_unit_test(every_worker_sees_who_is_there),
    cmocka_unit_test(members_are_told_as_they_came),
    cmocka_unit_test(nobody_is_in_other_channels),
    cmocka_unit_test(a_worker_that_leaves_takes_its_members_with_it),
    cmocka_unit_test(many_may_be_there),
    cmocka_unit_test(who_is_larger_than_a_member_may_be_is_refused),
};

/// What holds over two machines as well.
inline const CMUnitTest kFarPresenceTests[] = {
    cmocka_unit_test(every_worker_sees_who_is_there),
    cmocka_unit_test(members_are_told_as_they_came),
    cmocka_unit_test(many_may_be_there),
};

/// Both groups; the number of failures.
inline int run_presence() {
  const int near =
      cmocka_run_group_tests_name("presence", kPresenceTests, nullptr, nullptr);
  elsewhere = true;
  const int far = cmocka_run_group_tests_name(
      "presence, two machines", kFarPresenceTests, nullptr, nullptr);
  elsewhere = false;
  return near + far;
}

}  // namespace paperboy::broker::contract
