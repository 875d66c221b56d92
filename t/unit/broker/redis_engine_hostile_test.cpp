// The engine of a cluster whose servers say anything.
#include <string>

#include "broker/redis_engine_cluster.hpp"
#include "broker/redis_slots.hpp"
#include "fake_network.hpp"

#include "test.hpp"  // last: a macro of its own is called fail

namespace paperboy::broker::redis {
namespace {

struct Deaf final : EngineEvents {
  void on_up(Shard /*shard*/) override {}
  void on_down(Shard /*shard*/) override {}
  void on_moved(Bucket /*bucket*/) override {}
  void on_listening(Bytes /*topic*/) override {}
  void on_message(Bytes /*topic*/, Bytes /*message*/) override {}
};

std::string bulk(const std::string& text) {
  return '$' + std::to_string(text.size()) + "\r\n" + text + "\r\n";
}

/// Each bucket has a server of its own, and of this round's.
std::string slots(int round) {
  std::string answer = '*' + std::to_string(kBuckets) + "\r\n";
  for (Bucket bucket = 0; bucket < kBuckets; ++bucket) {
    const std::string slot = ':' + std::to_string(slot_of(bucket)) + "\r\n";
    const std::string host =
        "h" + std::to_string(round) + '-' + std::to_string(bucket);
    answer += "*3\r\n" + slot + slot + "*2\r\n" + bulk(host) + ":7000\r\n";
  }
  return answer;
}

/// Whoever asks for the topology gets it; nobody answers anything else. False:
/// nobody asks.
bool serve(FakeNetwork& network, int round) {
  bool asked = false;
  for (std::size_t i = 0; i < network.peers.size(); ++i) {
    const auto peer = network.peers[i];
    if (!peer->alive || peer->opened) continue;
    peer->open();
    (void)peer->take();
    peer->answer("+OK\r\n+PONG\r\n");
    if (peer->take().find("CLUSTER SLOTS") == std::string::npos) continue;
    peer->answer(bulk("cluster_state:ok"));
    peer->answer(slots(round));
    asked = true;
  }
  std::erase_if(network.peers, [](const auto& peer) { return !peer->alive; });
  return asked;
}

void servers_without_end_are_not_followed(void**) {
  FakeNetwork network;
  Options options;
  options.kind = Options::Kind::cluster;
  options.servers = {{"10.0.0.1", 7000}};
  ClusterEngine engine(network, options);
  Deaf deaf;
  engine.start(deaf);
  const auto is_told = [&] {
    return std::ranges::count_if(network.logs, [](const auto& line) {
      return line.find("the cluster has named 4096 servers") !=
             std::string::npos;
    });
  };
  int round = 0;
  for (int turns = 0; turns < 1000 && round < 24; ++turns) {
    if (serve(network, round)) ++round;
    network.pass(50);
    if (round == 16) assert_int_equal(is_told(), 0);
  }
  assert_int_equal(round, 24);
  assert_int_equal(is_told(), 1);
  // Its buckets are where they were when it was enough.
  assert_int_equal(engine.shards().size(), kBuckets);
}

}  // namespace
}  // namespace paperboy::broker::redis

int main() {
  using namespace paperboy::broker::redis;
  const CMUnitTest tests[] = {
      cmocka_unit_test(servers_without_end_are_not_followed),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
