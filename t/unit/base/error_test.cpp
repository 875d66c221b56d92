#include "base/error.hpp"

#include <set>
#include <string>

#include "test.hpp"

namespace paperboy {
namespace {

constexpr int kCodes = static_cast<int>(ErrorCode::not_available) + 1;

void names_and_statuses_are_those_of_the_docs(void**) {
  assert_true(error_name(ErrorCode::bad_request) == "bad_request");
  assert_int_equal(http_status(ErrorCode::bad_request), 400);
  assert_int_equal(http_status(ErrorCode::unauthorized), 401);
  assert_int_equal(http_status(ErrorCode::forbidden), 403);
  assert_int_equal(http_status(ErrorCode::not_found), 404);
  assert_int_equal(http_status(ErrorCode::too_large), 413);
  assert_true(error_name(ErrorCode::log_full) == "log_full");
  assert_int_equal(http_status(ErrorCode::log_full), 503);
  assert_int_equal(http_status(ErrorCode::unavailable), 503);
  assert_true(error_name(ErrorCode::internal) == "internal");
  assert_int_equal(http_status(ErrorCode::internal), 500);
}

void every_code_has_a_name_of_its_own(void**) {
  std::set<Bytes> names;
  for (int i = 0; i < kCodes; ++i) {
    const Bytes name = error_name(static_cast<ErrorCode>(i));
    assert_false(name.empty());
    assert_true(names.insert(name).second);
  }
}

void every_status_is_one_of_an_error(void**) {
  for (int i = 0; i < kCodes; ++i) {
    assert_in_range(http_status(static_cast<ErrorCode>(i)), 400, 599);
  }
}

}  // namespace
}  // namespace paperboy

int main() {
  using namespace paperboy;
  const CMUnitTest tests[] = {
      cmocka_unit_test(names_and_statuses_are_those_of_the_docs),
      cmocka_unit_test(every_code_has_a_name_of_its_own),
      cmocka_unit_test(every_status_is_one_of_an_error),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
