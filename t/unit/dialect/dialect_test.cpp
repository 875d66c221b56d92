#include "dialect/dialect.hpp"

#include "test.hpp"

namespace paperboy::dialect {
namespace {

void dialects_are_found_by_their_names(void**) {
  assert_non_null(find("native"));
  assert_non_null(find("raw"));
  assert_non_null(find("echo"));
  assert_ptr_not_equal(find("raw"), find("echo"));
  assert_ptr_equal(find("raw"), find("raw"));
}

void other_names_are_nobodys(void**) {
  for (const Bytes name : {"", "RAW", "raw ", "rawe", "ech", "Native"}) {
    assert_null(find(name));
  }
}

}  // namespace
}  // namespace paperboy::dialect

int main() {
  using namespace paperboy::dialect;
  const CMUnitTest tests[] = {
      cmocka_unit_test(dialects_are_found_by_their_names),
      cmocka_unit_test(other_names_are_nobodys),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
