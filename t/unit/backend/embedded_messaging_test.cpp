// Posts to callbacks, on a network that does what it is told.
#include "backend/embedded_messaging.hpp"

#include <array>
#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "test.hpp"  // last: a macro of its own is called fail

namespace paperboy::backend {
namespace {

using broker::redis::Alarm;
using broker::redis::LogLevel;
using broker::redis::Network;
using broker::redis::Server;
using broker::redis::Wire;
using broker::redis::WireEvents;

/// Wires are answered by the test; time goes when it says so.
class FakeNetwork final : public Network {
 public:
  struct FakeWire final : Wire {
    FakeWire(FakeNetwork& network, Server server, WireEvents& events)
        : network(network), server(std::move(server)), events(events) {
      network.wires.push_back(this);
    }
    ~FakeWire() override { std::erase(network.wires, this); }
    void send(Bytes bytes) override { sent.append(bytes); }
    [[nodiscard]] std::size_t unsent() const override { return 0; }
    void read(bool) override {}

    FakeNetwork& network;
    Server server;
    WireEvents& events;
    std::string sent;
  };

  struct FakeAlarm final : Alarm {
    FakeAlarm(FakeNetwork& network, std::function<void()> ring)
        : network(network), ring(std::move(ring)) {
      network.alarms.push_back(this);
    }
    ~FakeAlarm() override { std::erase(network.alarms, this); }
    void set(std::uint64_t delay) override { due = network.time.ms + delay; }
    void cancel() override { due = kUnset; }
    [[nodiscard]] bool is_set() const override { return due != kUnset; }

    static constexpr std::uint64_t kUnset = UINT64_MAX;
    FakeNetwork& network;
    std::function<void()> ring;
    std::uint64_t due = kUnset;
  };

  std::unique_ptr<Wire> connect(const Server& server,
                                WireEvents& events) override {
    return std::make_unique<FakeWire>(*this, server, events);
  }
  std::unique_ptr<Alarm> alarm(std::function<void()> ring, bool) override {
    return std::make_unique<FakeAlarm>(*this, std::move(ring));
  }
  [[nodiscard]] const Clock& clock() const override { return time; }
  std::uint64_t random() override { return 4; }
  void log(LogLevel, Bytes text) override { logs.append(text).append("\n"); }

  void pass(std::uint64_t ms) {
    time.ms += ms;
    for (bool rang = true; rang;) {
      rang = false;
      for (FakeAlarm* const one : alarms) {
        if (one->due > time.ms) continue;
        one->cancel();
        one->ring();
        rang = true;
        break;
      }
    }
  }

  struct Time final : Clock {
    [[nodiscard]] std::uint64_t monotonic_ms() const override { return ms; }
    [[nodiscard]] std::int64_t unix_seconds() const override { return 0; }
    std::uint64_t ms = 1'000'000;
  } time;
  std::vector<FakeWire*> wires;
  std::vector<FakeAlarm*> alarms;
  std::string logs;
};

class FakeCallbacks final : public Callbacks {
 public:
  FakeCallbacks() { CallbackTable::format(block_.data(), 1); }
  [[nodiscard]] std::uint64_t version() const override {
    return table().version();
  }
  [[nodiscard]] std::vector<Registered> all() const override {
    return table().all();
  }
  void remove(std::uint64_t serial) override { table().remove(serial); }
  void add(std::uint16_t port, std::uint8_t topic = kRequestsTopic) {
    assert_true(table().add(
        {.topic = topic, .host = "app", .port = port, .path = "/"}, 64));
  }

 private:
  [[nodiscard]] CallbackTable table() const {
    return CallbackTable(const_cast<std::uint64_t*>(block_.data()));
  }
  std::vector<std::uint64_t> block_ =
      std::vector<std::uint64_t>(CallbackTable::size() / 8 + 1);
};

constexpr Bytes kGood = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
constexpr Bytes kBad = "HTTP/1.1 403 No\r\nContent-Length: 0\r\n\r\n";

struct World {
  void ask(Bytes token = "t", std::uint64_t ms = 0) {
    messaging.ask("id", token);
    network.pass(ms);
  }
  [[nodiscard]] std::uint64_t count(Counter counter) const {
    return cells[static_cast<std::size_t>(counter)].load();
  }
  [[nodiscard]] std::uint64_t taken() const {
    return count(Counter::classic_requests);
  }
  [[nodiscard]] std::uint64_t lost() const {
    return count(Counter::classic_requests_lost);
  }
  void answer(std::size_t wire, Bytes bytes) {
    network.wires.at(wire)->events.on_bytes(bytes);
    network.pass(0);
  }

  FakeNetwork network;
  FakeCallbacks callbacks;
  std::array<std::atomic<std::uint64_t>, kCounters> cells{};
  Counters counters{Counters::Row(cells)};
  const Poster::Options options =
      Poster::Options{.token = "secret", .timeout_ms = 1000, .queue = 2};
  EmbeddedMessaging messaging{network, callbacks, counters, options, "shop"};
};

void each_callback_of_the_topic_is_posted(void**) {
  World world;
  assert_true(world.messaging.name_space() == "shop");
  world.callbacks.add(1);
  world.callbacks.add(2);
  world.callbacks.add(3, 0);
  world.ask("a \"token\"");
  assert_int_equal(world.network.wires.size(), 2);
  assert_int_equal(world.network.wires[1]->server.port, 2);
  const std::string& sent = world.network.wires[0]->sent;
  assert_true(sent.find("PaperboyEmbeddedBackendToken: secret\r\n") !=
              std::string::npos);
  assert_true(sent.ends_with(R"({"wsId":"id","token":"a \"token\""})"));
  world.answer(0, kGood);
  assert_int_equal(world.network.wires.size(), 1);
  assert_int_equal(world.taken(), 1);
  assert_int_equal(world.messaging.post(0, "x"), 1);
  assert_int_equal(world.messaging.post(1, "x"), 0);
}

void without_a_callback_it_is_lost(void**) {
  World world;
  world.ask();
  assert_int_equal(world.lost(), 1);
  assert_true(world.network.logs.find("no back end") != std::string::npos);
}

void some_go_side_by_side_and_others_wait(void**) {
  World world;
  world.callbacks.add(1);
  for (int i = 0; i < 4; ++i) world.ask();
  for (int i = 0; i < 3; ++i) world.ask();
  assert_int_equal(world.network.wires.size(), Poster::kAtOnce);
  assert_int_equal(world.lost(), 1);
  world.answer(0, kGood);
  assert_int_equal(world.network.wires.size(), Poster::kAtOnce);
  while (!world.network.wires.empty()) world.answer(0, kGood);
  assert_int_equal(world.taken(), 6);
}

void one_that_waits_for_too_long_is_lost(void**) {
  World world;
  world.callbacks.add(1);
  for (int i = 0; i < 6; ++i) world.ask();
  world.network.pass(1000);
  assert_int_equal(world.lost(), 6);
  assert_true(world.network.wires.empty());
  assert_int_equal(world.callbacks.all().size(), 1);
}

void other_than_200_drops_it(void**) {
  World world;
  world.callbacks.add(1);
  for (int i = 0; i < 5; ++i) world.ask();
  world.answer(0, kBad);
  assert_true(world.callbacks.all().empty());
  assert_true(
      world.network.logs.find("http://app:1/ is dropped: it answers 403") !=
      std::string::npos);
  world.messaging.tick();
  assert_true(world.network.wires.empty());
  assert_int_equal(world.lost(), 5);
}

void what_was_posted_before_does_not_drop_one_registered_anew(void**) {
  World world;
  world.callbacks.add(1);
  world.ask();
  world.callbacks.add(1);
  world.ask();
  assert_int_equal(world.network.wires.size(), 2);
  world.answer(0, kBad);
  assert_int_equal(world.callbacks.all().size(), 1);
  world.answer(0, kBad);
  assert_true(world.callbacks.all().empty());
}

void one_that_cannot_be_reached_stays(void**) {
  World world;
  world.callbacks.add(1);
  world.ask();
  world.network.wires[0]->events.on_lost("refused");
  world.network.pass(0);
  world.ask();
  world.answer(0, "nonsense\r\n\r\n");
  assert_int_equal(world.lost(), 2);
  assert_int_equal(world.callbacks.all().size(), 1);
  world.ask();
  world.answer(0, "HTTP/1.1 200 OK\r\n\r\n");
  assert_int_equal(world.taken(), 0);
  world.network.wires[0]->events.on_lost("closed");
  world.network.pass(0);
  assert_int_equal(world.taken(), 1);
  world.ask();
  world.answer(0, "HTTP/1.1 200 OK\r\n\r\nwithout end");
  world.network.pass(1000);
  assert_int_equal(world.taken(), 2);
}

}  // namespace
}  // namespace paperboy::backend

int main() {
  using namespace paperboy::backend;
  const CMUnitTest tests[] = {
      cmocka_unit_test(each_callback_of_the_topic_is_posted),
      cmocka_unit_test(without_a_callback_it_is_lost),
      cmocka_unit_test(some_go_side_by_side_and_others_wait),
      cmocka_unit_test(one_that_waits_for_too_long_is_lost),
      cmocka_unit_test(other_than_200_drops_it),
      cmocka_unit_test(
          what_was_posted_before_does_not_drop_one_registered_anew),
      cmocka_unit_test(one_that_cannot_be_reached_stays),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
