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

void a_position_is_read_as_it_is_written(void**) {
  for (const Position at :
       {Position{1, 0}, Position{0xABCDEF, 17}, Position{~0ULL, ~0ULL}}) {
    assert_true(parse_position(position_text(at)) == at);
  }
  assert_string_equal(position_text({0x7F, 12}).c_str(), "7f:12");
}

void what_is_written_otherwise_is_no_position(void**) {
  for (const char* text :
       {"", ":", "7f", "7f:", ":1", "7F:1", "07:1", "0:1", "7f:01", "7f:-1",
        "7f:+1", "7f: 1", "7f:1 ", "7f:1:1", "0x7f:1", "g:1",
        "11111111111111111:1", "7f:18446744073709551616"}) {
    assert_false(parse_position(text).has_value());
  }
  assert_false(parse_epoch("0").has_value());
  assert_true(parse_epoch("a") == 10);
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
      cmocka_unit_test(a_position_is_read_as_it_is_written),
      cmocka_unit_test(what_is_written_otherwise_is_no_position),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
