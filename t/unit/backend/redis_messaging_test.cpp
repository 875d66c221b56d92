// Workers that listen to back ends over a real Redis, and ask them.
#include "backend/redis_messaging.hpp"

#include <array>
#include <atomic>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "broker/poll_network.hpp"
#include "broker/redis_engines.hpp"
#include "broker/redis_server.hpp"
#include "hub/fakes.hpp"

#include "test.hpp"  // last: a macro of its own is called fail

namespace paperboy::backend {
namespace {

using broker::redis::Options;
using broker::redis::PollNetwork;
using broker::redis::RedisServer;

Options options_for(const RedisServer& server) {
  Options options;
  options.servers = {server.address()};
  options.timeout_ms = 1000;
  options.retry_ms = 10;
  options.max_retry_ms = 50;
  options.scripts = false;
  return options;
}

/// One whose topics can be made to lose what comes, as no network does.
class DeafEngine final : public broker::redis::Engine,
                         private broker::redis::EngineEvents {
 public:
  using Shard = broker::redis::Shard;
  using Bucket = broker::redis::Bucket;
  using Script = broker::redis::Script;
  using Strings = std::vector<std::string>;
  using Handler = broker::redis::ReplyHandler;

  DeafEngine(std::unique_ptr<Engine> inner, const bool& deaf)
      : inner_(std::move(inner)), deaf_(deaf) {}

  void start(EngineEvents& events) override {
    events_ = &events;
    inner_->start(*this);
  }
  [[nodiscard]] Shard shard_of(Bucket bucket) const override {
    return inner_->shard_of(bucket);
  }
  [[nodiscard]] std::vector<Shard> shards() const override {
    return inner_->shards();
  }
  [[nodiscard]] bool is_up(Shard shard) const override {
    return inner_->is_up(shard);
  }
  [[nodiscard]] Bytes replication_id(Shard shard) const override {
    return inner_->replication_id(shard);
  }
  void refresh_identity(Shard shard) override {
    inner_->refresh_identity(shard);
  }
  [[nodiscard]] bool is_clustered() const override { return false; }
  void call(Bucket, Script, const Strings&, const Strings&, Handler) override {}
  void call_and_wait(Bucket, Script, const Strings&, const Strings&,
                     std::uint32_t, std::uint64_t, Handler) override {}
  void command(Bucket bucket, const Strings& words, Handler handler) override {
    inner_->command(bucket, words, std::move(handler));
  }
  void command_and_block(Bucket, const Strings&, std::uint64_t,
                         Handler) override {}
  void listen(Bucket bucket, Bytes topic) override {
    inner_->listen(bucket, topic);
  }
  void ignore(Bucket bucket, Bytes topic) override {
    inner_->ignore(bucket, topic);
  }
  void read(bool on) override { inner_->read(on); }
  void reconnect(Shard shard, Bytes why) override {
    inner_->reconnect(shard, why);
  }

 private:
  void on_up(Shard shard) override { events_->on_up(shard); }
  void on_down(Shard shard) override { events_->on_down(shard); }
  void on_moved(Bucket bucket) override { events_->on_moved(bucket); }
  void on_listening(Bytes topic) override { events_->on_listening(topic); }
  void on_message(Bytes topic, Bytes message) override {
    if (!deaf_) events_->on_message(topic, message);
  }

  EngineEvents* events_ = nullptr;
  const std::unique_ptr<Engine> inner_;
  const bool& deaf_;
};

struct Worker {
  Worker(PollNetwork& network, const RedisServer& server)
      : options(options_for(server)),
        messaging(
            network,
            std::make_unique<DeafEngine>(make_engine(network, options), deaf),
            taker, counters, 3) {}

  [[nodiscard]] std::uint64_t count(Counter counter) const {
    return cells[static_cast<std::size_t>(counter)].load();
  }

  const Options options;
  hub::FakeBroker broker;
  hub::FakePresence presence{broker};
  hub::RuleSet rules;
  hub::Hub hub{broker, presence, rules};
  std::array<std::atomic<std::uint64_t>, kCounters> cells{};
  Counters counters{Counters::Row(cells)};
  PollNetwork clock_network;
  Taker taker{hub, clock_network.clock(), counters, "shop", [](Bytes) {}};
  bool deaf = false;
  RedisMessaging messaging;
};

struct World {
  Worker& add() {
    workers.push_back(std::make_unique<Worker>(network, server));
    return *workers.back();
  }
  void turn(int ms = 300) {
    const std::uint64_t end =
        network.clock().monotonic_ms() + static_cast<std::uint64_t>(ms);
    while (network.clock().monotonic_ms() < end) network.turn(5);
    // A busy machine: what Redis was asked it has answered before this.
    for (int i = 0; i < 8; ++i) {
      (void)server.ask({"PING"});
      network.turn(5);
    }
  }
  /// Until it is so; in vain for less than what comes late is waited for.
  template <typename So>
  void turn_until(So so) {
    const std::uint64_t end =
        network.clock().monotonic_ms() + RedisMessaging::kHoldMs - 1000;
    while (!so() && network.clock().monotonic_ms() < end) network.turn(5);
  }
  void say(const std::string& payload) {
    (void)server.ask({"PUBLISH", "paperboy-message",
                      R"({"channel":"news","payload":)" + payload + "}"});
    turn(50);
  }
  [[nodiscard]] bool told(const std::string& text) const {
    for (const std::string& line : network.logs) {
      if (line.find(text) != std::string::npos) return true;
    }
    return false;
  }

  RedisServer server;
  PollNetwork network;
  std::vector<std::unique_ptr<Worker>> workers;
};

/// "M:1=1;M:2=2;" with the marker that it begins with as M.
std::string marked(std::string text) {
  const std::string marker = text.substr(0, text.find(':'));
  assert_false(marker.empty());
  for (std::size_t at = 0; (at = text.find(marker, at)) != std::string::npos;) {
    text.replace(at, marker.size(), "M");
  }
  return text;
}

void workers_number_what_they_hear_alike(void**) {
  World world;
  Worker& one = world.add();
  Worker& two = world.add();
  one.messaging.tick(true);
  two.messaging.tick(true);
  world.turn();
  world.say("1");
  world.say("2");
  assert_string_equal(one.broker.keyed.c_str(), two.broker.keyed.c_str());
  assert_string_equal(marked(one.broker.keyed).c_str(), "M:1=1;M:2=2;");
}

void one_that_begins_later_numbers_as_the_others(void**) {
  World world;
  Worker& one = world.add();
  Worker& two = world.add();
  one.messaging.tick(true);
  world.turn();
  world.say("1");
  two.messaging.tick(true);
  world.turn();
  one.broker.keyed.clear();
  world.say("2");
  assert_string_equal(marked(one.broker.keyed).c_str(), "M:1=2;");
  assert_string_equal(one.broker.keyed.c_str(), two.broker.keyed.c_str());
}

void one_that_has_lost_something_numbers_as_the_others_again(void**) {
  World world;
  Worker& one = world.add();
  Worker& two = world.add();
  one.messaging.tick(true);
  two.messaging.tick(true);
  world.turn();
  two.deaf = true;
  world.say("1");
  two.deaf = false;
  one.messaging.tick(true);
  world.turn();
  one.broker.keyed.clear();
  world.say("2");
  assert_string_equal(marked(one.broker.keyed).c_str(), "M:1=2;");
  assert_string_equal(one.broker.keyed.c_str(), two.broker.keyed.c_str());
}

void one_that_hears_nothing_connects_anew(void**) {
  World world;
  Worker& one = world.add();
  one.messaging.tick(true);
  world.turn();
  one.deaf = true;
  for (int i = 0; i < 5; ++i) one.messaging.tick(true);
  world.turn();
  assert_false(world.told("doesn't come back"));
  one.messaging.tick(true);
  one.deaf = false;
  world.turn();
  assert_true(world.told("doesn't come back"));
  world.say("1");
  assert_string_equal(marked(one.broker.keyed).c_str(), "M:1=1;");
}

void a_mark_is_no_marker(void**) {
  World world;
  Worker& one = world.add();
  one.messaging.tick(true);
  one.deaf = true;  // and so hears no marker
  world.turn();
  one.deaf = false;
  (void)world.server.ask({"PUBLISH", "paperboy-taker", "#1"});
  world.turn(50);
  world.say("1");
  assert_string_equal(one.broker.keyed.c_str(), "");
}

/// One that is there and has done nothing yet of what came before: `late` is
/// whether it ever does.
struct Behind {
  explicit Behind(World& to) : world(to) {
    one.messaging.tick(true);
    world.turn();
    one.broker.hold_replies = true;
    world.say("1");
    two.messaging.tick(true);
    world.turn();
    world.say("2");
    world.say("3");
  }
  World& world;
  Worker& one = world.add();
  Worker& two = world.add();
};

void one_that_begins_lets_others_go_first(void**) {
  World world;
  Behind here(world);
  assert_string_equal(here.two.broker.keyed.c_str(), "");
  here.one.broker.answer_held();
  world.turn();
  assert_string_equal(marked(here.two.broker.keyed).c_str(), "M:1=2;M:2=3;");
  world.say("4");
  assert_string_equal(marked(here.two.broker.keyed).c_str(),
                      "M:1=2;M:2=3;M:3=4;");
}

void one_that_is_gone_is_not_waited_for(void**) {
  World world;
  Behind here(world);
  assert_string_equal(here.two.broker.keyed.c_str(), "");
  world.turn(RedisMessaging::kHoldMs);
  assert_string_equal(marked(here.two.broker.keyed).c_str(), "M:1=2;M:2=3;");
}

/// Those who hold would wait for each other.
void what_is_held_goes_out_when_redis_is_back(void**) {
  World world;
  Behind here(world);
  world.server.kill();
  world.turn();
  world.server.start();
  assert_string_equal(here.two.broker.keyed.c_str(), "");
  world.turn_until([&] { return !here.two.broker.keyed.empty(); });
  assert_string_equal(marked(here.two.broker.keyed).c_str(), "M:1=2;M:2=3;");
}

void one_that_can_not_publish_lets_others_do_it(void**) {
  World world;
  Worker& one = world.add();
  one.messaging.tick(true, false);
  world.turn();
  world.say("1");
  assert_string_equal(one.broker.keyed.c_str(), "");
  one.messaging.tick(true, true);
  assert_string_equal(marked(one.broker.keyed).c_str(), "M:1=1;");
}

void what_is_held_is_not_lost_by_who_stops_listening(void**) {
  World world;
  Behind here(world);
  here.two.messaging.tick(false);
  assert_string_equal(marked(here.two.broker.keyed).c_str(), "M:1=2;M:2=3;");
}

void order_is_given_up_before_memory(void**) {
  World world;
  Behind here(world);
  world.say('"' + std::string(5 << 20, 'x') + '"');
  world.turn_until([&] { return !here.two.broker.keyed.empty(); });
  assert_true(marked(here.two.broker.keyed).starts_with("M:1=2;M:2=3;M:3="));
}

void one_that_does_not_listen_hears_nothing(void**) {
  World world;
  Worker& one = world.add();
  one.messaging.tick(false);
  world.turn();
  world.say("1");
  one.messaging.tick(true);
  world.turn();
  world.say("2");
  one.messaging.tick(false);
  world.turn();
  world.say("3");
  assert_string_equal(marked(one.broker.keyed).c_str(), "M:1=2;");
}

/// Nothing is taken before the marker, and it is sent again when it got lost.
void nothing_is_taken_before_a_marker(void**) {
  World world;
  (void)world.server.ask({"ACL", "SETUSER", "default", "-publish"});
  Worker& one = world.add();
  one.messaging.tick(true);
  world.turn();
  assert_true(world.told("to PUBLISH paperboy-taker"));
  (void)world.server.ask({"ACL", "SETUSER", "default", "+publish"});
  world.say("1");
  assert_string_equal(one.broker.keyed.c_str(), "");
  one.messaging.tick(true);
  world.turn();
  world.say("2");
  assert_string_equal(marked(one.broker.keyed).c_str(), "M:1=2;");
}

void a_marker_of_nonsense_is_none(void**) {
  World world;
  Worker& one = world.add();
  one.messaging.tick(true);
  world.turn();
  (void)world.server.ask(
      {"PUBLISH", std::string(kMarkers), std::string(65, 'x')});
  (void)world.server.ask({"PUBLISH", std::string(kMarkers), ""});
  (void)world.server.ask({"PUBLISH", std::string(kMarkers), "mine"});
  world.say("1");
  assert_string_equal(one.broker.keyed.c_str(), "mine:1=1;");
}

void it_listens_again_after_redis_was_away(void**) {
  World world;
  Worker& one = world.add();
  Worker& two = world.add();
  one.messaging.tick(true);
  two.messaging.tick(true);
  world.turn();
  world.say("1");
  world.server.kill();
  world.turn();
  world.server.start();
  world.turn(1000);
  one.broker.keyed.clear();
  two.broker.keyed.clear();
  world.say("2");
  assert_string_equal(marked(one.broker.keyed).c_str(), "M:1=2;");
  assert_string_equal(one.broker.keyed.c_str(), two.broker.keyed.c_str());
  assert_true(world.told("lost "));
}

void requests_wait_in_a_list(void**) {
  World world;
  Worker& one = world.add();
  world.turn();
  for (const char* const token : {"a", "b", "c", "d", "e"}) {
    one.messaging.ask("id", token);
    world.turn(50);
  }
  const std::string list(kRequests);
  assert_int_equal(world.server.ask({"LLEN", list}).integer, 3);
  assert_true(world.server.ask({"LINDEX", list, "0"}).text ==
              R"({"wsId":"id","token":"c"})");
  assert_int_equal(one.count(Counter::classic_requests), 5);
  assert_true(world.told("no back end takes requests"));
  assert_true(one.messaging.name_space() == "shop");
}

void what_does_not_reach_the_back_end_is_told(void**) {
  World world;
  Worker& one = world.add();
  world.turn();
  (void)world.server.ask({"SET", std::string(kRequests), "in the way"});
  one.messaging.ask("id", "a");
  world.turn();
  assert_true(
      world.told("doesn't reach the back end: Redis answers WRONGTYPE"));
  assert_int_equal(one.count(Counter::classic_requests_lost), 1);
  assert_int_equal(one.count(Counter::classic_requests), 0);
}

void requests_wait_for_redis_for_a_while(void**) {
  World world;
  Worker& one = world.add();
  world.turn();
  world.server.kill();
  world.turn();
  for (int i = 0; i < 1002; ++i) one.messaging.ask("id", "old");
  assert_int_equal(one.count(Counter::classic_requests_lost), 2);
  world.turn(5100);
  one.messaging.ask("id", "late");
  one.messaging.tick(false);
  assert_int_equal(one.count(Counter::classic_requests_lost), 1002);
  assert_true(world.told("doesn't reach the back end: Redis can't be reached"));
  one.messaging.ask("id", "new");
  world.server.start();
  world.turn(1000);
  const std::string list(kRequests);
  assert_int_equal(world.server.ask({"LLEN", list}).integer, 2);
  assert_true(world.server.ask({"LINDEX", list, "1"}).text ==
              R"({"wsId":"id","token":"new"})");
}

void it_is_ready_where_it_can_ask_and_hear(void**) {
  World world;
  Worker& one = world.add();
  assert_false(one.messaging.is_ready());
  world.turn();
  assert_true(one.messaging.is_ready());
  one.messaging.tick(true);
  assert_false(one.messaging.is_ready());
  world.turn();
  assert_true(one.messaging.is_ready());
  world.server.kill();
  world.turn();
  assert_false(one.messaging.is_ready());
  world.server.start();
  world.turn(1000);
  assert_true(one.messaging.is_ready());
}

void it_is_not_ready_when_redis_has_refused_a_request(void**) {
  World world;
  Worker& one = world.add();
  world.turn();
  (void)world.server.ask({"SET", std::string(kRequests), "in the way"});
  one.messaging.ask("id", "a");
  world.turn();
  assert_false(one.messaging.is_ready());
  (void)world.server.ask({"DEL", std::string(kRequests)});
  one.messaging.ask("id", "b");
  world.turn();
  assert_true(one.messaging.is_ready());
  (void)world.server.ask({"SET", std::string(kRequests), "in the way"});
  one.messaging.ask("id", "c");
  world.turn();
  assert_false(one.messaging.is_ready());
  world.turn(10'000);
  assert_true(one.messaging.is_ready());
}

}  // namespace
}  // namespace paperboy::backend

int main() {
  using namespace paperboy::backend;
  const CMUnitTest tests[] = {
      cmocka_unit_test(workers_number_what_they_hear_alike),
      cmocka_unit_test(one_that_begins_later_numbers_as_the_others),
      cmocka_unit_test(one_that_has_lost_something_numbers_as_the_others_again),
      cmocka_unit_test(one_that_hears_nothing_connects_anew),
      cmocka_unit_test(a_mark_is_no_marker),
      cmocka_unit_test(one_that_begins_lets_others_go_first),
      cmocka_unit_test(one_that_is_gone_is_not_waited_for),
      cmocka_unit_test(what_is_held_goes_out_when_redis_is_back),
      cmocka_unit_test(one_that_can_not_publish_lets_others_do_it),
      cmocka_unit_test(what_is_held_is_not_lost_by_who_stops_listening),
      cmocka_unit_test(order_is_given_up_before_memory),
      cmocka_unit_test(one_that_does_not_listen_hears_nothing),
      cmocka_unit_test(nothing_is_taken_before_a_marker),
      cmocka_unit_test(a_marker_of_nonsense_is_none),
      cmocka_unit_test(it_listens_again_after_redis_was_away),
      cmocka_unit_test(requests_wait_in_a_list),
      cmocka_unit_test(what_does_not_reach_the_back_end_is_told),
      cmocka_unit_test(requests_wait_for_redis_for_a_while),
      cmocka_unit_test(it_is_ready_where_it_can_ask_and_hear),
      cmocka_unit_test(it_is_not_ready_when_redis_has_refused_a_request),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
