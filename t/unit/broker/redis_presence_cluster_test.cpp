// Presence on a real cluster, one of whose masters dies before its replica had
// all, and whose slots move.
#include <algorithm>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "broker/redis_cluster_servers.hpp"
#include "broker/redis_presence_support.hpp"
#include "test.hpp"  // last: a macro of its own is called fail

namespace paperboy::broker::redis {
namespace {

constexpr int kMembers = 60;

Options cluster_options(const ClusterServers& servers) {
  Options options = presence_options(servers.addresses());
  options.kind = Options::Kind::cluster;
  return options;
}

std::string name_of(int channel) { return "c" + std::to_string(channel); }

void what_a_replica_had_not_is_brought_again(void**) {
  ClusterServers servers(3, 1);
  PollNetwork network;
  Names names;
  Attendant attendant(names, network, cluster_options(servers));
  hub::Presence& presence = attendant;
  const auto enter = [&](int number) {
    const auto ref = names.subscribe(name_of(number), 0)->ref;
    const std::string client = "client " + std::to_string(number);
    assert_true(
        presence.enter(ref, {.client = client, .user = "u"}, false).ok());
  };
  const auto settles = [&] {
    return network.turn_until(
        [&] { return attendant.presence().is_settled(); });
  };
  for (int i = 0; i < kMembers / 2; ++i) enter(i);
  assert_true(settles());
  network.turn_until([] { return false; }, 200);
  for (int i = kMembers / 2; i < kMembers; ++i) enter(i);
  assert_true(settles());
  // The replica of the first master loses all, and takes its place; the leases
  // are elsewhere.
  assert_true(slot_of(Bucket{0}) > kSlots / 3);
  network.turn_until([] { return false; }, 200);
  assert_true(
      servers.ask(3, {"CONFIG", "SET", "replica-read-only", "no"}).text ==
      "OK");
  assert_true(servers.ask(3, {"FLUSHALL"}).text == "OK");
  servers.at(0).kill();
  const auto is_back = [&] {
    const auto shards = attendant.engine().shards();
    return std::ranges::all_of(
        shards, [&](Shard shard) { return attendant.engine().is_up(shard); });
  };
  assert_true(network.turn_until([&] { return !is_back(); }));
  assert_true(network.turn_until(is_back, 30'000));
  const Keys keys("paperboy:");
  const auto there = [&](int channel) {
    const std::string name = name_of(channel);
    std::optional<std::int64_t> count;
    attendant.engine().command(
        bucket_of(name), {"HLEN", keys.members(name)},
        [&](const auto& answer) { count = answer.ok() ? answer->integer : 0; });
    assert_true(network.turn_until([&] { return count.has_value(); }));
    return *count;
  };
  for (int i = 0; i < kMembers; ++i) {
    std::int64_t count = 0;
    for (int tries = 0; tries < 30 && count != 1; ++tries) {
      count = there(i);
      if (count != 1) network.turn_until([] { return false; }, 100);
    }
    assert_int_equal(count, 1);
  }
}

/// A worker on a loop of its own: who doesn't turn it has killed it.
struct Host {
  explicit Host(const ClusterServers& servers) {
    // All networks draw the same numbers.
    static int hosts = 0;
    ++hosts;
    for (int i = 0; i < 10 * hosts; ++i) (void)network.random();
    attendant =
        std::make_unique<Attendant>(names, network, cluster_options(servers));
  }

  hub::MemberRef enter(int channel, const std::string& client) {
    const auto ref = names.subscribe(name_of(channel), 0)->ref;
    return attendant->enter(ref, {.client = client, .user = "u"}, false)
        .value();
  }

  /// Their clients, in order; "?": it can't be told now.
  std::string clients(int channel) {
    std::optional<std::string> text;
    attendant->members(name_of(channel), [&](const auto& members) {
      if (!members) {
        text = "?";
        return;
      }
      std::vector<std::string> all;
      for (const auto& member : *members) all.push_back(member.client);
      std::ranges::sort(all);
      text = "";
      for (const auto& one : all) *text += one + " ";
    });
    assert_true(network.turn_until([&] { return text.has_value(); }));
    return *text;
  }

  Names names;
  PollNetwork network;
  std::unique_ptr<Attendant> attendant;
};

/// Two workers, of whom one may die.
struct Two {
  static constexpr int kChannels = 5;

  ClusterServers servers{3};
  Host here{servers};
  Host dies{servers};
  bool dead = false;

  void turn(int times) {
    for (int i = 0; i < times; ++i) {
      here.network.turn(1);
      if (!dead) dies.network.turn(1);
    }
  }

  bool all_show(const std::string& expected) {
    for (int tries = 0; tries < 1000; ++tries) {
      int shown = 0;
      for (int i = 0; i < kChannels; ++i) {
        shown += here.clients(i) == expected ? 1 : 0;
      }
      if (shown == kChannels) return true;
      turn(10);
    }
    print_message("it shows: %s\n", here.clients(0).c_str());
    return false;
  }

  /// With its keys, step by step.
  void move(
      Bucket bucket, const std::function<void()>& before = [] {},
      const std::function<void()>& after = [] {}) {
    const Slot slot = slot_of(bucket);
    const int from = servers.owner(slot);
    const int to = (from + 1) % 3;
    servers.begin_move(slot, from, to);
    before();
    turn(10);
    servers.move_keys(servers.keys(slot, from), from, to);
    after();
    turn(10);
    servers.end_move(slot, from, to);
    turn(10);
    servers.agree_on(to);
  }

  /// Members of which Redis knows.
  std::int64_t written(int channel) {
    const std::string name = name_of(channel);
    const int server = servers.owner(slot_of(bucket_of(name)));
    return servers.ask(server, {"HLEN", Keys("paperboy:").members(name)})
        .integer;
  }
};

/// They come and go while slots are on their way, that of the leases too; then
/// one worker dies, and slots move on while it is buried.
void members_stay_while_slots_move(void**) {
  Two two;
  std::vector<hub::MemberRef> leave;
  for (int i = 0; i < Two::kChannels; ++i) {
    leave.push_back(two.here.enter(i, "a"));
    two.here.enter(i, "b");
    two.dies.enter(i, "d");
  }
  assert_true(two.all_show("a b d "));
  two.move(0);
  for (int i = 0; i < Two::kChannels; ++i) {
    const auto comes = [&] { two.here.enter(i, "c"); };
    const auto goes = [&] {
      two.dies.enter(i, "e");
      two.here.attendant->leave(leave[static_cast<std::size_t>(i)]);
    };
    two.move(bucket_of(name_of(i)), comes, goes);
  }
  assert_true(two.all_show("b c d e "));
  two.dead = true;
  two.move(0);
  for (int i = 0; i < Two::kChannels; ++i) two.move(bucket_of(name_of(i)));
  assert_true(two.all_show("b c "));
  for (int i = 0; i < Two::kChannels; ++i) {
    for (int tries = 0; tries < 500 && two.written(i) != 2; ++tries) {
      two.turn(10);
    }
    assert_int_equal(two.written(i), 2);  // nothing else is left there
  }
}

}  // namespace
}  // namespace paperboy::broker::redis

int main() {
  using namespace paperboy::broker::redis;
  const CMUnitTest tests[] = {
      cmocka_unit_test(what_a_replica_had_not_is_brought_again),
      cmocka_unit_test(members_stay_while_slots_move),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
