#include "base/counters.hpp"

#include <set>
#include <string>

#include "test.hpp"

namespace paperboy {
namespace {

using Cells = std::array<std::atomic<std::uint64_t>, kCounters>;

std::string name(Counter counter) { return std::string(counter_name(counter)); }

std::string closed_name(std::uint16_t code) { return name(closed_with(code)); }

void every_counter_has_a_name_of_its_own(void**) {
  std::set<Bytes> names;
  for (std::size_t i = 0; i < kCounters; ++i) {
    const Bytes name = counter_name(static_cast<Counter>(i));
    assert_false(name.empty());
    assert_true(names.insert(name).second);
  }
}

void names_belong_to_their_counters(void**) {
  assert_string_equal(name(Counter::connections).c_str(), "connections");
  assert_string_equal(name(Counter::backlog_bytes).c_str(), "backlog_bytes");
  assert_string_equal(name(Counter::redis_ready).c_str(), "redis_ready");
  assert_string_equal(name(Counter::gaps).c_str(), "gaps");
  assert_string_equal(name(Counter::redis_imported).c_str(), "redis_imported");
  assert_string_equal(name(Counter::auth_requests).c_str(), "auth_requests");
  assert_string_equal(name(Counter::revoked_subscriptions).c_str(),
                      "revoked_subscriptions");
  assert_string_equal(name(Counter::refused_csrf).c_str(), "csrf");
  assert_string_equal(name(Counter::refused_method).c_str(), "method");
  assert_string_equal(name(Counter::refused_capacity).c_str(), "capacity");
  assert_string_equal(name(Counter::closed_other).c_str(), "other");
}

void every_close_code_of_ours_is_counted_by_its_name(void**) {
  for (const std::uint16_t code :
       {1000, 1001, 1002, 1003, 1005, 1006, 1007, 1008, 1009,
        1011, 1013, 3001, 3004, 3005, 3008, 3010, 3011, 3012,
        3013, 3500, 3501, 3502, 3503, 3504, 3505, 3507, 3508}) {
    assert_string_equal(closed_name(code).c_str(),
                        std::to_string(code).c_str());
  }
}

void codes_of_clients_are_counted_together(void**) {
  for (const std::uint16_t code :
       {0, 1010, 1012, 3000, 3002, 3506, 3509, 4000, 4999, 65535}) {
    assert_string_equal(closed_name(code).c_str(), "other");
  }
}

void a_gauge_goes_up_and_down_and_nothing_else_moves(void**) {
  Cells cells{};
  Counters counters{Counters::Row(cells)};
  counters.add(Counter::connections);
  counters.add(Counter::connections, 4);
  counters.subtract(Counter::connections, 2);
  assert_int_equal(cells[0].load(), 3);
  counters.subtract(Counter::connections, 3);
  counters.add(Counter::closed_other, 7);
  for (std::size_t i = 0; i + 1 < kCounters; ++i) {
    assert_int_equal(cells[i].load(), 0);
  }
  assert_int_equal(cells.back().load(), 7);
}

}  // namespace
}  // namespace paperboy

int main() {
  using namespace paperboy;
  const CMUnitTest tests[] = {
      cmocka_unit_test(every_counter_has_a_name_of_its_own),
      cmocka_unit_test(names_belong_to_their_counters),
      cmocka_unit_test(every_close_code_of_ours_is_counted_by_its_name),
      cmocka_unit_test(codes_of_clients_are_counted_together),
      cmocka_unit_test(a_gauge_goes_up_and_down_and_nothing_else_moves),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
