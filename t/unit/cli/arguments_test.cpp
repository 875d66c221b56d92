// Which command lines are understood, and what is said of the others.
#include "cli/arguments.hpp"

#include <array>
#include <string>

#include "test.hpp"

namespace paperboy::cli {
namespace {

constexpr std::array kKnown{Option{"one"},
                            Option{"many", Option::Takes::values},
                            Option{"flag", Option::Takes::nothing}};

Outcome<Arguments> parse(const std::vector<Bytes>& words,
                         std::size_t most = 2) {
  return Arguments::parse(words, kKnown, most);
}

void assert_refused(const std::vector<Bytes>& words, Bytes why) {
  const auto arguments = parse(words);
  assert_false(arguments.ok());
  assert_true(arguments.error().exit == Exit::usage);
  if (arguments.error().text.find(why) == std::string::npos) {
    fail_msg("%s", arguments.error().text.c_str());
  }
}

void options_and_words_may_be_mixed(void**) {
  const auto arguments = parse({"a", "--one", "1", "--flag", "-"});
  assert_true(arguments.ok());
  assert_true(arguments->value("one") == "1");
  assert_true(arguments->has("flag"));
  assert_false(arguments->has("many"));
  assert_int_equal(arguments->rest().size(), 2);
  assert_true(arguments->rest()[0] == "a" && arguments->rest()[1] == "-");
}

void values_may_follow_an_equals_sign(void**) {
  const auto arguments = parse({"--one=a=b", "--many=", "--many", "x"});
  assert_true(arguments.ok());
  assert_true(arguments->value("one") == "a=b");
  const auto many = arguments->values("many");
  assert_int_equal(many.size(), 2);
  assert_true(many[0].empty() && many[1] == "x");
}

void after_two_dashes_all_are_words(void**) {
  const auto arguments = parse({"--flag", "--", "--one", "-x"});
  assert_true(arguments.ok());
  assert_false(arguments->has("one"));
  assert_int_equal(arguments->rest().size(), 2);
}

void what_is_wrong_is_said(void**) {
  assert_refused({"--other"}, "--other: no such option");
  assert_refused({"-x"}, "two dashes");
  assert_refused({"--one"}, "--one: needs a value");
  assert_refused({"--one", "--flag"}, "--one: needs a value");
  assert_refused({"--one=1", "--one=2"}, "--one: given twice");
  assert_refused({"--flag=1"}, "--flag: takes no value");
  assert_refused({"a", "b", "c"}, "too many words");
}

void secrets_are_not_taken_and_not_repeated(void**) {
  assert_refused({"--token=s3cret"}, "--token-file FILE or --token-env NAME");
  assert_refused({"--key", "s3cret"}, "--key-file FILE or --key-env NAME");
  for (const auto& words :
       std::vector<std::vector<Bytes>>{{"--token=s3cret"},
                                       {"--other=s3cret"},
                                       {"--flag=s3cret"},
                                       {"-s3cret"},
                                       {"a", "b", "s3cret"}}) {
    const auto arguments = parse(words);
    assert_false(arguments.ok());
    assert_true(arguments.error().text.find("s3cret") == std::string::npos);
  }
}

}  // namespace
}  // namespace paperboy::cli

int main() {
  using namespace paperboy::cli;
  const CMUnitTest tests[] = {
      cmocka_unit_test(options_and_words_may_be_mixed),
      cmocka_unit_test(values_may_follow_an_equals_sign),
      cmocka_unit_test(after_two_dashes_all_are_words),
      cmocka_unit_test(what_is_wrong_is_said),
      cmocka_unit_test(secrets_are_not_taken_and_not_repeated),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
