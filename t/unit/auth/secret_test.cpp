#include "auth/secret.hpp"

#include <utility>

#include "test.hpp"

namespace {

using paperboy::auth::equal_secrets;
using paperboy::auth::SecretBytes;
using namespace std::string_view_literals;

void equal_secrets_are_equal_in_every_byte(void**) {
  assert_true(equal_secrets("abc", "abc"));
  assert_true(equal_secrets("a\0b"sv, "a\0b"sv));
  assert_true(equal_secrets("", {}));
  assert_false(equal_secrets("abc", "abd"));
  assert_false(equal_secrets("xbc", "abc"));
  assert_false(equal_secrets("a\0b"sv, "a\0c"sv));
}

void a_prefix_is_not_the_secret(void**) {
  assert_false(equal_secrets("abc", "ab"));
  assert_false(equal_secrets("", "a"));
  assert_false(equal_secrets("a\0"sv, "a"sv));
}

void a_moved_secret_leaves_nothing_behind(void**) {
  SecretBytes first("short");
  SecretBytes second(std::move(first));
  assert_true(second.view() == "short");
  assert_true(first.view().empty());  // NOLINT(bugprone-use-after-move)
  SecretBytes third;
  third = std::move(second);
  assert_true(third.view() == "short");
}

}  // namespace

int main() {
  const CMUnitTest tests[] = {
      cmocka_unit_test(equal_secrets_are_equal_in_every_byte),
      cmocka_unit_test(a_prefix_is_not_the_secret),
      cmocka_unit_test(a_moved_secret_leaves_nothing_behind),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
