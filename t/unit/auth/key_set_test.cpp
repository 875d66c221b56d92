// Which keys are chosen for a token, those of sources among them.
#include "auth/key_set.hpp"

#include <string>

#include "auth/tokens.hpp"
#include "test.hpp"

namespace {

using paperboy::Bytes;
using namespace paperboy::auth;
using namespace paperboy::auth::test;

void a_kid_stands_once_in_a_set(void**) {
  KeySet keys = one_key(Algorithm::hs256, "a", "k1");
  auto again = keys.add(Key::load(Algorithm::hs512, "b", "k1").value());
  assert_false(again.ok());
  assert_non_null(strstr(again.error().c_str(), "k1"));
  add_key(keys, Algorithm::hs256, "a", "k2");
  assert_int_equal(keys.size(), 2);
}

void eight_keys_may_have_no_kid(void**) {
  KeySet keys;
  assert_true(keys.empty());
  for (std::size_t i = 0; i < KeySet::kMaxUnnamed; ++i) {
    add_key(keys, Algorithm::hs256, "x");
  }
  assert_false(keys.add(Key::load(Algorithm::hs256, "x").value()).ok());
  add_key(keys, Algorithm::hs256, "x", "named");
  assert_false(keys.empty());
}

void a_kid_chooses_its_key_and_no_other(void**) {
  KeySet keys = one_key(Algorithm::hs256, "first");
  add_key(keys, Algorithm::hs256, "named", "k1");
  add_key(keys, Algorithm::hs256, "second");
  const auto named = keys.find("k1");
  assert_int_equal(named.size(), 1);
  assert_true(named[0]->secret() == "named");
  const auto unnamed = keys.find(std::nullopt);
  assert_int_equal(unnamed.size(), 2);
  assert_true(unnamed[0]->secret() == "first");
  assert_true(unnamed[1]->secret() == "second");
  assert_true(keys.find("k2").empty());
  assert_true(keys.find("").empty());
}

std::shared_ptr<KeySource> source_of(Bytes secret, Bytes kid) {
  auto source = std::make_shared<KeySource>();
  std::vector<Key> keys;
  keys.push_back(Key::load(Algorithm::hs256, secret, kid).value());
  source->replace(std::move(keys));
  return source;
}

void a_source_has_keys_beside_the_others(void**) {
  KeySet keys = one_key(Algorithm::hs256, "own", "k1");
  keys.add(source_of("theirs", "k2"));
  keys.add(source_of("nameless", ""));
  assert_false(keys.empty());
  assert_true(keys.find("k1").front()->secret() == "own");
  assert_true(keys.find("k2").front()->secret() == "theirs");
  assert_true(keys.find(std::nullopt).front()->secret() == "nameless");
}

void a_source_replaces_all_its_keys(void**) {
  KeySet keys;
  const auto source = source_of("old", "k1");
  keys.add(source);
  std::vector<Key> next;
  next.push_back(Key::load(Algorithm::hs256, "new", "k2").value());
  source->replace(std::move(next));
  assert_true(keys.find("k1").empty());
  assert_true(keys.find("k2").front()->secret() == "new");
}

void a_source_that_was_never_filled_is_waited_for(void**) {
  KeySet keys;
  assert_true(keys.empty());
  const auto source = std::make_shared<KeySource>();
  keys.add(source);
  assert_false(keys.empty());
  assert_true(keys.waits_for(Algorithm::hs256));
  assert_error(TokenError::no_keys, hs256_token("{}"), keys);
  source->replace({});
  assert_false(keys.waits_for(Algorithm::hs256));
  assert_error(TokenError::unknown_key, hs256_token("{}"), keys);
}

// Of which no key that is to come could make it good.
void what_cannot_be_a_token_waits_for_no_key(void**) {
  constexpr Bytes kHeader = R"({"alg":"HS256","kid":"k2"})";
  TokenRules rules;
  rules.issuer = "us";
  rules.expiry_required = true;
  KeySet keys = one_key(Algorithm::es256, p256().public_pem, "k1");
  keys.add(std::make_shared<KeySource>());
  const std::string claims = R"({"iss":"us","exp":1700000060})";
  const std::string token = hs256_token(kHeader, claims);
  const auto is = [&](TokenError error, Bytes shown) {
    assert_error(error, shown, keys, rules);
  };
  is(TokenError::no_keys, token);
  is(TokenError::no_keys, hs256_token(claims));
  is(TokenError::no_keys, made(Algorithm::rs256, claims, "k2"));
  const std::string unsigned_part = token.substr(0, token.rfind('.') + 1);
  is(TokenError::signature, unsigned_part);
  is(TokenError::signature, unsigned_part + base64url(std::string(31, 'x')));
  is(TokenError::issuer,
     hs256_token(kHeader, R"({"iss":"them","exp":1700000060})"));
  is(TokenError::claims, hs256_token(kHeader, R"({"iss":"us"})"));
  is(TokenError::expired, hs256_token(kHeader, R"({"iss":"us","exp":17})"));
  is(TokenError::algorithm, hs256_token(R"({"alg":"none"})", claims));
  is(TokenError::algorithm,
     hs256_token(R"({"alg":"HS256","kid":"k1"})", claims));
  is(TokenError::unknown_key,
     hs256_token(R"({"alg":"HS256","kid":""})", claims));
  is(TokenError::signature, hs256_token(R"({"alg":"RS256"})", claims));
}

// Where those of a location are public by their nature.
void a_secret_is_waited_for_where_one_may_come(void**) {
  KeySet keys;
  keys.add(std::make_shared<KeySource>(/*secrets=*/false));
  assert_error(TokenError::unknown_key, hs256_token("{}"), keys);
  assert_error(TokenError::no_keys, made(Algorithm::es256, "{}", "k1"), keys);
  keys.add(std::make_shared<KeySource>(/*secrets=*/true));
  assert_error(TokenError::no_keys, hs256_token("{}"), keys);
}

// A part that isn't there may have one without a name, too.
void an_unnamed_key_of_another_algorithm_is_not_all(void**) {
  KeySet keys = one_key(Algorithm::es256, p256().public_pem);
  assert_error(TokenError::algorithm, made(Algorithm::rs256, "{}"), keys);
  const auto source = std::make_shared<KeySource>();
  keys.add(source);
  assert_error(TokenError::no_keys, made(Algorithm::rs256, "{}"), keys);
  source->replace({});
  assert_error(TokenError::algorithm, made(Algorithm::rs256, "{}"), keys);
}

void an_unknown_kid_is_asked_for_once(void**) {
  KeySet keys;
  const auto source = source_of("theirs", "k1");
  keys.add(source);
  (void)keys.find("k1");
  (void)keys.find(std::nullopt);
  (void)keys.find("");
  assert_false(source->take_wanted());
  (void)keys.find("k2");
  assert_true(source->take_wanted());
  assert_false(source->take_wanted());
}

void a_source_that_is_dropped_is_waited_for_again(void**) {
  KeySet keys;
  const auto source = source_of("theirs", "k1");
  keys.add(source);
  source->drop();
  assert_true(keys.waits_for(Algorithm::hs256));
  assert_true(keys.find("k1").empty());
  assert_true(source->take_wanted());
  source->replace({});
  assert_false(keys.waits_for(Algorithm::hs256));
}

}  // namespace

int main() {
  const CMUnitTest tests[] = {
      cmocka_unit_test(a_kid_stands_once_in_a_set),
      cmocka_unit_test(eight_keys_may_have_no_kid),
      cmocka_unit_test(a_kid_chooses_its_key_and_no_other),
      cmocka_unit_test(a_source_has_keys_beside_the_others),
      cmocka_unit_test(a_source_replaces_all_its_keys),
      cmocka_unit_test(a_source_that_was_never_filled_is_waited_for),
      cmocka_unit_test(a_source_that_is_dropped_is_waited_for_again),
      cmocka_unit_test(what_cannot_be_a_token_waits_for_no_key),
      cmocka_unit_test(a_secret_is_waited_for_where_one_may_come),
      cmocka_unit_test(an_unnamed_key_of_another_algorithm_is_not_all),
      cmocka_unit_test(an_unknown_kid_is_asked_for_once),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
