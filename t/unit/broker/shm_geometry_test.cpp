#include "broker/shm_geometry.hpp"

#include <initializer_list>

#include "test.hpp"

namespace paperboy::broker::shm {
namespace {

void parts_follow_each_other_and_fit(void**) {
  for (const std::size_t seats : {1, 8, 256, 512}) {
    Options options;
    options.seats = seats;
    for (const std::size_t extra : {0, 1, 4096, 1 << 20, 100 << 20}) {
      const std::size_t size = minimum_size(options) + extra;
      const auto g = divide(size, options);
      assert_true(g.has_value());
      assert_true(g->buckets_at >= sizeof(Header));
      assert_true(g->key_buckets_at >=
                  g->buckets_at + g->buckets * sizeof(Ref));
      assert_true(g->seats_at >=
                  g->key_buckets_at + g->key_buckets * sizeof(Ref));
      assert_int_equal(g->key_buckets & (g->key_buckets - 1), 0);
      assert_true(g->pages_at >= g->seats_at + g->seats * sizeof(Seat));
      assert_true(g->arena_at >= g->pages_at + g->pages * sizeof(Page));
      assert_true(g->log_at >= g->arena_at + g->pages * kPageSize);
      assert_true(g->log_at + g->log_size <= size);
      assert_true(g->pages >= 16 && g->log_size >= 64 * 1024);
      assert_int_equal(g->buckets & (g->buckets - 1), 0);
      assert_int_equal(g->log_at % 64, 0);
    }
  }
}

void the_log_gets_a_quarter_unless_told(void**) {
  Options options;
  assert_int_equal(divide(64 << 20, options)->log_size, 16 << 20);
  options.log_size = 1 << 20;
  assert_int_equal(divide(64 << 20, options)->log_size, 1 << 20);
}

void history_gets_three_quarters_of_the_arena_unless_told(void**) {
  Options options;
  const auto g = divide(64 << 20, options);
  assert_int_equal(g->history_size, g->pages * kPageSize / 4 * 3);
  options.history_size = 1 << 20;
  assert_int_equal(divide(64 << 20, options)->history_size, 1 << 20);
  options.history_size = 40 << 20;
  assert_true(divide(64 << 20, options).has_value());
  options.history_size = 60 << 20;
  assert_false(divide(64 << 20, options).has_value());
  assert_true(divide(minimum_size(options), options).has_value());
  options.history_size = 65 << 20;
  assert_false(divide(64 << 20, options).has_value());
}

void a_share_is_kept_free_but_in_tiny_zones(void**) {
  Options options;
  options.seats = 8;
  assert_int_equal(reserve_pages(*divide(minimum_size(options), options)), 0);
  assert_int_equal(reserve_pages(*divide(1 << 20, options)), 4);
  const auto large = divide(64 << 20, options);
  assert_int_equal(reserve_pages(*large), large->pages / 32);
  assert_true(reserve_pages(*large) > 4);
}

void what_does_not_fit_is_refused(void**) {
  Options options;
  assert_false(divide(minimum_size(options) - 1, options).has_value());
  assert_false(divide(0, options).has_value());
  assert_false(divide(std::size_t{65} << 30, options).has_value());
  options.seats = kMaxSeats + 1;
  assert_false(divide(64 << 20, options).has_value());
  options.seats = 0;
  assert_false(divide(64 << 20, options).has_value());
  options.seats = 8;
  options.log_size = 128 << 20;
  assert_false(divide(64 << 20, options).has_value());
}

// The zone that attach() finds is divided by what its header says.
void dividing_by_the_parts_of_a_division_gives_the_same(void**) {
  for (const std::size_t size : {10'000'000, 33'333'333, 64 << 20}) {
    const Options options;
    const auto g = divide(size, options);
    Options again;
    again.seats = g->seats;
    again.log_size = g->log_size;
    again.history_size = g->history_size;
    assert_true(divide(size, again) == g);
  }
}

}  // namespace
}  // namespace paperboy::broker::shm

int main() {
  using namespace paperboy::broker::shm;
  const CMUnitTest tests[] = {
      cmocka_unit_test(parts_follow_each_other_and_fit),
      cmocka_unit_test(the_log_gets_a_quarter_unless_told),
      cmocka_unit_test(history_gets_three_quarters_of_the_arena_unless_told),
      cmocka_unit_test(a_share_is_kept_free_but_in_tiny_zones),
      cmocka_unit_test(what_does_not_fit_is_refused),
      cmocka_unit_test(dividing_by_the_parts_of_a_division_gives_the_same),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
