#include "base/siphash.hpp"

#include <string>

#include "test.hpp"

namespace paperboy {
namespace {

constexpr std::uint64_t kKey[2] = {0x0706050403020100, 0x0f0e0d0c0b0a0908};

// The paper's appendix A, and the first of the reference implementation's.
void agrees_with_the_published_vectors(void**) {
  std::string in;
  assert_int_equal(siphash(kKey, in), 0x726fdb47dd0e0e31);
  for (char c = 0; c < 15; c++) in.push_back(c);
  assert_int_equal(siphash(kKey, in), 0xa129ca6149be45e5);
}

void depends_on_the_key(void**) {
  const std::uint64_t other[2] = {kKey[0], kKey[1] + 1};
  assert_int_not_equal(siphash(kKey, "news"), siphash(other, "news"));
}

}  // namespace
}  // namespace paperboy

int main() {
  using namespace paperboy;
  const CMUnitTest tests[] = {
      cmocka_unit_test(agrees_with_the_published_vectors),
      cmocka_unit_test(depends_on_the_key),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
