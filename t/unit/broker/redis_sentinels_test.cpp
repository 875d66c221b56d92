// Who the master is, as real Sentinels say it, and what becomes of the engine
// when they say another.
#include "broker/redis_sentinels.hpp"

#include <string>

#include "broker/redis_url.hpp"
#include "redis_support.hpp"
#include "test.hpp"  // last: a macro of its own is called fail

namespace paperboy::broker::redis {
namespace {

Options sentinels(std::vector<Server> servers) {
  Options options = options_for(std::move(servers));
  options.kind = Options::Kind::sentinel;
  options.master = "paper";
  return options;
}

Server nobody() { return {"127.0.0.1", RedisServer::free_port()}; }

std::vector<std::string> replica_of(const RedisServer& master) {
  return {"--replicaof", "127.0.0.1 " + std::to_string(master.port())};
}

/// Whether the last that the log says is there is this one.
bool is_at(const Node& node, const RedisServer& server) {
  for (auto line = node.network.logs.rbegin(); line != node.network.logs.rend();
       ++line) {
    if (line->find(" is there") == std::string::npos) continue;
    return line->find(name_of(server.address())) != std::string::npos;
  }
  return false;
}

bool comes_to(Node& node, const RedisServer& server) {
  return node.network.turn_until(
      [&] { return node.engine.is_up(0) && is_at(node, server); }, 30'000);
}

/// The Sentinel names another from now on, as after a failover.
void name(const RedisServer& sentinel, const RedisServer& master) {
  assert_true(sentinel.ask({"SENTINEL", "REMOVE", "paper"}).text == "OK");
  const std::string port = std::to_string(master.port());
  assert_true(
      sentinel.ask({"SENTINEL", "MONITOR", "paper", "127.0.0.1", port, "1"})
          .text == "OK");
}

/// A master with a replica, and three Sentinels that know each other.
struct Group {
  Group() {
    for (const auto* sentinel : {&one, &two, &three}) {
      while (!knows_all(*sentinel)) usleep(50'000);
    }
  }
  static bool knows_all(const RedisServer& sentinel) {
    const Reply all = sentinel.ask({"SENTINEL", "MASTER", "paper"});
    std::string sentinels;
    std::string replicas;
    for (std::size_t i = 0; i + 1 < all.items.size(); i += 2) {
      const Bytes what = all.items[i].string();
      if (what == "num-other-sentinels") sentinels = all.items[i + 1].text;
      if (what == "num-slaves") replicas = all.items[i + 1].text;
    }
    return sentinels == "2" && replicas == "1";
  }
  [[nodiscard]] std::vector<Server> addresses() const {
    return {one.address(), two.address(), three.address()};
  }

  RedisServer master;
  RedisServer replica{replica_of(master)};
  RedisServer one{RedisServer::Sentinel{master.port(), "2"}};
  RedisServer two{RedisServer::Sentinel{master.port(), "2"}};
  RedisServer three{RedisServer::Sentinel{master.port(), "2"}};
};

void the_master_that_a_sentinel_names_is_taken(void**) {
  const RedisServer master;
  const RedisServer sentinel(RedisServer::Sentinel{master.port()});
  Node node(sentinels({nobody(), sentinel.address()}));
  assert_true(node.comes_up());
  assert_true(is_at(node, master));
  assert_int_equal(node.lines_with("can't ask the Sentinel"), 1);
  assert_true(node.listens_to("t"));
  node.answers.clear();
  node.signal("t", "x");
  assert_true(
      node.network.turn_until([&] { return node.told.messages.size() == 1; }));
}

/// Its password is the Sentinels' own.
void a_sentinel_may_want_a_password(void**) {
  const RedisServer master({"--requirepass", "of-redis"});
  const RedisServer sentinel(RedisServer::Sentinel{
      master.port(), "1",
      "requirepass of-sentinel\nsentinel auth-pass paper of-redis\n"});
  Options options = sentinels({sentinel.address()});
  options.password = "of-redis";
  {
    Node node(options);
    assert_true(node.network.turn_until(
        [&] { return node.lines_with("can't ask the Sentinel") == 1; }));
    assert_int_equal(node.lines_with("it wants a password"), 1);
  }
  options.sentinel_password = "of-sentinel";
  Node node(options);
  assert_true(node.comes_up());
}

void a_name_that_no_sentinel_knows_is_told_once(void**) {
  const RedisServer master;
  const RedisServer sentinel(RedisServer::Sentinel{master.port()});
  Options options = sentinels({sentinel.address()});
  options.master = "other";
  Node node(options);
  assert_false(node.network.turn_until([&] { return node.told.ups > 0; }, 700));
  assert_int_equal(node.lines_with("it knows no master \"other\""), 1);
  assert_int_equal(node.network.logs.size(), 1);
}

/// It names what is a replica; the next Sentinel knows better.
void a_sentinel_that_is_behind_is_not_believed(void**) {
  const RedisServer master;
  const RedisServer replica(replica_of(master));
  const RedisServer behind(RedisServer::Sentinel{replica.port(), "2"});
  const RedisServer knows(RedisServer::Sentinel{master.port()});
  Node node(sentinels({behind.address(), knows.address()}));
  assert_true(node.comes_up());
  assert_true(is_at(node, master));
  assert_int_equal(node.lines_with("it is a replica"), 1);
}

void a_sentinel_that_hangs_is_passed_over(void**) {
  const RedisServer master;
  const RedisServer other;
  const RedisServer hangs(RedisServer::Sentinel{master.port()});
  const RedisServer answers(RedisServer::Sentinel{master.port()});
  Node node(sentinels({hangs.address(), answers.address()}));
  assert_true(node.comes_up());
  hangs.stop();
  name(answers, other);
  assert_true(comes_to(node, other));
  assert_int_equal(node.lines_with("can't ask the Sentinel"), 1);
  hangs.go_on();
}

/// Though the old one is there and is a master still: it may be cut off from
/// the others.
void another_master_is_followed(void**) {
  const RedisServer before;
  const RedisServer after;
  const RedisServer sentinel(RedisServer::Sentinel{before.port()});
  Node node(sentinels({sentinel.address()}));
  assert_true(node.comes_up());
  assert_true(is_at(node, before));
  name(sentinel, after);
  assert_true(comes_to(node, after));
  assert_int_equal(node.told.ups, 2);
  assert_int_equal(node.told.downs, 1);
  assert_int_equal(node.lines_with("is to be used instead"), 1);
  assert_int_equal(node.lines_with("is there"), 2);
}

/// One that is named while another is tried that hangs.
void one_that_is_tried_is_left_for_another(void**) {
  const RedisServer hangs;
  const RedisServer after;
  const RedisServer sentinel(RedisServer::Sentinel{hangs.port(), "2"});
  hangs.stop();
  Options options = sentinels({sentinel.address()});
  options.timeout_ms = 60'000;
  Node node(options);
  assert_false(node.network.turn_until([&] { return node.told.ups > 0; }, 500));
  name(sentinel, after);
  assert_true(comes_to(node, after));
}

void sentinels_that_come_later_are_found(void**) {
  const RedisServer master;
  RedisServer sentinel(RedisServer::Sentinel{master.port()});
  sentinel.kill();
  Node node(sentinels({sentinel.address()}));
  assert_false(node.network.turn_until([&] { return node.told.ups > 0; }, 700));
  assert_int_equal(node.network.logs.size(), 1);
  sentinel.start();
  assert_true(node.comes_up());
  // And go again: what is up stays.
  sentinel.kill();
  assert_false(
      node.network.turn_until([&] { return node.told.downs > 0; }, 2500));
  assert_int_equal(node.lines_with("can't ask the Sentinel"), 2);
}

void a_replica_takes_the_place_of_a_master_that_dies(void**) {
  Group group;
  Node node(sentinels(group.addresses()));
  assert_true(node.comes_up());
  assert_true(is_at(node, group.master));
  const std::string before(node.engine.replication_id(0));
  group.master.kill();
  assert_true(comes_to(node, group.replica));
  assert_true(node.engine.replication_id(0) != before);
  assert_true(node.listens_to("t"));
  assert_int_equal(node.lines_with("lost"), 1);
  assert_int_equal(node.lines_with("is there"), 2);
}

void a_master_that_is_demoted_is_left_at_once(void**) {
  const Group group;
  Node node(sentinels(group.addresses()));
  assert_true(node.comes_up());
  Reply answer;
  while (answer.text != "OK") {  // the replica may not be fit yet
    answer = group.two.ask({"SENTINEL", "FAILOVER", "paper"});
    usleep(100'000);
  }
  assert_true(comes_to(node, group.replica));
  node.answers.clear();
  node.signal("t", "x");
  assert_true(node.answers_are(1) && node.answers[0] == "fedcba9876543210");
}

}  // namespace
}  // namespace paperboy::broker::redis

int main() {
  using namespace paperboy::broker::redis;
  const CMUnitTest tests[] = {
      cmocka_unit_test(the_master_that_a_sentinel_names_is_taken),
      cmocka_unit_test(a_sentinel_may_want_a_password),
      cmocka_unit_test(a_name_that_no_sentinel_knows_is_told_once),
      cmocka_unit_test(a_sentinel_that_is_behind_is_not_believed),
      cmocka_unit_test(a_sentinel_that_hangs_is_passed_over),
      cmocka_unit_test(another_master_is_followed),
      cmocka_unit_test(one_that_is_tried_is_left_for_another),
      cmocka_unit_test(sentinels_that_come_later_are_found),
      cmocka_unit_test(a_replica_takes_the_place_of_a_master_that_dies),
      cmocka_unit_test(a_master_that_is_demoted_is_left_at_once),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
