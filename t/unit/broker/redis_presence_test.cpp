// Presence on a real Redis that dies, forgets and comes back, and workers that
// die.
#include "broker/redis_presence.hpp"

#include <algorithm>
#include <memory>
#include <optional>
#include <string>

#include "broker/redis_entry.hpp"
#include "broker/redis_presence_support.hpp"
#include "broker/redis_support.hpp"
#include "test.hpp"  // last: a macro of its own is called fail

namespace paperboy::broker::redis {
namespace {

/// A worker on a loop of its own: who doesn't turn it has killed it.
struct Host {
  explicit Host(const RedisServer& server) : Host(presence_options(server)) {}
  explicit Host(const Options& options) {
    // All networks draw the same numbers.
    static int hosts = 0;
    ++hosts;
    for (int i = 0; i < 10 * hosts; ++i) (void)network.random();
    attendant = std::make_unique<Attendant>(names, network, options);
  }

  hub::MemberRef enter(Bytes client, Bytes channel = "news",
                       bool announced = false, Bytes info = {}) {
    const Member member{
        .client = client, .user = "u\"/\xC3\xBC", .conn_info = info};
    const auto ref = names.subscribe(channel, 0)->ref;
    return attendant->enter(ref, member, announced).value();
  }

  std::optional<Result<std::vector<MemberRecord>>> ask(Bytes channel) {
    const auto all =
        std::make_shared<std::optional<Result<std::vector<MemberRecord>>>>();
    attendant->members(channel, [all](const auto& answer) { *all = answer; });
    (void)network.turn_until([&] { return all->has_value(); }, 3000);
    return *all;
  }

  /// Their clients, in order.
  std::string clients(Bytes channel = "news") {
    const auto all = ask(channel);
    if (!all) return "(no answer)";
    if (!all->ok()) return std::string(error_name(all->error().code));
    std::vector<std::string> names;
    for (const auto& member : all->value()) names.push_back(member.client);
    std::ranges::sort(names);
    std::string text;
    for (const auto& name : names) text += name + " ";
    return text;
  }

  Lease& lease() { return attendant->presence().lease(); }

  bool settles() {
    return network.turn_until(
        [&] { return attendant->presence().is_settled(); });
  }

  Names names;
  PollNetwork network;
  std::unique_ptr<Attendant> attendant;
};

/// Turns all of them.
bool turn_until(const std::vector<Host*>& hosts,
                const std::function<bool()>& holds, int ms = 10'000) {
  for (int i = 0; i < ms && !holds(); ++i) {
    for (Host* const host : hosts) host->network.turn(1);
  }
  return holds();
}

void turn(const std::vector<Host*>& hosts, std::uint64_t ms) {
  const auto now = [&] { return hosts[0]->network.clock().monotonic_ms(); };
  const std::uint64_t end = now() + ms;
  (void)turn_until(
      hosts, [&] { return now() >= end; }, 1'000'000);
}

bool shows(Host& host, const std::vector<Host*>& hosts,
           const std::string& clients) {
  for (int i = 0; i < 500; ++i) {
    if (host.clients() == clients) return true;
    turn(hosts, 10);
  }
  print_message("it shows: %s\n", host.clients().c_str());
  return false;
}

/// Who hears what is told to "news".
struct Ear {
  explicit Ear(const RedisServer& server) : node(server.address()) {
    assert_true(node.comes_up());
    assert_true(node.listens_to(Keys("paperboy:").topic("news")));
  }

  /// Joins and leaves, in order.
  std::string heard() {
    for (int i = 0; i < 10; ++i) node.network.turn(1);
    std::vector<std::string> all;
    for (const auto& [topic, message] : node.told.messages) {
      const auto entry = parse_entry(message);
      assert_true(entry.has_value());
      const char* const what = entry->event == Event::leave ? "-" : "+";
      all.push_back(what + std::string(entry->data));
    }
    std::ranges::sort(all);
    std::string text;
    for (const auto& one : all) text += one + "\n";
    return text;
  }

  Node node;
};

void members_of_a_worker_that_died_go_and_are_told_once(void**) {
  const RedisServer server;
  Host one(server);
  Host two(server);
  Host dead(server);
  Ear ear(server);
  dead.enter("a", "news", true, R"({"n":1})");
  dead.enter("b", "news", false);
  dead.enter("c", "chat", true);
  one.enter("d", "news", true);
  assert_true(dead.settles());
  const std::vector<Host*> others{&one, &two};
  assert_true(shows(two, others, "a b d "));
  assert_true(shows(two, others, "d "));
  assert_true(two.clients("chat").empty());
  turn(others, 1500);  // somebody else might tell it too
  assert_string_equal(ear.heard().c_str(),
                      "-{\"user\":\"u\\\"\\/\xC3\xBC\",\"client\":\"a\","
                      "\"conn_info\":{\"n\":1}}\n");
  assert_int_equal(
      server.ask({"EXISTS", Keys("paperboy:").members("chat")}).integer, 0);
  assert_int_equal(server.ask({"KEYS", "paperboy:*:h:" + dead.lease().holder()})
                       .items.size(),
                   0);
}

void many_members_of_one_that_died_go(void**) {
  const RedisServer server;
  Host one(server);
  Host dead(server);
  for (int i = 0; i < 2000; ++i) {
    dead.enter("c" + std::to_string(i), "x" + std::to_string(i % 300));
    dead.enter("d" + std::to_string(i), "news");
  }
  assert_true(dead.settles());
  assert_true(turn_until({&one}, [&] { return one.lease().held(); }));
  assert_true(turn_until({&one}, [&] {
    return server.ask({"KEYS", "paperboy:*:h:*"}).items.empty() &&
           server.ask({"KEYS", "paperboy:*:p:*"}).items.empty();
  }));
}

void one_who_leaves_in_order_leaves_nothing(void**) {
  const RedisServer server;
  Host one(server);
  Host two(server);
  const auto a = two.enter("a");
  two.enter("b");
  assert_true(shows(one, {&one, &two}, "a b "));
  two.attendant->leave(a);
  assert_true(shows(one, {&one, &two}, "b "));
  const auto c = two.enter("c");  // never written
  two.attendant->leave(c);
  two.attendant.reset();
  assert_true(shows(one, {&one}, ""));
}

void what_redis_forgot_is_entered_again(void**) {
  RedisServer server;
  Host one(server);
  Host two(server);
  Ear ear(server);
  one.enter("a", "news", true);
  two.enter("b", "news", true);
  const std::vector<Host*> both{&one, &two};
  assert_true(shows(one, both, "a b "));
  assert_true(server.ask({"FLUSHALL"}).text == "OK");
  one.enter("c", "news", true);
  assert_true(shows(two, both, "a b c "));
  assert_true(shows(one, both, "a b c "));
  turn(both, 1000);
  assert_string_equal(ear.heard().c_str(), "");  // nobody came or went
  // Without a file it has forgotten all as well.
  server.kill();
  turn(both, 50);
  assert_true(two.clients() == "unavailable");
  two.enter("d");
  server.start();
  assert_true(shows(two, both, "a b c d "));
  assert_true(shows(one, both, "a b c d "));
}

void a_hash_that_was_evicted_is_written_again(void**) {
  const RedisServer server;
  Host one(server);
  Host two(server);
  one.enter("a");
  two.enter("b");
  const std::vector<Host*> both{&one, &two};
  assert_true(shows(one, both, "a b "));
  (void)server.ask({"DEL", Keys("paperboy:").members("news")});
  assert_true(two.clients() == "b ");
  assert_true(one.clients() == "a " || one.clients() == "a b ");
  assert_true(shows(two, both, "a b "));
}

void nobody_leaves_because_redis_was_away(void**) {
  const RedisServer server;
  Host one(server);
  Host two(server);
  Ear ear(server);
  one.enter("a", "news", true);
  two.enter("b", "news", true);
  const std::vector<Host*> both{&one, &two};
  assert_true(shows(one, both, "a b "));
  turn(both, 1000);
  server.stop();
  turn(both, 2500);  // leases are over
  server.go_on();
  assert_true(shows(one, both, "a b "));
  turn(both, 1500);
  assert_true(shows(two, both, "a b "));
  assert_string_equal(ear.heard().c_str(), "");
}

void one_that_was_taken_for_dead_comes_back(void**) {
  const RedisServer server;
  Host one(server);
  Host two(server);
  Ear ear(server);
  two.enter("b", "news", true);
  assert_true(two.settles());
  assert_true(shows(one, {&one}, "b "));
  assert_true(shows(one, {&one}, ""));  // it doesn't turn
  assert_true(shows(one, {&one, &two}, "b "));
  std::string heard;
  assert_true(turn_until({&one, &two}, [&] {
    heard = ear.heard();
    return std::ranges::count(heard, '+') == 1;
  }));
  assert_int_equal(std::ranges::count(heard, '-'), 1);  // before
  turn({&one, &two}, 1000);
  assert_true(ear.heard() == heard);
}

void what_nobody_holds_is_dropped(void**) {
  const RedisServer server;
  Host one(server);
  one.enter("a");
  assert_true(one.settles());
  const std::string hash = Keys("paperboy:").members("news");
  const std::string ghost = pack({.client = "ghost"}, false);
  (void)server.ask({"HSET", hash, "0123456789abcdef/1", ghost});
  (void)server.ask({"HSET", hash, one.lease().holder() + "/77", ghost});
  (void)server.ask({"HSET", hash, "nonsense", "nonsense"});
  assert_true(one.clients() == "a ");
  assert_true(turn_until({&one}, [&] {
    return server.ask({"HLEN", hash}).integer == 1;
  }));
}

/// Whatever somebody else has written in the place of it.
void no_key_that_is_another_stops_anything(void**) {
  const RedisServer server;
  const Keys keys("paperboy:");
  (void)server.ask({"SET", keys.leases(), "nonsense"});
  (void)server.ask({"SET", keys.dead(), "nonsense"});
  (void)server.ask({"SET", keys.buried(), "nonsense"});
  (void)server.ask({"HSET", keys.nodes(), "1", "nonsense"});
  (void)server.ask({"SET", keys.members("odd"), "nonsense"});
  Host one(server);
  Host dead(server);
  one.lease().describe([] { return NodeState{"2", "two"}; });
  dead.enter("a", "odd");
  dead.enter("b", "news");
  const std::vector<Host*> both{&one, &dead};
  assert_true(shows(one, both, "b "));
  assert_string_equal(one.clients("odd").c_str(), "a ");
  assert_int_equal(one.lease().nodes().size(), 1);
  (void)server.ask({"SET", keys.members("odd"), "nonsense"});
  (void)server.ask({"SET", keys.nodes(), "nonsense"});
  assert_true(shows(one, {&one}, ""));
  assert_true(turn_until({&one}, [&] {
    return server.ask({"KEYS", "paperboy:*:h:*"}).items.empty();
  }));
}

/// A reply that is too large would end the connection, each time.
void too_many_to_be_told_hurt_nobody(void**) {
  const RedisServer server;
  Options options = presence_options(server);
  options.max_reply = 1024UL * 1024;
  Host one(options);
  const std::string info = '"' + std::string(10'000, 'x') + '"';
  for (int i = 0; i < 120; ++i) {
    one.enter("c" + std::to_string(i), "many", false, info);
  }
  one.enter("a", "few");
  assert_true(one.settles());
  assert_string_equal(one.clients("many").c_str(), "unavailable");
  assert_true(one.attendant->engine().is_up(0));
  assert_string_equal(one.clients("few").c_str(), "a ");
}

void nodes_are_told_until_they_go(void**) {
  const RedisServer server;
  Host one(server);
  Host two(server);
  Host dead(server);
  const auto uids = [&](Host& host) {
    std::string text;
    for (const auto& node : host.lease().nodes()) {
      text += node.uid + "=" + node.info + " ";
    }
    return text;
  };
  one.lease().describe([] { return NodeState{"1", "one x"}; });
  two.lease().describe([] { return NodeState{"2", "two"}; });
  dead.lease().describe([] { return NodeState{"3", "three"}; });
  assert_true(turn_until({&one, &two, &dead}, [&] {
    return uids(one) == "1=one x 2=two 3=three ";
  }));
  assert_true(
      turn_until({&one, &two}, [&] { return uids(one) == "1=one x 2=two "; }));
  // What Redis has forgotten says soon that it is there: until then it counts.
  (void)server.ask({"FLUSHALL"});
  const std::uint64_t holders = 2;
  for (std::uint64_t i = 0; i < 100 * holders; ++i) {
    one.network.turn(1);
    two.network.turn(1);
    assert_true(uids(one) == "1=one x 2=two ");
  }
  two.lease().describe({});
  two.lease().remove_node("2");
  assert_true(
      turn_until({&one, &two}, [&] { return uids(one) == "1=one x "; }));
}

/// It had come just then: nobody else has heard of it yet.
void a_node_that_redis_forgot_at_once_is_found(void**) {
  const RedisServer server;
  Host one(server);
  one.lease().describe([] { return NodeState{"1", "one"}; });
  assert_true(one.settles());
  Host two(server);
  two.lease().describe([] { return NodeState{"2", "two"}; });
  assert_true(two.settles());
  assert_int_equal(one.lease().nodes().size(), 1);
  (void)server.ask({"FLUSHALL"});
  std::size_t answers = 0;
  for (int i = 0; i < 2; ++i) {
    one.lease().find_nodes([&](const auto& found) {
      assert_true(found.ok());
      assert_int_equal(one.lease().nodes().size(), 2);
      ++answers;
    });
  }
  assert_true(turn_until({&one, &two}, [&] { return answers == 2; }));
  // Nobody waits where nothing was forgotten, nor where nobody answers.
  turn({&one, &two}, 300);
  one.lease().find_nodes([&](const auto&) { ++answers; });
  assert_true(turn_until(
      {&one}, [&] { return answers == 3; }, 50));
}

const CMUnitTest kTests[] = {
    cmocka_unit_test(members_of_a_worker_that_died_go_and_are_told_once),
    cmocka_unit_test(many_members_of_one_that_died_go),
    cmocka_unit_test(one_who_leaves_in_order_leaves_nothing),
    cmocka_unit_test(what_redis_forgot_is_entered_again),
    cmocka_unit_test(a_hash_that_was_evicted_is_written_again),
    cmocka_unit_test(nobody_leaves_because_redis_was_away),
    cmocka_unit_test(one_that_was_taken_for_dead_comes_back),
    cmocka_unit_test(what_nobody_holds_is_dropped),
    cmocka_unit_test(no_key_that_is_another_stops_anything),
    cmocka_unit_test(too_many_to_be_told_hurt_nobody),
    cmocka_unit_test(nodes_are_told_until_they_go),
    cmocka_unit_test(a_node_that_redis_forgot_at_once_is_found),
};

}  // namespace
}  // namespace paperboy::broker::redis

int main() {
  return cmocka_run_group_tests_name(
      "redis_presence", paperboy::broker::redis::kTests, nullptr, nullptr);
}
