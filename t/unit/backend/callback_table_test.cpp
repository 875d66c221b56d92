#include "backend/callback_table.hpp"

#include <string>
#include <vector>

#include "test.hpp"  // last: a macro of its own is called fail

namespace paperboy::backend {
namespace {

struct World {
  World() { CallbackTable::format(block.data(), 42); }

  bool add(std::uint16_t port, std::size_t most = CallbackTable::kMost) {
    return table().add({.host = "app", .port = port, .path = "/"}, most);
  }
  [[nodiscard]] CallbackTable table() { return CallbackTable(block.data()); }

  // Aligned as memory that is shared.
  std::vector<std::uint64_t> block =
      std::vector<std::uint64_t>(CallbackTable::size() / 8 + 1);
};

void callbacks_are_kept_until_removed(void**) {
  World world;
  assert_int_equal(world.table().instance(), 42);
  assert_true(world.table().all().empty());
  const Callback longest{.topic = 2,
                         .host = std::string(Callback::kMaxHost, 'h'),
                         .port = 65'535,
                         .path = std::string(Callback::kMaxPath, '/')};
  assert_true(world.table().add(longest, 2));
  assert_true(world.add(1, 2));
  const auto all = world.table().all();
  assert_int_equal(all.size(), 2);
  assert_true(all[0].callback == longest);
  assert_int_equal(all[1].callback.port, 1);
  world.table().remove(all[0].serial);
  assert_int_equal(world.table().all().size(), 1);
  assert_int_equal(world.table().all()[0].callback.port, 1);
}

void one_that_is_there_is_registered_anew(void**) {
  World world;
  assert_true(world.add(1));
  const std::uint64_t before = world.table().all()[0].serial;
  assert_true(world.add(1, 1));
  const auto all = world.table().all();
  assert_int_equal(all.size(), 1);
  assert_true(all[0].serial != before);
  world.table().remove(before);
  assert_int_equal(world.table().all().size(), 1);
}

void there_is_a_most(void**) {
  World world;
  for (std::uint16_t port = 1; port <= CallbackTable::kMost; ++port) {
    assert_true(world.add(port));
  }
  assert_false(world.add(1000));
  assert_false(world.add(1000, 1'000'000));
  assert_true(world.add(7));
  world.table().remove(world.table().all()[100].serial);
  assert_true(world.add(1000));
  assert_int_equal(world.table().all().size(), CallbackTable::kMost);
}

void what_changes_has_another_version(void**) {
  World world;
  const std::uint64_t first = world.table().version();
  assert_true(world.add(1));
  const std::uint64_t second = world.table().version();
  assert_true(second != first);
  world.table().remove(12345);
  world.table().remove(0);
  assert_int_equal(world.table().version(), second);
  world.table().remove(world.table().all()[0].serial);
  assert_true(world.table().version() != second);
}

}  // namespace
}  // namespace paperboy::backend

int main() {
  using namespace paperboy::backend;
  const CMUnitTest tests[] = {
      cmocka_unit_test(callbacks_are_kept_until_removed),
      cmocka_unit_test(one_that_is_there_is_registered_anew),
      cmocka_unit_test(there_is_a_most),
      cmocka_unit_test(what_changes_has_another_version),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
