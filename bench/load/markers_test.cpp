// That a faulty server is caught exactly, and a good one isn't.
#include "markers.hpp"

#include "test.hpp"

namespace {

using namespace paperboy::load;

struct Stream {
  Tally tally;
  std::uint64_t last = 0;

  void gets(std::initializer_list<int> numbers) {
    for (const int number : numbers) {
      assert_true(note_marks("#seq:" + std::to_string(number) + "#xxx", 1, last,
                             tally));
    }
  }
  void expect(std::uint64_t messages, std::uint64_t missing,
              std::uint64_t duplicates, std::uint64_t reorders) const {
    assert_int_equal(tally.messages, messages);
    assert_int_equal(tally.missing, missing);
    assert_int_equal(tally.duplicates, duplicates);
    assert_int_equal(tally.reorders, reorders);
  }
};

void whole_and_in_order_is_clean(void**) {
  Stream stream;
  stream.gets({1, 2, 3, 4});
  stream.expect(4, 0, 0, 0);
  assert_int_equal(stream.tally.late_first, 0);
}

void what_is_left_out_is_missing(void**) {
  Stream stream;
  stream.gets({1, 4, 5, 7});
  stream.expect(4, 3, 0, 0);
  assert_int_equal(stream.tally.gaps, 2);
}

void what_comes_twice_is_a_duplicate(void**) {
  Stream stream;
  stream.gets({1, 1, 2, 2, 2});
  stream.expect(5, 0, 3, 0);
}

void what_comes_late_is_missed_and_then_reordered(void**) {
  Stream stream;
  stream.gets({1, 3, 2, 4});
  stream.expect(4, 1, 0, 1);
}

void a_first_message_that_is_none_is_noted(void**) {
  Stream stream;
  stream.gets({3, 4});
  stream.expect(2, 0, 0, 0);
  assert_int_equal(stream.tally.late_first, 1);
}

void a_frame_may_carry_several_and_their_times(void**) {
  Stream stream;
  assert_true(note_marks("a #seq:1##ts:100#xx#seq:2##ts:200#", 1000,
                         stream.last, stream.tally));
  stream.expect(2, 0, 0, 0);
  assert_int_equal(stream.tally.latency.count(), 2);
  assert_int_equal(stream.tally.latency.most(), 900);
}

void marks_that_are_cut_are_none(void**) {
  Stream stream;
  for (const char* bytes : {"", "#", "#seq", "seq:1#", "##", "nothing"}) {
    assert_false(note_marks(bytes, 1, stream.last, stream.tally));
  }
  stream.expect(0, 0, 0, 0);
}

}  // namespace

int main() {
  const CMUnitTest tests[] = {
      cmocka_unit_test(whole_and_in_order_is_clean),
      cmocka_unit_test(what_is_left_out_is_missing),
      cmocka_unit_test(what_comes_twice_is_a_duplicate),
      cmocka_unit_test(what_comes_late_is_missed_and_then_reordered),
      cmocka_unit_test(a_first_message_that_is_none_is_noted),
      cmocka_unit_test(a_frame_may_carry_several_and_their_times),
      cmocka_unit_test(marks_that_are_cut_are_none),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
