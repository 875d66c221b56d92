// A set of keys: as a whole, and its limits.
#include "auth/jwks.hpp"

#include <cstring>
#include <string>

#include "auth/jwks_texts.hpp"
#include "auth/key_set.hpp"
#include "test.hpp"

namespace {

using paperboy::Bytes;
using namespace paperboy::auth;
using namespace paperboy::auth::test;

std::string set_of(const std::string& keys) {
  return "{\"keys\":[" + keys + "]}";
}

std::string named(Algorithm algorithm, const std::string& kid) {
  return jwk_of(algorithm, "\"kid\":\"" + kid + '"');
}

void assert_refused(Bytes text, Bytes why, const JwksLimits& limits = {}) {
  const auto set = read_jwks(text, limits);
  if (set.ok()) fail_msg("taken: %s", text.data());
  if (set.error().find(why) == std::string::npos) {
    fail_msg("%s: %s", why.data(), set.error().c_str());
  }
}

void reads_all_keys_in_their_order(void**) {
  const auto set = read_jwks(
      set_of(named(Algorithm::rs256, "a") + "," + named(Algorithm::es256, "b") +
             "," + jwk_of(Algorithm::eddsa)),
      {});
  assert_true(set.ok());
  assert_int_equal(set->keys.size(), 3);
  assert_int_equal(set->skipped.size(), 0);
  assert_string_equal(set->keys[1].kid().c_str(), "b");
  assert_true(set->keys[2].algorithm() == Algorithm::eddsa);
}

void text_that_is_no_set_is_refused(void**) {
  for (const Bytes text :
       {"", "null", "[]", "{}", "{\"keys\":{}}", "{\"keys\":[}", "<html>",
        "{\"keys\":[],\"keys\":[]}", "{\"keys\":[]} x",
        "{\"keys\":[\"\xff\"]}"}) {
    assert_refused(text, "no JSON object with an array");
  }
  const std::string deep = std::string(20, '[') + std::string(20, ']');
  assert_refused("{\"keys\":" + deep + "}", "no JSON object");
}

/// Its issuer has withdrawn all.
void a_set_without_keys_is_one(void**) {
  const auto empty = read_jwks("{\"keys\":[]}", {});
  assert_true(empty.ok() && empty->keys.empty() && empty->skipped.empty());
  assert_string_equal(why_no_key(*empty).c_str(), "it has no keys");
  const auto useless = read_jwks("{\"keys\":[1]}", {});
  assert_true(useless.ok() && useless->keys.empty());
  assert_string_equal(why_no_key(*useless).c_str(),
                      "it has no key that can be used; key 1: it is no object");
  const auto good = read_jwks(set_of(named(Algorithm::es256, "a")), {});
  assert_string_equal(why_no_key(*good).c_str(), "");
}

void what_can_not_be_used_is_passed_over(void**) {
  const auto set = read_jwks(
      set_of("7," + jwk_of(Algorithm::rs256, R"("use":"enc","kid":"e\"")") +
             "," + named(Algorithm::es256, "good")),
      {});
  assert_true(set.ok());
  assert_int_equal(set->keys.size(), 1);
  assert_int_equal(set->skipped.size(), 2);
  assert_string_equal(set->skipped[0].c_str(), "key 1: it is no object");
  assert_string_equal(set->skipped[1].c_str(),
                      "key 2 (kid \"e?\"): its use is \"enc\", not sig");
}

void a_kid_stands_once_for_an_algorithm(void**) {
  const auto set = read_jwks(
      set_of(named(Algorithm::rs256, "a") + "," + named(Algorithm::es256, "a") +
             "," + named(Algorithm::rs256, "a")),
      {});
  assert_int_equal(set->keys.size(), 2);
  assert_int_equal(set->skipped.size(), 1);
}

void eight_have_no_kid(void**) {
  std::string keys = jwk_of(Algorithm::es256);
  for (std::size_t i = 0; i < KeySet::kMaxUnnamed; ++i) {
    keys += "," + jwk_of(Algorithm::es256);
  }
  const auto set = read_jwks(set_of(keys), {});
  assert_int_equal(set->keys.size(), KeySet::kMaxUnnamed);
  assert_int_equal(set->skipped.size(), 1);
}

void size_and_number_are_limited(void**) {
  const std::string one = set_of(named(Algorithm::es256, "a"));
  assert_true(read_jwks(one, {.size = one.size(), .keys = 1}).ok());
  assert_refused(one, "larger than", {.size = one.size() - 1});
  assert_refused(one, "more than 0 keys", {.keys = 0});
  assert_refused(std::string(10'000'000, ' '), "larger than 65536 bytes");
}

void secrets_are_asked_for(void**) {
  const std::string text = set_of(named(Algorithm::hs256, "s"));
  const auto none = read_jwks(text, {});
  assert_true(none.ok() && none->keys.empty());
  assert_non_null(std::strstr(why_no_key(*none).c_str(), "it is a secret"));
  const auto set = read_jwks(text, {.secrets = true});
  assert_true(set->keys[0].secret() == kSecret);
}

}  // namespace

int main() {
  const CMUnitTest tests[] = {
      cmocka_unit_test(reads_all_keys_in_their_order),
      cmocka_unit_test(text_that_is_no_set_is_refused),
      cmocka_unit_test(a_set_without_keys_is_one),
      cmocka_unit_test(what_can_not_be_used_is_passed_over),
      cmocka_unit_test(a_kid_stands_once_for_an_algorithm),
      cmocka_unit_test(eight_have_no_kid),
      cmocka_unit_test(size_and_number_are_limited),
      cmocka_unit_test(secrets_are_asked_for),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
