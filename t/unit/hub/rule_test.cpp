#include "hub/rule.hpp"

#include "test.hpp"

using paperboy::Bytes;
using paperboy::hub::Access;
using paperboy::hub::opens;
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

bool owns(Bytes user, Bytes name) {
  RuleSet rules;
  Rule mine;
  mine.subscribe = Access::own;
  assert_true(rules.add("to:*", mine));
  const Rule& found = rules.find(name);
  return opens(found, found.subscribe, name, user);
}

void who_owns_a_channel_has_its_name_behind_the_prefix(void**) {
  assert_true(owns("ann", "to:ann"));
  assert_true(owns("ann", "to:ann:mail"));
  assert_true(owns("ann", "to:ann/mail"));
  assert_false(owns("ann", "to:annabel"));
  assert_false(owns("ann", "to:an"));
  assert_false(owns("ann", "to:ANN"));
  assert_false(owns("ann", "to:x:ann"));
  assert_false(owns("ann", "ann"));
  assert_false(owns("", "to:"));
  assert_false(owns("", "to::x"));
}

/// "to:a:b" would be that of "a" and that of "a:b".
void whose_name_could_be_anothers_owns_nothing(void**) {
  assert_true(owns("a", "to:a:b"));
  assert_false(owns("a:b", "to:a:b"));
  assert_false(owns("a/b", "to:a/b"));
}

void others_are_let_in_by_what_they_are(void**) {
  const Rule rule;
  assert_true(opens(rule, Access::any, "x", ""));
  assert_true(opens(rule, Access::user, "x", "ann"));
  assert_false(opens(rule, Access::user, "x", ""));
  for (const Access who : {Access::location, Access::token, Access::nobody}) {
    assert_false(opens(rule, who, "x", "ann"));
  }
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
      cmocka_unit_test(who_owns_a_channel_has_its_name_behind_the_prefix),
      cmocka_unit_test(whose_name_could_be_anothers_owns_nothing),
      cmocka_unit_test(others_are_let_in_by_what_they_are),
      cmocka_unit_test(
          a_longer_prefix_that_does_not_match_hides_no_shorter_one),
      cmocka_unit_test(a_pattern_has_one_rule),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
