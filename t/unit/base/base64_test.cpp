#include "base/base64.hpp"

#include <string>

#include "test.hpp"

namespace paperboy {
namespace {

/// RFC 4648 section 10.
void the_rfcs_vectors(void**) {
  const std::pair<Bytes, const char*> kVectors[] = {
      {"", ""},
      {"f", "Zg=="},
      {"fo", "Zm8="},
      {"foo", "Zm9v"},
      {"foob", "Zm9vYg=="},
      {"fooba", "Zm9vYmE="},
      {"foobar", "Zm9vYmFy"},
      {"\xfb\xff", "+/8="},
  };
  for (const auto& [bytes, text] : kVectors) {
    std::string out = "<";
    append_base64(out, bytes);
    assert_string_equal(out.c_str(), ("<" + std::string(text)).c_str());
    assert_true(base64_decode(text) == std::string(bytes));
  }
}

void what_is_no_base64_decodes_to_nothing(void**) {
  for (const Bytes text : {"Zg", "Zg=", "Z===", "====", "=", "Zm9v\n", "Zm 9",
                           "Zm9-", "Zh==", "Zm9=", "Zg==Zg=="}) {
    assert_false(base64_decode(text).has_value());
  }
}

}  // namespace
}  // namespace paperboy

int main() {
  using namespace paperboy;
  const CMUnitTest tests[] = {
      cmocka_unit_test(the_rfcs_vectors),
      cmocka_unit_test(what_is_no_base64_decodes_to_nothing),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
