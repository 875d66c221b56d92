#include "broker/redis_outage.hpp"

#include <string>

#include "broker/redis_backoff.hpp"
#include "fake_network.hpp"
#include "test.hpp"  // last: a macro of its own is called fail

namespace paperboy::broker::redis {
namespace {

void an_outage_is_told_once_a_reason(void**) {
  FakeNetwork network;
  Outage outage(network, "nothing is published");
  outage.tell_up("h:1", "abc");
  outage.tell_lost("h:1", "reset", true);
  for (int i = 0; i < 100; ++i) {
    outage.tell_lost("h:1", "refused", false);
    outage.tell_lost("h:2", "refused", false);
    outage.tell_lost("h:1", "LOADING", false);
  }
  network.pass(1234);
  outage.tell_up("h:2", "def");
  assert_int_equal(network.logs.size(), 6);
  assert_true(network.logs[0] == "h:1 is there, replication id abc");
  assert_true(network.logs[1].starts_with("lost h:1: reset; "));
  assert_true(network.logs[2].starts_with("can't use h:1: refused; "));
  assert_true(network.logs[3].starts_with("can't use h:2: refused; "));
  assert_true(network.logs[4].starts_with("can't use h:1: LOADING; "));
  assert_true(network.logs[5] ==
              "h:2 is there, replication id def, after 1234 ms without");
  outage.tell_lost("h:1", "refused", false);  // the next one
  assert_int_equal(network.logs.size(), 7);
}

void reasons_without_number_are_not_all_told(void**) {
  FakeNetwork network;
  Outage outage(network, "nothing is published");
  for (int i = 0; i < 1000; ++i) {
    outage.tell_lost("h:1", "error " + std::to_string(i), false);
  }
  assert_int_equal(network.logs.size(), 32);
}

void a_pause_doubles_up_to_its_limit(void**) {
  FakeNetwork network;  // its chance is 0: no pause is shortened
  Options options;
  options.retry_ms = 100;
  options.max_retry_ms = 350;
  Backoff backoff(network, options);
  for (const std::uint64_t expected : {101U, 201U, 351U, 351U}) {
    assert_int_equal(backoff.next_ms(), expected);
  }
  backoff.reset();
  assert_int_equal(backoff.next_ms(), 101);
}

}  // namespace
}  // namespace paperboy::broker::redis

int main() {
  using namespace paperboy::broker::redis;
  const CMUnitTest tests[] = {
      cmocka_unit_test(an_outage_is_told_once_a_reason),
      cmocka_unit_test(reasons_without_number_are_not_all_told),
      cmocka_unit_test(a_pause_doubles_up_to_its_limit),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
