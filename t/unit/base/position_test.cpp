#include "base/position.hpp"

#include "test.hpp"

namespace paperboy {
namespace {

void an_epoch_is_told_in_lower_case_hexadecimal(void**) {
  assert_string_equal(epoch_text(0).c_str(), "0");
  assert_string_equal(epoch_text(1).c_str(), "1");
  assert_string_equal(epoch_text(0xABCDEF).c_str(), "abcdef");
  assert_string_equal(epoch_text(~0ULL).c_str(), "ffffffffffffffff");
}

void positions_are_equal_where_epoch_and_offset_are(void**) {
  assert_true((Position{1, 2} == Position{1, 2}));
  assert_false((Position{1, 2} == Position{1, 3}));
  assert_false((Position{1, 2} == Position{2, 2}));
}

void offsets_tell_the_order_within_an_epoch(void**) {
  assert_true((Position{7, 1} < Position{7, 2}));
  assert_true((Position{7, 2} > Position{7, 1}));
}

void a_new_position_stands_before_all_publications(void**) {
  assert_int_equal(Position{}.epoch, 0);
  assert_int_equal(Position{}.offset, 0);
}

}  // namespace
}  // namespace paperboy

int main() {
  using namespace paperboy;
  const CMUnitTest tests[] = {
      cmocka_unit_test(an_epoch_is_told_in_lower_case_hexadecimal),
      cmocka_unit_test(positions_are_equal_where_epoch_and_offset_are),
      cmocka_unit_test(offsets_tell_the_order_within_an_epoch),
      cmocka_unit_test(a_new_position_stands_before_all_publications),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
