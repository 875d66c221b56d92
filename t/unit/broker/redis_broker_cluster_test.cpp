// Machines hear each other over a real cluster, while slots move and masters
// die.
#include <string>

#include "redis_cluster_servers.hpp"
#include "redis_machine.hpp"

#include "test.hpp"  // last: a macro of its own is called fail

namespace paperboy::broker::redis {
namespace {

constexpr int kChannels = 8;

std::string name_of(int channel) { return "c" + std::to_string(channel); }

/// Two machines with a worker each; here are the subscribers of some channels,
/// there their publisher, who tries again until he is told a position.
struct Pair {
  explicit Pair(ClusterServers& servers) : world(servers.addresses()) {
    world.options.kind = Options::Kind::cluster;
    here = &world.machine().add();
    there = &world.machine().add();
    assert_true(world.comes_up());
    for (int i = 0; i < kChannels; ++i) {
      assert_true(here->broker.subscribe(name_of(i), 0).ok());
    }
    assert_true(
        world.until([&] { return anchors(here->hears.text) == kChannels; }));
    here->hears.text.clear();
  }

  static int anchors(const std::string& text) {
    return static_cast<int>(std::ranges::count(text, '@'));
  }

  /// The number of times it was refused.
  int publish(int number) {
    const std::string data = std::to_string(number);
    const std::string channel = name_of(number % kChannels);
    const Retention keep{.count = 10'000};
    for (int refused = 0;; ++refused) {
      assert_true(refused < 200);
      std::optional<bool> outcome;
      there->broker.publish({.channel = channel,
                             .data = data,
                             .keep = keep,
                             .idempotency_key = data,
                             .idempotency_ms = 60'000},
                            [&](const auto& answer) { outcome = answer.ok(); });
      assert_true(world.until([&] { return outcome.has_value(); }));
      if (*outcome) return refused;
      world.rest(20);
    }
  }

  /// How often each number from `first` to `last` was heard: "=NUMBER;".
  void assert_all_heard(int first, int last) {
    const auto heard = [&](int number) {
      const std::string what = '=' + std::to_string(number) + ';';
      int times = 0;
      for (std::size_t at = here->hears.text.find(what);
           at != std::string::npos; at = here->hears.text.find(what, at + 1)) {
        ++times;
      }
      return times;
    };
    (void)world.until([&] {
      for (int i = first; i <= last; ++i) {
        if (heard(i) == 0) return false;
      }
      return true;
    });
    world.rest(100);
    for (int i = first; i <= last; ++i) {
      if (heard(i) != 1) {
        std::fprintf(stderr, "%d: %d times in %s\n", i, heard(i),
                     here->hears.text.c_str());
      }
      assert_int_equal(heard(i), 1);
    }
  }

  World world;
  Machine::Worker* here = nullptr;
  Machine::Worker* there = nullptr;
};

void what_one_machine_publishes_another_hears(void**) {
  ClusterServers servers;
  Pair pair(servers);
  for (int i = 1; i <= 100; ++i) assert_int_equal(pair.publish(i), 0);
  pair.assert_all_heard(1, 100);
  assert_null(std::strstr(pair.here->hears.text.c_str(), "^"));
}

/// With its keys, step by step, under publishes; there and back.
void slots_move_and_nothing_is_missed(void**) {
  ClusterServers servers;
  Pair pair(servers);
  int number = 0;
  for (int i = 0; i < 40; ++i) pair.publish(++number);
  for (int round = 0; round < 3; ++round) {
    pair.world.rest(200);  // a node is to see where a slot was
    for (int channel = 0; channel < kChannels; ++channel) {
      const Slot slot = slot_of(bucket_of(name_of(channel)));
      const int from = servers.owner(slot);
      const int to = (from + 1) % 3;
      servers.begin_move(slot, from, to);
      for (int i = 0; i < 3; ++i) pair.publish(++number);
      servers.move_keys(servers.keys(slot, from), from, to);
      for (int i = 0; i < 3; ++i) pair.publish(++number);
      servers.end_move(slot, from, to);
      for (int i = 0; i < 3; ++i) pair.publish(++number);
      servers.agree_on(to);
    }
  }
  for (int i = 0; i < 40; ++i) pair.publish(++number);
  pair.assert_all_heard(1, number);
  // None began anew: nothing was lost.
  assert_null(std::strstr(pair.here->hears.text.c_str(), "^"));
  assert_true(pair.world.comes_up());
}

/// Its keys have left and it hasn't: what is published there, nobody listens to
/// yet, and a check finds.
void what_is_published_into_a_moving_slot_is_heard(void**) {
  ClusterServers servers;
  Pair pair(servers);
  int number = 0;
  for (int i = 0; i < kChannels; ++i) pair.publish(++number);
  const std::string channel = name_of(0);
  const Slot slot = slot_of(bucket_of(channel));
  const int from = servers.owner(slot);
  const int to = (from + 1) % 3;
  servers.begin_move(slot, from, to);
  servers.move_keys(servers.keys(slot, from), from, to);
  // Without a key for idempotency, which isn't there yet: that would wait.
  for (int i = 0; i < 5; ++i) {
    ++number;
    assert_true(
        pair.world
            .publish(*pair.there, std::to_string(number), channel, {.count = 9})
            .ok());
  }
  pair.assert_all_heard(1, number);
  servers.end_move(slot, from, to);
  assert_true(pair.world.publish(*pair.there, "99", channel).ok());
  pair.assert_all_heard(99, 99);
  assert_null(std::strstr(pair.here->hears.text.c_str(), "^"));
}

/// What was acknowledged and is lost with it is told as a new epoch.
void a_master_dies_and_nothing_is_missed_unseen(void**) {
  ClusterServers servers(3, 1);
  Pair pair(servers);
  int number = 0;
  for (int i = 0; i < 80; ++i) pair.publish(++number);
  pair.assert_all_heard(1, number);
  pair.world.rest(300);  // the replicas have all
  const int before = number;
  servers.at(servers.owner(slot_of(bucket_of(name_of(0))))).kill();
  int refused = 0;
  for (int i = 0; i < 80; ++i) refused += pair.publish(++number);
  assert_true(refused > 0);
  assert_true(pair.world.comes_up());
  pair.assert_all_heard(before + 1, number);
  assert_null(std::strstr(pair.here->hears.text.c_str(), "^"));
}

/// A probe that was in a slot that moves is another then, and delivery is never
/// doubted.
void probes_follow_too(void**) {
  ClusterServers servers;
  World world(servers.addresses());
  world.options.kind = Options::Kind::cluster;
  Machine::Worker& worker = world.machine().add();
  assert_true(world.comes_up());
  // All that the first one has.
  for (Bucket bucket = 0; bucket < kBuckets; ++bucket) {
    const Slot slot = slot_of(bucket);
    if (slot >= kSlots / 3) continue;
    servers.move_slot(slot, 0, 1);
    if (bucket % 16 == 0) world.rest(50);
  }
  world.rest(3000);
  assert_true(world.comes_up());
  assert_int_equal(worker.broker.engine().shards().size(), 2);
  for (const std::string& line : world.network.logs) {
    assert_true(line.find("doesn't come back") == std::string::npos);
  }
}

}  // namespace
}  // namespace paperboy::broker::redis

int main() {
  using namespace paperboy::broker::redis;
  const CMUnitTest tests[] = {
      cmocka_unit_test(what_one_machine_publishes_another_hears),
      cmocka_unit_test(slots_move_and_nothing_is_missed),
      cmocka_unit_test(what_is_published_into_a_moving_slot_is_heard),
      cmocka_unit_test(a_master_dies_and_nothing_is_missed_unseen),
      cmocka_unit_test(probes_follow_too),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
