#include "base/few.hpp"

#include <memory>
#include <string>

#include "test.hpp"

namespace paperboy {
namespace {

using Texts = Few<std::string>;

// Longer than what a string has within.
std::string text(int number) {
  return std::string(40, 'a') + std::to_string(number);
}

Texts texts(int count) {
  Texts all;
  for (int i = 0; i < count; ++i) all.push_back(text(i));
  return all;
}

void assert_texts(const Texts& all, int count) {
  assert_int_equal(all.size(), count);
  assert_int_equal(all.empty(), count == 0);
  int expected = 0;
  for (const std::string& one : all) assert_true(one == text(expected++));
  assert_int_equal(expected, count);
}

void it_grows_from_nothing(void**) {
  for (const int count : {0, 1, 2, 3, 100}) assert_texts(texts(count), count);
  static_assert(sizeof(Few<void*>) == 2 * sizeof(void*));
}

void the_last_goes_first(void**) {
  Texts all = texts(5);
  for (int left = 5; left > 0; --left) {
    assert_true(all.back() == text(left - 1));
    all.pop_back();
    assert_texts(all, left - 1);
  }
  all.push_back(text(0));
  assert_texts(all, 1);
}

void it_moves_whole(void**) {
  for (const int count : {0, 1, 2, 9}) {
    for (const int before : {0, 1, 5}) {
      Texts from = texts(count);
      Texts to = texts(before);
      to = std::move(from);
      assert_texts(to, count);
      from =
          texts(3);  // NOLINT(bugprone-use-after-move): it may be assigned to
      assert_texts(from, 3);
      std::swap(from, to);
      assert_texts(from, count);
      assert_texts(to, 3);
      const Texts made(std::move(from));
      assert_texts(made, count);
    }
  }
}

void it_is_moved_to_itself(void**) {
  Texts all = texts(2);
  Texts& same = all;
  all = std::move(same);
  assert_texts(all, 2);
}

void room_is_made_before(void**) {
  Few<std::unique_ptr<int>> all;
  all.push_back(std::make_unique<int>(7));
  all.reserve(10);
  const auto* const place = all.data();
  for (int i = 1; i < 10; ++i) all.push_back(std::make_unique<int>(i));
  assert_ptr_equal(all.data(), place);
  assert_int_equal(*all[0], 7);
  assert_int_equal(*all[9], 9);
  all.make_room();
  assert_int_equal(all.size(), 10);
  assert_ptr_not_equal(all.data(), place);
}

}  // namespace
}  // namespace paperboy

int main() {
  const CMUnitTest tests[] = {
      cmocka_unit_test(paperboy::it_grows_from_nothing),
      cmocka_unit_test(paperboy::the_last_goes_first),
      cmocka_unit_test(paperboy::it_moves_whole),
      cmocka_unit_test(paperboy::it_is_moved_to_itself),
      cmocka_unit_test(paperboy::room_is_made_before),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
