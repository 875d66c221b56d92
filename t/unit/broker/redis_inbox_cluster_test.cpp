// The inbox on a real cluster, while its slot moves and its master dies: each
// entry is published once.
#include "broker/redis_inbox.hpp"

#include <algorithm>
#include <string>

#include "redis_cluster_servers.hpp"
#include "redis_machine.hpp"

#include "test.hpp"  // last: a macro of its own is called fail

namespace paperboy::broker::redis {
namespace {

constexpr const char* kStream = "paperboy:{0}:inbox";

/// Two machines that read, and one of them hears a channel that is on another
/// master than the inbox.
struct Inboxes {
  explicit Inboxes(ClusterServers& servers)
      : servers(servers), world(servers.addresses()) {
    world.options.kind = Options::Kind::cluster;
    world.options.inbox = true;
    world.options.inbox_idle_ms = 400;
    const int home = owner();
    do {
      channel += 'x';
    } while (servers.owner(slot_of(bucket_of(channel))) == home);
  }

  static Slot slot() { return slot_of(Inbox::kBucket); }
  int owner(int asked = 0) { return servers.owner(slot(), asked); }

  void begin() {
    here = &world.machine().add();
    world.machine().add();
    assert_true(world.comes_up());
    assert_true(here->broker.subscribe(channel, 0).ok());
    // What waits may come in the same turn.
    assert_true(
        world.until([&] { return here->hears.text.starts_with("@0;"); }));
  }

  void add(int server, int count) {
    for (int i = 0; i < count; ++i) {
      const std::string data = std::to_string(++added);
      const Reply answer = servers.ask(
          server, {"XADD", kStream, "*", "channel", channel, "data", data});
      assert_false(answer.is_error());
    }
  }

  /// All, and each once: "=NUMBER;".
  void assert_all_heard() {
    const auto messages = [&] {
      return std::ranges::count(here->hears.text, '=');
    };
    assert_true(world.until([&] { return messages() >= added; }));
    world.rest(1000);  // somebody may have taken it over
    assert_int_equal(messages(), added);
    for (int i = 1; i <= added; ++i) {
      const std::string what = '=' + std::to_string(i) + ';';
      assert_true(here->hears.text.find(what) != std::string::npos);
    }
    assert_null(std::strstr(here->hears.text.c_str(), "^"));
  }

  void assert_no_complaint() const {
    for (const std::string& line : world.network.logs) {
      assert_true(line.find("the inbox") == std::string::npos);
    }
  }

  ClusterServers& servers;
  World world;
  std::string channel;
  Machine::Worker* here = nullptr;
  int added = 0;
};

void its_slot_moves(void**) {
  ClusterServers servers;
  Inboxes test(servers);
  test.begin();
  for (int round = 0; round < 3; ++round) {
    const int from = test.owner();
    const int to = (from + 1) % 3;
    test.add(from, 60);
    servers.begin_move(Inboxes::slot(), from, to);
    test.add(from, 60);
    servers.move_keys(servers.keys(Inboxes::slot(), from), from, to);
    test.world.rest(100);
    servers.end_move(Inboxes::slot(), from, to);
    test.add(to, 60);
    servers.agree_on(to);
  }
  test.assert_all_heard();
  test.assert_no_complaint();
}

/// Neither server has it, for as long as it takes.
void its_slot_is_on_its_way(void**) {
  ClusterServers servers;
  Inboxes test(servers);
  const int from = test.owner();
  const int to = (from + 1) % 3;
  test.add(from, 70);
  servers.begin_move(Inboxes::slot(), from, to);
  servers.move_keys(servers.keys(Inboxes::slot(), from), from, to);
  test.begin();
  test.assert_all_heard();
  servers.end_move(Inboxes::slot(), from, to);
  test.add(to, 10);
  test.assert_all_heard();
  test.assert_no_complaint();
}

void its_master_dies(void**) {
  ClusterServers servers(3, 1);
  Inboxes test(servers);
  test.begin();
  const int dies = test.owner();
  const int asked = (dies + 1) % 3;
  test.add(dies, 100);
  test.world.rest(20);  // amid it
  (void)servers.ask(dies, {"WAIT", "1", "1000"});
  servers.at(dies).kill();
  assert_true(test.world.until([&] {
    const int now = test.owner(asked);
    return now >= 0 && now != dies;
  }));
  test.add(test.owner(asked), 20);
  test.assert_all_heard();
}

}  // namespace
}  // namespace paperboy::broker::redis

int main() {
  using namespace paperboy::broker::redis;
  const CMUnitTest tests[] = {
      cmocka_unit_test(its_slot_moves),
      cmocka_unit_test(its_slot_is_on_its_way),
      cmocka_unit_test(its_master_dies),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
