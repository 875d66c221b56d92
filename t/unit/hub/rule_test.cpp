#include "hub/rule.hpp"

#include "test.hpp"

using paperboy::Bytes;
using paperboy::hub::Rule;
using paperboy::hub::RuleSet;

namespace {

/// A rule that can be told from others.
Rule rule(std::uint32_t count) {
  Rule made;
  made.keep.count = count;
  return made;
}

std::uint32_t found(const RuleSet& rules, Bytes name) {
  return rules.find(name).keep.count;
}

void without_rules_nothing_is_kept(void**) {
  const RuleSet rules;
  assert_int_equal(found(rules, "news"), 0);
  assert_false(rules.find("news").presence);
}

void the_most_specific_rule_holds(void**) {
  RuleSet rules;
  assert_true(rules.add("*", rule(1)));
  assert_true(rules.add("news*", rule(2)));
  assert_true(rules.add("news:de*", rule(3)));
  assert_true(rules.add("news:de:sport", rule(4)));
  assert_true(rules.add("news:fr*", rule(5)));
  assert_int_equal(found(rules, "weather"), 1);
  assert_int_equal(found(rules, "new"), 1);
  assert_int_equal(found(rules, "news"), 2);
  assert_int_equal(found(rules, "news:d"), 2);
  assert_int_equal(found(rules, "news:de"), 3);
  assert_int_equal(found(rules, "news:de:zoo"), 3);
  assert_int_equal(found(rules, "news:de:sport"), 4);
  assert_int_equal(found(rules, "news:de:sports"), 3);
  assert_int_equal(found(rules, "news:es"), 2);
  assert_int_equal(found(rules, "news:fr:x"), 5);
  assert_int_equal(found(rules, "news:zz"), 2);
  assert_int_equal(found(rules, ""), 1);
}

void a_longer_prefix_that_does_not_match_hides_no_shorter_one(void**) {
  RuleSet rules;
  assert_true(rules.add("a*", rule(1)));
  assert_true(rules.add("abc*", rule(2)));
  assert_true(rules.add("abd*", rule(3)));
  assert_true(rules.add("abdx*", rule(4)));
  assert_int_equal(found(rules, "abe"), 1);
  assert_int_equal(found(rules, "abdw"), 3);
  assert_int_equal(found(rules, "abz"), 1);
  assert_int_equal(found(rules, "b"), 0);
}

void a_pattern_has_one_rule(void**) {
  RuleSet rules;
  assert_true(rules.add("a", rule(1)));
  assert_true(rules.add("a*", rule(2)));
  assert_false(rules.add("a", rule(3)));
  assert_false(rules.add("a*", rule(3)));
  assert_false(rules.add("", rule(3)));
  assert_int_equal(found(rules, "a"), 1);
}

}  // namespace

int main() {
  const CMUnitTest tests[] = {
      cmocka_unit_test(without_rules_nothing_is_kept),
      cmocka_unit_test(the_most_specific_rule_holds),
      cmocka_unit_test(
          a_longer_prefix_that_does_not_match_hides_no_shorter_one),
      cmocka_unit_test(a_pattern_has_one_rule),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
