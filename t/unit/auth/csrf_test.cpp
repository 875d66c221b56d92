// Tokens against forged requests: whose they are, and until when.
#include "auth/csrf.hpp"

#include <string>

#include "test.hpp"

namespace {

using paperboy::Bytes;
using namespace paperboy::auth;

constexpr std::int64_t kNow = 1'700'000'000;
const CsrfSecret secret("a secret of thirty-two bytes, ok");

// Made by openssl dgst -sha256 -hmac.
constexpr Bytes kAnn =
    "6be49442afa100a866d6d94c077725ee48d86bf061ff301afb9eee4f21141f10"
    ".1700000060";

void a_token_is_what_the_document_says(void**) {
  assert_string_equal(secret.token("ann", kNow + 60).c_str(),
                      std::string(kAnn).c_str());
  assert_true(secret.check("ann", kAnn, kNow) == CsrfCheck::good);
}

void it_ends(void**) {
  assert_true(secret.check("ann", kAnn, kNow + 59) == CsrfCheck::good);
  assert_true(secret.check("ann", kAnn, kNow + 60) == CsrfCheck::expired);
}

void it_is_its_users(void**) {
  for (const Bytes user : {"bob", "an", "annn", "", "ann;1700000060"}) {
    assert_true(secret.check(user, kAnn, kNow) == CsrfCheck::wrong);
  }
  assert_true(CsrfSecret("another").check("ann", kAnn, kNow) ==
              CsrfCheck::wrong);
}

void nobody_has_none(void**) {
  assert_true(secret.check("", secret.token("", kNow + 60), kNow) ==
              CsrfCheck::wrong);
}

void every_byte_of_it_counts(void**) {
  assert_true(secret.check("ann", {}, kNow) == CsrfCheck::missing);
  for (std::size_t i = 0; i < kAnn.size(); ++i) {
    std::string other(kAnn);
    other[i] = other[i] == '0' ? '1' : '0';
    assert_true(secret.check("ann", other, kNow) == CsrfCheck::wrong);
    assert_true(secret.check("ann", kAnn.substr(0, i), kNow) !=
                CsrfCheck::good);
  }
  assert_true(secret.check("ann", std::string(kAnn) + "0", kNow) ==
              CsrfCheck::wrong);
}

/// A longer life is another token.
void its_end_is_not_the_clients_to_say(void**) {
  std::string later(kAnn);
  later.replace(later.size() - 10, 10, "1800000060");
  assert_true(secret.check("ann", later, kNow) == CsrfCheck::wrong);
  later.replace(later.size() - 10, 10, "-700000060");
  assert_true(secret.check("ann", later, kNow) == CsrfCheck::wrong);
}

}  // namespace

int main() {
  const CMUnitTest tests[] = {
      cmocka_unit_test(a_token_is_what_the_document_says),
      cmocka_unit_test(it_ends),
      cmocka_unit_test(it_is_its_users),
      cmocka_unit_test(nobody_has_none),
      cmocka_unit_test(every_byte_of_it_counts),
      cmocka_unit_test(its_end_is_not_the_clients_to_say),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
