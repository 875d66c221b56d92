// Presence on a real cluster, one of whose masters dies before its replica had
// all.
#include <algorithm>
#include <optional>
#include <string>

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

}  // namespace
}  // namespace paperboy::broker::redis

int main() {
  using namespace paperboy::broker::redis;
  const CMUnitTest tests[] = {
      cmocka_unit_test(what_a_replica_had_not_is_brought_again),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
