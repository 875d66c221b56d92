#include "broker/redis_slots.hpp"

#include <set>
#include <string>

#include "test.hpp"  // last: a macro of its own is called fail

namespace paperboy::broker::redis {
namespace {

const Server kAsked{"10.0.0.1", 7000, {}, true};

Reply text(const std::string& text) {
  return {Reply::Kind::string, 0, text, {}};
}
Reply number(std::int64_t number) {
  return {Reply::Kind::integer, number, {}, {}};
}
Reply list(std::vector<Reply> items) {
  return {Reply::Kind::array, 0, {}, std::move(items)};
}
Reply server(const Reply& host, std::int64_t port) {
  return list({host, number(port), text("id"), list({})});
}

/// As CLUSTER KEYSLOT says.
void slots_are_those_of_redis(void**) {
  assert_int_equal(slot_of(Bytes("123456789")), 12739);
  assert_int_equal(slot_of(Bytes("")), 0);
  assert_int_equal(slot_of(Bytes("foo")), 12182);
  assert_int_equal(slot_of(Bucket{0}), 13907);
  assert_int_equal(slot_of(Bucket{42}), 8000);
  assert_int_equal(slot_of(Bucket{255}), 14163);
  std::set<Slot> slots;
  for (Bucket bucket = 0; bucket < kBuckets; ++bucket) {
    slots.insert(slot_of(bucket));
  }
  assert_int_equal(slots.size(), kBuckets);
}

void a_topology_says_who_has_the_buckets(void**) {
  const auto topology = read_slots(
      list({list({number(0), number(8000), server(text("10.0.0.2"), 7001),
                  server(text("10.0.0.4"), 7003)}),
            list({number(8001), number(16383), server(text(""), 7002)})}),
      kAsked);
  assert_true(topology.has_value());
  assert_true(topology->owners[42] == (Server{"10.0.0.2", 7001, {}, true}));
  assert_true(topology->owners[0] == (Server{"10.0.0.1", 7002, {}, true}));
  assert_int_equal(topology->servers.size(), 3);
  assert_int_equal(topology->servers[2].port, 7003);
}

void slots_may_be_nobodys(void**) {
  const auto topology = read_slots(
      list({list({number(0), number(1), server(Reply{}, 7001)}),
            list({number(8000), number(8000), server(text("?"), 7001)})}),
      kAsked);
  assert_true(topology.has_value());
  for (const auto& owner : topology->owners) assert_false(owner.has_value());
  assert_int_equal(topology->servers.size(), 1);
}

void what_is_no_topology_is_none(void**) {
  assert_false(read_slots(list({}), kAsked).has_value());
  assert_false(read_slots(text("x"), kAsked).has_value());
  assert_false(read_slots(list({number(1)}), kAsked).has_value());
  const Reply bad = list({list({number(0), number(16383), list({})})});
  assert_true(read_slots(bad, kAsked)->servers.empty());
}

void hosts_are_names_or_addresses(void**) {
  for (const std::string& bad :
       {std::string("a b"), std::string("a\nb"), std::string("-a"),
        std::string(300, 'a'), std::string("a\0b", 3)}) {
    const auto topology = read_slots(
        list({list({number(0), number(16383), server(text(bad), 7000)})}),
        kAsked);
    assert_true(topology->servers.empty());
  }
  assert_false(read_redirection("MOVED 1 a/b:7000", kAsked).has_value());
}

void too_many_servers_are_no_topology(void**) {
  const auto topology = [](int replicas) {
    std::vector<Reply> range{number(0), number(16383)};
    for (int i = 0; i <= replicas; ++i) {
      range.push_back(server(text("h" + std::to_string(i)), 7000));
      range.push_back(range.back());
    }
    return read_slots(list({list(std::move(range))}), kAsked);
  };
  assert_int_equal(topology(1000)->servers.size(), 1001);
  assert_false(topology(100'000).has_value());
  std::vector<Reply> ranges(
      kSlots + 1UL, list({number(0), number(0), server(text("a"), 7000)}));
  assert_false(read_slots(list(std::move(ranges)), kAsked).has_value());
}

void redirections_are_read(void**) {
  const auto moved = read_redirection("MOVED 3999 127.0.0.1:6381", kAsked);
  assert_int_equal(moved->slot, 3999);
  assert_true(moved->server == (Server{"127.0.0.1", 6381, {}, true}));
  const auto same = read_redirection("ASK 0 :6381", kAsked);
  assert_true(same->server == (Server{"10.0.0.1", 6381, {}, true}));
  const auto v6 = read_redirection("MOVED 1 ::1:6381", kAsked);
  assert_string_equal(v6->server.host.c_str(), "::1");
  for (const Bytes bad :
       {"MOVED", "MOVED 1", "MOVED x 127.0.0.1:1", "MOVED 16384 127.0.0.1:1",
        "MOVED 1 127.0.0.1", "MOVED 1 127.0.0.1:0", "MOVED 1 ?:6379",
        "MOVED 1 127.0.0.1:65536", "MOVED 1:2 3"}) {
    assert_false(read_redirection(bad, kAsked).has_value());
  }
}

}  // namespace
}  // namespace paperboy::broker::redis

int main() {
  using namespace paperboy::broker::redis;
  const CMUnitTest tests[] = {
      cmocka_unit_test(slots_are_those_of_redis),
      cmocka_unit_test(a_topology_says_who_has_the_buckets),
      cmocka_unit_test(slots_may_be_nobodys),
      cmocka_unit_test(what_is_no_topology_is_none),
      cmocka_unit_test(hosts_are_names_or_addresses),
      cmocka_unit_test(too_many_servers_are_no_topology),
      cmocka_unit_test(redirections_are_read),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
