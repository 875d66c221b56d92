#include "api/glob.hpp"

#include <string>

#include "test.hpp"

namespace paperboy::api {
namespace {

void a_pattern_without_stars_is_a_name(void**) {
  assert_true(matches("news", "news"));
  assert_false(matches("news", "new"));
  assert_false(matches("news", "newsx"));
  assert_true(matches("", ""));
  assert_false(matches("", "a"));
}

void a_star_is_any_characters(void**) {
  for (const Bytes text : {"", "a", "room:1", "*"}) {
    assert_true(matches("*", text));
    assert_true(matches("**", text));
  }
  assert_true(matches("room:*", "room:"));
  assert_true(matches("*:a*c", "x:y:abc:ac"));
  assert_false(matches("*:a*c", "x:abd"));
  assert_true(matches("a*b*c", "abbbcabc"));
  assert_false(matches("a*b*c", "abb"));
}

void a_question_mark_is_one_character(void**) {
  assert_true(matches("r?m", "ram"));
  assert_true(matches("r?m", "r\xE2\x82\xACm"));
  assert_false(matches("r?m", "rm"));
  assert_true(matches("*?", "\xE2\x82\xAC"));
  assert_false(matches("??", "\xE2\x82\xAC"));
}

void many_stars_take_no_exponential_time(void**) {
  const std::string text(500, 'a');
  std::string pattern;
  for (int i = 0; i < 200; ++i) pattern += "*a";
  assert_false(matches(pattern + "b", text));
}

void what_is_before_the_first_star_is_the_prefix(void**) {
  assert_true(literal_prefix("room:*") == "room:");
  assert_true(literal_prefix("a?*") == "a");
  assert_true(literal_prefix("name") == "name");
  assert_true(literal_prefix("*").empty());
}

}  // namespace
}  // namespace paperboy::api

int main() {
  using namespace paperboy::api;
  const CMUnitTest tests[] = {
      cmocka_unit_test(a_pattern_without_stars_is_a_name),
      cmocka_unit_test(a_star_is_any_characters),
      cmocka_unit_test(a_question_mark_is_one_character),
      cmocka_unit_test(many_stars_take_no_exponential_time),
      cmocka_unit_test(what_is_before_the_first_star_is_the_prefix),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
