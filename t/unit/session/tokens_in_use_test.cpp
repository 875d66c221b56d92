#include "session/tokens_in_use.hpp"

#include "test.hpp"

namespace paperboy::session {
namespace {

constexpr std::int64_t kNow = 1'700'000'000;

void only_what_is_in_use_ends(void**) {
  TokensInUse all;
  assert_false(all.remove(1));
  all.add(1, kNow + 9, 0);
  all.add(2, kNow + 9, 5);
  assert_true(all.remove(1));
  assert_false(all.remove(1));
  assert_true(all.remove(2));
  assert_int_equal(all.size(), 0);
}

void nobody_is_asked_where_nothing_slides(void**) {
  TokensInUse all;
  assert_false(all.due(kNow));
  all.add(1, kNow + 1000, 0);
  for (int i = 1; i < 200; ++i) assert_false(all.due(kNow + i));
}

void clients_are_asked_as_often_as_their_tokens_need(void**) {
  TokensInUse all;
  assert_false(all.due(kNow));
  all.add(1, kNow + 4000, 4000);
  assert_false(all.due(kNow + 59));
  assert_true(all.due(kNow + 60));
  assert_false(all.due(kNow + 61));
  all.add(2, kNow + 101, 40);
  assert_false(all.due(kNow + 69));
  assert_true(all.due(kNow + 70));
  all.add(3, kNow + 75, 5);
  assert_true(all.due(kNow + 71));
  assert_true(all.due(kNow + 72));
}

// Its client has left: it is over, and was so when all were asked last.
void what_nobody_says_to_have_is_forgotten(void**) {
  TokensInUse all;
  assert_false(all.due(kNow));
  all.add(1, kNow + 5, 5);
  int asked = 0;
  for (int i = 1; i < 100; ++i) {
    if (all.due(kNow + i)) ++asked;
  }
  assert_int_equal(all.size(), 0);
  // The last time when it was over already.
  assert_int_equal(asked, 6);
}

// However late: who has it is to hear of its end.
void one_that_is_over_is_asked_for_once_more(void**) {
  TokensInUse all;
  assert_false(all.due(kNow));
  all.add(1, kNow + 5, 5);
  assert_true(all.due(kNow + 500));
  assert_int_equal(all.size(), 1);
  assert_false(all.due(kNow + 501));
  assert_int_equal(all.size(), 0);
}

void what_expires_is_forgotten(void**) {
  TokensInUse all;
  assert_false(all.due(kNow));
  all.add(1, kNow + 30, 0);
  all.add(2, kNow + 300, 0);
  assert_false(all.due(kNow + 60));
  assert_int_equal(all.size(), 1);
  assert_true(all.remove(2));
}

void a_clock_that_is_set_back_keeps_nobody_waiting(void**) {
  TokensInUse all;
  all.add(1, kNow + 5, 5);
  assert_true(all.due(kNow));
  assert_true(all.due(kNow - 1000));
}

}  // namespace
}  // namespace paperboy::session

int main() {
  using namespace paperboy::session;
  const CMUnitTest tests[] = {
      cmocka_unit_test(only_what_is_in_use_ends),
      cmocka_unit_test(nobody_is_asked_where_nothing_slides),
      cmocka_unit_test(clients_are_asked_as_often_as_their_tokens_need),
      cmocka_unit_test(what_nobody_says_to_have_is_forgotten),
      cmocka_unit_test(one_that_is_over_is_asked_for_once_more),
      cmocka_unit_test(what_expires_is_forgotten),
      cmocka_unit_test(a_clock_that_is_set_back_keeps_nobody_waiting),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
