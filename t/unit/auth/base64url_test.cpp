#include "auth/base64url.hpp"

#include <string>

#include "auth/tokens.hpp"
#include "test.hpp"

namespace {

using paperboy::Bytes;
using paperboy::auth::base64url_decode;
using paperboy::auth::test::base64url;

using namespace std::string_view_literals;

void decodes_what_was_encoded(void**) {
  std::string all;
  for (int i = 0; i < 256; ++i) {
    assert_true(base64url_decode(base64url(all)) == all);
    all.push_back(static_cast<char>(i));
  }
  assert_true(base64url_decode(base64url(all)) == all);
  assert_true(base64url_decode("-_8") == "\xfb\xff");
  assert_true(base64url_decode("") == "");
}

void refuses_what_is_not_the_one_right_text(void**) {
  const Bytes refused[] = {
      "A"sv,      // no byte has 6 bits
      "AAAAA"sv,  // and 4 bytes not 30
      "QQ=="sv,   // padding
      "QQ="sv,   "QUI="sv, "="sv,
      "QR"sv,   // bits left over: "A" is QQ
      "QUJ"sv,  // "AB" is QUI
      "+/8"sv,  // the other alphabet
      "QQ "sv,   " QQ"sv,  "Q\nQ"sv, "QQ\0"sv, "QQ\0Q"sv, "\xc3\xa9QQ"sv,
  };
  for (const Bytes text : refused) {
    if (base64url_decode(text)) {
      fail_msg("accepted: %.*s", int(text.size()), text.data());
    }
  }
}

}  // namespace

int main() {
  const CMUnitTest tests[] = {
      cmocka_unit_test(decodes_what_was_encoded),
      cmocka_unit_test(refuses_what_is_not_the_one_right_text),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
