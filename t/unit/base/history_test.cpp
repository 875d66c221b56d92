#include "base/history.hpp"

#include "test.hpp"

using paperboy::HistoryPage;
using paperboy::is_complete;
using paperboy::Kept;
using paperboy::Position;

namespace {

HistoryPage page(Position top, std::initializer_list<std::uint64_t> offsets) {
  HistoryPage made{top, {}};
  for (const auto offset : offsets) {
    Kept kept;
    kept.position = {top.epoch, offset};
    made.publications.push_back(kept);
  }
  return made;
}

void a_page_is_complete_if_nothing_lacks(void**) {
  assert_true(is_complete(page({7, 5}, {3, 4, 5}), {7, 2}));
  assert_true(is_complete(page({7, 5}, {}), {7, 5}));
  assert_true(is_complete(page({7, 0}, {}), {7, 0}));
}

void what_lacks_makes_it_incomplete(void**) {
  assert_false(is_complete(page({7, 5}, {4, 5}), {7, 2}));
  assert_false(is_complete(page({7, 5}, {3, 5}), {7, 2}));
  assert_false(is_complete(page({7, 5}, {3, 4}), {7, 2}));
  assert_false(is_complete(page({7, 5}, {}), {7, 2}));
}

void another_epoch_or_a_position_to_come_is_incomplete(void**) {
  assert_false(is_complete(page({8, 5}, {}), {7, 5}));
  assert_false(is_complete(page({7, 5}, {}), {7, 6}));
}

}  // namespace

int main() {
  const CMUnitTest tests[] = {
      cmocka_unit_test(a_page_is_complete_if_nothing_lacks),
      cmocka_unit_test(what_lacks_makes_it_incomplete),
      cmocka_unit_test(another_epoch_or_a_position_to_come_is_incomplete),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
