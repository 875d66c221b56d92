#include "session/client_id.hpp"

#include <set>

#include "test.hpp"

using paperboy::session::client_text;
using paperboy::session::make_client_id;

namespace {

void an_id_is_32_digits(void**) {
  assert_string_equal(client_text({0x0123456789abcdef, 1}).c_str(),
                      "0123456789abcdef0000000000000001");
}

void no_two_are_the_same(void**) {
  std::set<std::string> seen;
  for (int i = 0; i < 1000; ++i) seen.insert(client_text(make_client_id()));
  assert_int_equal(seen.size(), 1000);
}

}  // namespace

int main() {
  const CMUnitTest tests[] = {
      cmocka_unit_test(an_id_is_32_digits),
      cmocka_unit_test(no_two_are_the_same),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
