// The engine against a real cluster: where buckets are, what moves, and who
// dies.
#include "broker/redis_engine_cluster.hpp"

#include <set>
#include <string>

#include "redis_cluster_servers.hpp"
#include "redis_support.hpp"
#include "test.hpp"  // last: a macro of its own is called fail

namespace paperboy::broker::redis {
namespace {

constexpr Bytes kEpoch = "fedcba9876543210";
constexpr Bytes kGeneration = "1-0123456789abcdef";

/// What the engine told, shard by shard.
struct Heard final : EngineEvents {
  explicit Heard(Engine& engine) : engine(engine) {}

  void on_up(Shard shard) override { up.insert(shard); }
  void on_down(Shard shard) override { up.erase(shard); }
  void on_moved(Bucket bucket) override {
    moved.insert(bucket);
    for (const std::string& topic : topics) {
      if (topic.find('{' + std::to_string(bucket) + '}') == std::string::npos) {
        continue;
      }
      engine.listen(bucket, topic);
    }
  }
  void on_listening(Bytes topic) override { listening.emplace_back(topic); }
  void on_message(Bytes topic, Bytes message) override {
    messages.emplace_back(std::string(topic) + '=' +
                          std::string(message.substr(message.find('\n') + 1)));
  }

  Engine& engine;
  std::set<Shard> up;
  std::set<Bucket> moved;
  std::vector<std::string> topics;  // listened to anew when they move
  std::vector<std::string> listening;
  std::vector<std::string> messages;
};

struct Client {
  explicit Client(std::vector<Server> servers)
      : Client(cluster(std::move(servers))) {}
  explicit Client(Options given)
      : options(std::move(given)),
        engine(make_engine(network, options)),
        heard(*engine) {
    engine->start(heard);
  }

  static Options cluster(std::vector<Server> servers) {
    Options options = options_for(std::move(servers));
    options.kind = Options::Kind::cluster;
    return options;
  }

  bool is_whole() {
    for (const Shard shard : engine->shards()) {
      if (!engine->is_up(shard)) return false;
    }
    return true;
  }
  bool comes_up(int ms = 20'000) {
    return network.turn_until([this] { return is_whole(); }, ms);
  }

  std::string id_of(Bucket bucket) {
    return std::string(engine->replication_id(engine->shard_of(bucket)));
  }
  std::string topic(Bucket bucket) {
    return keys.bucket(bucket) + ":t:channel";
  }
  std::vector<std::string> names(Bucket bucket) {
    const std::string key = keys.bucket(bucket);
    return {key, key + ":m:channel", key + ":s:channel"};
  }
  std::vector<std::string> words(Bucket bucket, const std::string& data) {
    return {id_of(bucket),
            "0123456789abcdef",
            std::string(kEpoch),
            "60000",
            "SPUBLISH",
            "",
            "",
            "0",
            topic(bucket),
            "t",
            "p",
            "",
            data};
  }
  ReplyHandler handler() {
    return [this](const Result<Reply>& answer) {
      answers.push_back(text_of(answer));
      redirected.emplace_back(engine->redirected_to());
    };
  }

  /// Publishes to the bucket's topic; the answer begins with the epoch.
  void signal(Bucket bucket, const std::string& data) {
    engine->call(bucket, Script::signal, names(bucket), words(bucket, data),
                 handler());
  }
  void position(Bucket bucket) {
    auto all = words(bucket, "");
    all.resize(8);
    engine->call(bucket, Script::position, names(bucket), all, handler());
  }
  bool answers_are(std::size_t number, int ms = 10'000) {
    return network.turn_until([&] { return answers.size() == number; }, ms);
  }
  bool is_signalled(Bucket bucket, const std::string& data) {
    answers.clear();
    signal(bucket, data);
    return answers_are(1) && answers[0] == kEpoch;
  }
  bool listens_to(Bucket bucket) {
    heard.topics.push_back(topic(bucket));
    engine->listen(bucket, topic(bucket));
    return network.turn_until([&] {
      return !heard.listening.empty() &&
             heard.listening.back() == topic(bucket);
    });
  }
  bool hears(Bucket bucket, const std::string& data) {
    const std::string message = topic(bucket) + '=' + data;
    return network.turn_until([&] {
      return !heard.messages.empty() && heard.messages.back() == message;
    });
  }
  [[nodiscard]] std::size_t lines_with(const std::string& text) const {
    std::size_t count = 0;
    for (const std::string& line : network.logs) {
      count += line.find(text) != std::string::npos ? 1 : 0;
    }
    return count;
  }

  const Options options;
  const Keys keys{"paperboy:"};
  PollNetwork network;
  std::unique_ptr<Engine> engine;
  Heard heard;
  Answers answers;
  std::vector<std::string> redirected;  // with each of them
};

// Its slot is 8000: with three masters the second one's.
constexpr Bucket kBucket = 42;
constexpr Slot kSlot = 8000;
constexpr int kFrom = 1;
constexpr int kTo = 2;

void each_bucket_has_its_server(void**) {
  ClusterServers servers;
  Client client(servers.addresses());
  assert_false(client.is_whole());
  assert_true(client.comes_up());
  assert_int_equal(client.engine->shards().size(), 3);
  assert_int_equal(client.heard.up.size(), 3);
  for (Bucket bucket = 0; bucket < kBuckets; ++bucket) {
    client.signal(bucket, "x");
  }
  assert_true(client.answers_are(kBuckets));
  for (const std::string& answer : client.answers) {
    assert_true(answer == kEpoch);
  }
  for (const std::string& other : client.redirected) {
    assert_true(other.empty());
  }
  for (int server = 0; server < 3; ++server) {
    assert_true(servers.ask(server, {"DBSIZE"}).integer > 100);
  }
  client.answers.clear();
  client.engine->command(7, {"HGET", client.keys.bucket(7), "g"},
                         client.handler());
  assert_true(client.answers_are(1) && client.answers[0] == kGeneration);
  assert_int_equal(client.network.connections(), 6);  // it asks no more
}

void topics_are_heard_on_each_server(void**) {
  ClusterServers servers;
  Client client({servers.at(0).address()});
  assert_true(client.comes_up());
  for (const Bucket bucket : {Bucket{0}, Bucket{42}, Bucket{7}, Bucket{255}}) {
    assert_true(client.listens_to(bucket));
    assert_true(client.is_signalled(bucket, "hello"));
    assert_true(client.hears(bucket, "hello"));
  }
  client.engine->ignore(0, client.topic(0));
  client.network.turn_until([] { return false; }, 200);
  assert_true(client.is_signalled(0, "unheard"));
  assert_true(client.is_signalled(7, "heard"));
  assert_true(client.hears(7, "heard"));
  for (const std::string& message : client.heard.messages) {
    assert_true(message.find("unheard") == std::string::npos);
  }
}

/// One that isn't there, and one that has no cluster.
void those_that_know_nothing_are_passed_over(void**) {
  ClusterServers servers;
  const RedisServer alone;
  const RedisServer lost({"--cluster-enabled", "yes"});
  Server nobody = alone.address();
  nobody.port = RedisServer::free_port();
  Client client(
      {nobody, alone.address(), lost.address(), servers.at(2).address()});
  assert_true(client.comes_up());
  assert_true(client.lines_with("can't ask the server of the cluster") <= 3);
  assert_true(client.is_signalled(kBucket, "x"));
}

void a_slot_that_moved_is_found_by_a_call(void**) {
  ClusterServers servers;
  Client client(servers.addresses());
  assert_true(client.comes_up());
  assert_true(client.is_signalled(kBucket, "before"));
  const std::string before = client.id_of(kBucket);
  servers.move_slot(kSlot, kFrom, kTo);
  client.answers.clear();
  client.redirected.clear();
  client.signal(kBucket, "after");
  client.position(kBucket);
  assert_true(client.answers_are(2));
  assert_true(client.answers[0] == kEpoch);
  assert_true(client.answers[1] == kGeneration);
  assert_true(client.id_of(kBucket) != before);
  assert_true(client.redirected[0] == client.id_of(kBucket));
  assert_true(client.heard.moved.contains(kBucket));
  // The script was told where it was.
  client.engine->command(kBucket, {"HGET", client.keys.bucket(kBucket), "r"},
                         client.handler());
  assert_true(client.answers_are(3));
  assert_true(client.answers[2] == client.id_of(kBucket));
}

/// Without any call: its topic was let go.
void a_slot_that_moved_is_found_by_its_topics(void**) {
  ClusterServers servers;
  Client client(servers.addresses());
  assert_true(client.comes_up());
  assert_true(client.listens_to(kBucket));
  client.heard.moved.clear();
  const Shard before = client.engine->shard_of(kBucket);
  servers.move_slot(kSlot, kFrom, kTo);
  assert_true(client.network.turn_until(
      [&] { return client.engine->shard_of(kBucket) != before; }));
  assert_int_equal(client.heard.moved.size(), 1);
  assert_true(client.network.turn_until(
      [&] { return client.heard.listening.size() >= 2; }));
  assert_true(client.is_signalled(kBucket, "after"));
  assert_true(client.hears(kBucket, "after"));
  assert_int_equal(client.heard.up.size(), 3);
}

/// To a server that had nothing before.
void a_slot_that_moves_is_asked_for_where_its_keys_are(void**) {
  ClusterServers servers;
  const int fresh = servers.join();
  Client client(servers.addresses());
  assert_true(client.comes_up());
  client.position(kBucket);  // makes all keys but the stream
  client.engine->command(kBucket,
                         {"XADD", client.names(kBucket)[2], "1-0", "d", "x"},
                         client.handler());
  assert_true(client.answers_are(2));
  servers.begin_move(kSlot, kFrom, fresh);
  servers.move_keys(servers.keys(kSlot, kFrom), kFrom, fresh);
  assert_true(servers.keys(kSlot, kFrom).empty());
  client.answers.clear();
  client.redirected.clear();
  client.engine->command(kBucket, {"HGET", client.keys.bucket(kBucket), "g"},
                         client.handler());
  client.signal(kBucket, "on its way");
  client.engine->call_and_wait(kBucket, Script::signal, client.names(kBucket),
                               client.words(kBucket, "x"), 1, 10,
                               client.handler());
  assert_true(client.answers_are(3));
  assert_true(client.answers[0] == kGeneration);
  assert_true(client.answers[1] == kEpoch);
  assert_true(client.answers[2] == "not_replicated");
  assert_false(client.redirected[1].empty());
  assert_int_equal(client.engine->shards().size(), 3);
  servers.end_move(kSlot, kFrom, fresh);
  assert_true(client.is_signalled(kBucket, "after"));
  assert_int_equal(client.engine->shards().size(), 4);
  assert_true(
      client.network.turn_until([&] { return client.heard.up.size() == 4; }));
}

/// Where some of a script's keys have left and others haven't.
void what_is_torn_for_a_moment_waits(void**) {
  ClusterServers servers;
  Client client(servers.addresses());
  assert_true(client.comes_up());
  client.position(kBucket);
  assert_true(client.answers_are(1));
  servers.begin_move(kSlot, kFrom, kTo);
  const auto keys = servers.keys(kSlot, kFrom);
  assert_int_equal(keys.size(), 2);
  servers.move_keys({keys[0]}, kFrom, kTo);
  client.answers.clear();
  client.signal(kBucket, "1");
  client.signal(kBucket, "2");
  assert_false(client.answers_are(2, 300));
  assert_int_equal(client.answers.size(), 0);
  assert_true(client.network.holding() > 0);
  servers.move_keys({keys[1]}, kFrom, kTo);
  servers.end_move(kSlot, kFrom, kTo);
  assert_true(client.answers_are(2));
  assert_true(client.answers[0] == kEpoch && client.answers[1] == kEpoch);
  assert_int_equal(client.network.holding(), 0);
}

void what_is_torn_for_too_long_is_refused(void**) {
  ClusterServers servers;
  Client client(servers.addresses());
  assert_true(client.comes_up());
  client.position(kBucket);
  assert_true(client.answers_are(1));
  servers.begin_move(kSlot, kFrom, kTo);
  servers.move_keys({client.keys.bucket(kBucket)}, kFrom, kTo);
  client.answers.clear();
  client.signal(kBucket, "1");
  assert_true(client.answers_are(1));
  assert_true(client.answers[0] == "unavailable");
  assert_int_equal(client.network.holding(), 0);
}

void too_much_that_waits_is_refused(void**) {
  ClusterServers servers;
  Options options = Client::cluster(servers.addresses());
  options.max_queue = 10'000;
  Client client(options);
  assert_true(client.comes_up());
  client.position(kBucket);
  assert_true(client.answers_are(1));
  servers.begin_move(kSlot, kFrom, kTo);
  servers.move_keys({client.keys.bucket(kBucket)}, kFrom, kTo);
  client.answers.clear();
  for (int i = 0; i < 5; ++i) {
    client.signal(kBucket, std::string(4000, 'x'));
    client.network.turn(20);
  }
  assert_true(client.answers_are(3, 700));
  for (const std::string& answer : client.answers) {
    assert_true(answer == "unavailable");
  }
}

/// Also where a replica was waited for.
void calls_that_wait_for_replicas_follow_too(void**) {
  ClusterServers servers;
  Client client(servers.addresses());
  assert_true(client.comes_up());
  client.position(kBucket);
  assert_true(client.answers_are(1));
  servers.move_slot(kSlot, kFrom, kTo);
  client.answers.clear();
  client.engine->call_and_wait(kBucket, Script::signal, client.names(kBucket),
                               client.words(kBucket, "x"), 1, 10,
                               client.handler());
  assert_true(client.answers_are(1));
  assert_true(client.answers[0] == "not_replicated");
}

void a_replica_takes_the_place_of_a_master_that_dies(void**) {
  ClusterServers servers(3, 1);
  Client client(servers.addresses());
  assert_true(client.comes_up());
  assert_true(client.is_signalled(kBucket, "before"));
  assert_true(client.listens_to(kBucket));
  const std::string before = client.id_of(kBucket);
  const Shard shard = client.engine->shard_of(kBucket);
  servers.at(kFrom).kill();
  assert_true(client.network.turn_until(
      [&] { return !client.heard.up.contains(shard); }));
  client.answers.clear();
  client.signal(kBucket, "meanwhile");
  assert_true(client.answers_are(1) && client.answers[0] == "unavailable");
  assert_true(client.network.turn_until(
      [&] { return client.engine->shard_of(kBucket) != shard; }, 30'000));
  assert_true(client.comes_up());
  assert_true(client.id_of(kBucket) != before);
  assert_int_equal(client.heard.up.size(), 3);
  assert_true(client.network.turn_until(
      [&] { return client.is_signalled(kBucket, "after"); }));
  client.engine->listen(kBucket, client.topic(kBucket));
  client.network.turn_until([&] { return false; }, 200);
  assert_true(client.is_signalled(kBucket, "heard"));
  assert_true(client.hears(kBucket, "heard"));
  assert_int_equal(client.lines_with("lost"), 1);
}

/// In good order: nothing is refused.
void a_replica_may_be_told_to_take_over(void**) {
  ClusterServers servers(3, 1);
  Client client(servers.addresses());
  assert_true(client.comes_up());
  assert_true(client.is_signalled(kBucket, "before"));
  assert_true(client.listens_to(kBucket));
  const Shard shard = client.engine->shard_of(kBucket);
  assert_true(servers.ask(3 + kFrom, {"CLUSTER", "FAILOVER"}).text == "OK");
  std::size_t calls = 0;
  client.answers.clear();
  assert_true(client.network.turn_until(
      [&] {
        if (client.answers.size() == calls) {
          client.signal(kBucket, "on");
          ++calls;
        }
        return client.engine->shard_of(kBucket) != shard && client.is_whole();
      },
      20'000));
  assert_true(client.answers_are(calls));
  for (const std::string& answer : client.answers) {
    assert_true(answer == kEpoch);
  }
  client.engine->listen(kBucket, client.topic(kBucket));
  client.network.turn_until([&] { return false; }, 300);
  assert_true(client.is_signalled(kBucket, "heard"));
  assert_true(client.hears(kBucket, "heard"));
}

void one_shard_is_made_anew_and_others_stay(void**) {
  ClusterServers servers;
  Client client(servers.addresses());
  assert_true(client.comes_up());
  const Shard shard = client.engine->shard_of(kBucket);
  client.engine->reconnect(shard, "no probe came back");
  assert_true(client.network.turn_until(
      [&] { return !client.heard.up.contains(shard); }));
  assert_int_equal(client.heard.up.size(), 2);
  assert_true(client.comes_up());
  assert_int_equal(client.lines_with("no probe came back"), 1);
}

}  // namespace
}  // namespace paperboy::broker::redis

int main() {
  using namespace paperboy::broker::redis;
  const CMUnitTest tests[] = {
      cmocka_unit_test(each_bucket_has_its_server),
      cmocka_unit_test(topics_are_heard_on_each_server),
      cmocka_unit_test(those_that_know_nothing_are_passed_over),
      cmocka_unit_test(a_slot_that_moved_is_found_by_a_call),
      cmocka_unit_test(a_slot_that_moved_is_found_by_its_topics),
      cmocka_unit_test(a_slot_that_moves_is_asked_for_where_its_keys_are),
      cmocka_unit_test(what_is_torn_for_a_moment_waits),
      cmocka_unit_test(what_is_torn_for_too_long_is_refused),
      cmocka_unit_test(too_much_that_waits_is_refused),
      cmocka_unit_test(calls_that_wait_for_replicas_follow_too),
      cmocka_unit_test(a_replica_takes_the_place_of_a_master_that_dies),
      cmocka_unit_test(a_replica_may_be_told_to_take_over),
      cmocka_unit_test(one_shard_is_made_anew_and_others_stay),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
