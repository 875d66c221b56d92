#include "ws/grammar.hpp"

#include "test.hpp"  // last: a macro of its own is called fail

namespace paperboy::ws {
namespace {

// "name;parameter=value" of each, joined by commas: short to compare with.
std::string extensions_of(Bytes value) {
  std::vector<Extension> extensions;
  const bool good = parse_extensions(value, extensions);
  std::string text;
  for (const Extension& extension : extensions) {
    text.append(text.empty() ? "" : ",").append(extension.name);
    for (const Parameter& parameter : extension.parameters) {
      text.append(";").append(parameter.name);
      if (parameter.value) text.append("=").append(*parameter.value);
    }
  }
  return good ? text : text + "!";
}

void assert_text(const std::string& actual, const char* expected) {
  assert_string_equal(actual.c_str(), expected);
}

void tokens_are_of_the_characters_of_rfc_9110(void**) {
  assert_true(is_token("abcXYZ019!#$%&'*+-.^_`|~"));
  assert_false(is_token(""));
  for (const char c : Bytes("()<>@,;:\\\"/[]?={} \t\x7f\x80\xff")) {
    assert_false(is_token({&c, 1}));
  }
  assert_false(is_token({"\0", 1}));
}

void case_is_ignored_in_ascii_only(void**) {
  assert_true(equal_ignoring_case("WebSocket", "wEBsOCKET"));
  assert_false(equal_ignoring_case("websocket", "websocke"));
  assert_false(equal_ignoring_case("[", "{"));
  assert_false(equal_ignoring_case("\xC4", "\xE4"));
}

void members_of_a_list_come_trimmed(void**) {
  Bytes list = " a ,\tb,,c";
  assert_true(next_member(list) == "a");
  assert_true(next_member(list) == "b");
  assert_true(next_member(list).empty());
  assert_true(next_member(list) == "c");
  assert_true(list.empty());
}

void trimming_takes_spaces_and_tabs_only(void**) {
  assert_true(trim(" \t a b\t ") == "a b");
  assert_true(trim(" \t").empty());
  assert_true(trim("\r\na") == "\r\na");
}

void extensions_are_read_with_their_parameters(void**) {
  assert_text(extensions_of("a"), "a");
  assert_text(extensions_of("a; b; c=1, d;e=f"), "a;b;c=1,d;e=f");
  assert_text(extensions_of(" a ;b = 1 ,\tc "), "a;b=1,c");
}

void quoted_values_are_unescaped(void**) {
  assert_text(extensions_of("a; b=\"10\""), "a;b=10");
  assert_text(extensions_of("a; b=\"1\\0\", c"), "a;b=10,c");
}

void empty_members_are_ignored(void**) {
  assert_text(extensions_of(""), "");
  assert_text(extensions_of(" , a,, b ,"), "a,b");
}

void what_breaks_the_grammar_is_told(void**) {
  assert_text(extensions_of("a;"), "!");
  assert_text(extensions_of("a, b;"), "a!");
  assert_text(extensions_of(";a"), "!");
  assert_text(extensions_of("a b"), "!");
  assert_text(extensions_of("a; b="), "!");
  assert_text(extensions_of("a; b=\"\""), "!");
  assert_text(extensions_of("a; b=\"1 0\""), "!");
  assert_text(extensions_of("a; b=\"10"), "!");
  assert_text(extensions_of("a; b=\"10\\"), "!");
  assert_text(extensions_of("a; b=\"10\"x"), "!");
  assert_text(extensions_of("a; =b"), "!");
  assert_text(extensions_of("a=b"), "!");
  assert_text(extensions_of("a/b"), "!");
}

}  // namespace
}  // namespace paperboy::ws

int main() {
  using namespace paperboy::ws;
  const CMUnitTest tests[] = {
      cmocka_unit_test(tokens_are_of_the_characters_of_rfc_9110),
      cmocka_unit_test(case_is_ignored_in_ascii_only),
      cmocka_unit_test(members_of_a_list_come_trimmed),
      cmocka_unit_test(trimming_takes_spaces_and_tabs_only),
      cmocka_unit_test(extensions_are_read_with_their_parameters),
      cmocka_unit_test(quoted_values_are_unescaped),
      cmocka_unit_test(empty_members_are_ignored),
      cmocka_unit_test(what_breaks_the_grammar_is_told),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
