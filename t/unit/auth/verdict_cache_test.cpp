// What is remembered of a back end's answers, for how long, and how much.
#include "auth/verdict_cache.hpp"

#include <string>

#include "test.hpp"

namespace {

using namespace paperboy::auth;

std::shared_ptr<const Verdict> verdict(int status, std::size_t size = 0) {
  Verdict made;
  made.status = status;
  made.size = size;
  return std::make_shared<const Verdict>(made);
}

void a_verdict_is_good_until_its_time(void**) {
  VerdictCache cache(10'000);
  assert_null(cache.find("ann", 0).get());
  cache.put("ann", verdict(204), 100);
  assert_true(cache.find("ann", 99)->allows());
  assert_null(cache.find("bob", 99).get());
  assert_null(cache.find("ann", 100).get());
  assert_int_equal(cache.size(), 0);
}

void the_last_counts(void**) {
  VerdictCache cache(10'000);
  cache.put("ann", verdict(204), 100);
  cache.put("ann", verdict(403), 100);
  assert_false(cache.find("ann", 0)->allows());
  assert_int_equal(cache.size(), 1);
}

void who_was_not_asked_for_lately_goes(void**) {
  VerdictCache cache(4 * 600);
  for (const char* name : {"a", "b", "c", "d"}) {
    cache.put(name, verdict(200), 100);
  }
  assert_non_null(cache.find("a", 0).get());
  cache.put("e", verdict(200), 100);
  assert_non_null(cache.find("a", 0).get());
  assert_null(cache.find("b", 0).get());
  assert_non_null(cache.find("e", 0).get());
}

void it_never_grows_over_its_room(void**) {
  VerdictCache cache(100'000);
  for (int i = 0; i < 10'000; ++i) {
    cache.put(std::to_string(i), verdict(200, 100), 100);
  }
  assert_true(cache.size() > 50 && cache.size() < 200);
}

void what_has_no_room_is_left_out(void**) {
  VerdictCache cache(10'000);
  cache.put("small", verdict(200), 100);
  cache.put("large", verdict(200, 10'000), 100);
  assert_null(cache.find("large", 0).get());
  assert_non_null(cache.find("small", 0).get());
}

}  // namespace

int main() {
  const CMUnitTest tests[] = {
      cmocka_unit_test(a_verdict_is_good_until_its_time),
      cmocka_unit_test(the_last_counts),
      cmocka_unit_test(who_was_not_asked_for_lately_goes),
      cmocka_unit_test(it_never_grows_over_its_room),
      cmocka_unit_test(what_has_no_room_is_left_out),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
