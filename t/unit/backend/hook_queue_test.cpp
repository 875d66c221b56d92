#include "backend/hook_queue.hpp"

#include <string>

#include "test.hpp"

namespace paperboy::backend {
namespace {

struct Queue {
  explicit Queue(const HookQueue::Options& given)
      : options(given), queue(options) {}
  void add(int first, int last) {
    for (int i = first; i <= last; ++i) {
      lost += queue.add(std::to_string(i), now);
    }
  }
  std::string take() { return queue.take("n"); }
  const HookQueue::Options options;
  HookQueue queue;
  std::uint64_t now = 1000;
  std::size_t lost = 0;
};

void assert_text(const std::string& actual, const char* expected) {
  assert_string_equal(actual.c_str(), expected);
}

void events_wait_for_others(void**) {
  Queue here({.batch = 3, .delay_ms = 50});
  assert_false(here.queue.due().has_value());
  here.add(1, 1);
  assert_int_equal(*here.queue.due(), 1050);
  here.now = 1020;
  here.add(2, 2);
  assert_int_equal(*here.queue.due(), 1050);
  here.add(3, 3);
  assert_true(*here.queue.due() <= here.now);
}

void a_post_has_so_many_and_no_other_is_on_its_way(void**) {
  Queue here({.batch = 2});
  here.add(1, 5);
  assert_text(here.take(), R"({"node":"n","events":[1,2]})");
  assert_false(here.queue.due().has_value());
  assert_int_equal(here.queue.accepted(), 2);
  assert_true(*here.queue.due() <= here.now);
  assert_text(here.take(), R"({"node":"n","events":[3,4]})");
  assert_int_equal(here.queue.accepted(), 2);
  assert_text(here.take(), R"({"node":"n","events":[5]})");
  assert_int_equal(here.queue.accepted(), 1);
  assert_false(here.queue.due().has_value());
}

void what_is_refused_comes_again_as_it_was(void**) {
  Queue here({.batch = 2});
  here.add(1, 1);
  const std::string post = here.take();
  here.add(2, 3);
  assert_int_equal(here.queue.refused(here.now), 0);
  assert_int_equal(*here.queue.due(), 1200);
  assert_text(here.take(), post.c_str());
  assert_int_equal(here.queue.refused(here.now), 0);
  assert_int_equal(*here.queue.due(), 1400);
  assert_text(here.take(), post.c_str());
  assert_int_equal(here.queue.accepted(), 1);
  assert_text(here.take(), R"({"node":"n","events":[2,3]})");
}

void pauses_have_an_end(void**) {
  Queue here({.retries = 100});
  here.add(1, 1);
  for (int i = 0; i < 100; ++i) {
    (void)here.take();
    assert_int_equal(here.queue.refused(here.now), 0);
    assert_in_range(*here.queue.due() - here.now, HookQueue::kFirstPause,
                    HookQueue::kLongestPause);
  }
  assert_int_equal(*here.queue.due() - here.now, HookQueue::kLongestPause);
}

void after_some_times_a_post_is_lost_and_that_is_told(void**) {
  Queue here({.batch = 2, .retries = 1});
  here.add(1, 3);
  (void)here.take();
  assert_int_equal(here.queue.refused(here.now), 0);
  (void)here.take();
  assert_int_equal(here.queue.refused(here.now), 2);
  assert_text(here.take(), R"({"node":"n","lost":2,"events":[3]})");
  assert_int_equal(here.queue.refused(here.now), 0);
  assert_text(here.take(), R"({"node":"n","lost":2,"events":[3]})");
  assert_int_equal(here.queue.accepted(), 1);
  here.add(4, 4);
  assert_text(here.take(), R"({"node":"n","events":[4]})");
}

void of_too_many_the_oldest_are_lost_but_not_a_posts(void**) {
  Queue here({.batch = 2, .queue = 3});
  here.add(1, 2);
  (void)here.take();
  here.add(3, 7);
  assert_int_equal(here.lost, 2);
  assert_int_equal(here.queue.refused(here.now), 0);
  here.add(8, 8);
  assert_int_equal(here.lost, 3);
  assert_text(here.take(), R"({"node":"n","events":[1,2]})");
  assert_int_equal(here.queue.accepted(), 2);
  assert_text(here.take(), R"({"node":"n","lost":3,"events":[6,7]})");
  here.add(9, 12);
  assert_int_equal(here.lost, 5);
  assert_int_equal(here.queue.accepted(), 2);
  assert_text(here.take(), R"({"node":"n","lost":2,"events":[10,11]})");
}

void what_is_given_up_is_counted(void**) {
  Queue here({.batch = 2});
  here.add(1, 5);
  (void)here.take();
  assert_int_equal(here.queue.give_up(), 3);
  assert_int_equal(here.queue.size(), 2);
  assert_int_equal(here.queue.refused(here.now), 0);
  assert_int_equal(here.queue.give_up(), 2);
  assert_false(here.queue.due().has_value());
  here.add(6, 6);
  assert_text(here.take(), R"({"node":"n","lost":5,"events":[6]})");
}

}  // namespace
}  // namespace paperboy::backend

int main() {
  using namespace paperboy::backend;
  const CMUnitTest tests[] = {
      cmocka_unit_test(events_wait_for_others),
      cmocka_unit_test(a_post_has_so_many_and_no_other_is_on_its_way),
      cmocka_unit_test(what_is_refused_comes_again_as_it_was),
      cmocka_unit_test(pauses_have_an_end),
      cmocka_unit_test(after_some_times_a_post_is_lost_and_that_is_told),
      cmocka_unit_test(of_too_many_the_oldest_are_lost_but_not_a_posts),
      cmocka_unit_test(what_is_given_up_is_counted),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
