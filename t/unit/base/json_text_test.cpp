#include "base/json_text.hpp"

#include <string>

#include "base/json.hpp"
#include "test.hpp"

namespace paperboy {
namespace {

using namespace std::string_literals;

void every_kind_of_value_is_json(void**) {
  for (const Bytes text : {"null",
                           "true",
                           "false",
                           "0",
                           "-0",
                           "12",
                           "-1.5",
                           "1e5",
                           "1E+5",
                           "2e-9",
                           "0.10",
                           "123456789012345678901234567890",
                           R"("")",
                           R"("a")",
                           R"("\"\\\/\b\f\n\r\t\u00e9\uD800")",
                           "[]",
                           "{}",
                           "[[],{}]",
                           R"({"a":1,"a":2})",
                           " [ 1 , 2 ] ",
                           "\t{ \"a\" : [ null ] }\r\n",
                           R"({"":{"":""}})",
                           R"(["]","{",",",":"])"}) {
    if (!is_json(text)) fail_msg("%.*s", int(text.size()), text.data());
  }
}

void what_breaks_the_grammar_is_not(void**) {
  for (const Bytes text : {"",
                           " ",
                           "nul",
                           "nulL",
                           "truee",
                           "+1",
                           "01",
                           "-",
                           ".5",
                           "1.",
                           "1e",
                           "1e+",
                           "0x1",
                           "NaN",
                           "Infinity",
                           "'a'",
                           "\"",
                           "\"a",
                           R"("\")",
                           R"("\x")",
                           R"("\u12")",
                           R"("\u12g4")",
                           "\"\n\"",
                           "\"\t\"",
                           "[",
                           "]",
                           "[1",
                           "[1,]",
                           "[,1]",
                           "[1 2]",
                           "[1]]",
                           "{",
                           "}",
                           "{]",
                           "[}",
                           "{1:2}",
                           R"({"a"})",
                           R"({"a":})",
                           R"({"a":1,})",
                           R"({"a":1 "b":2})",
                           R"({"a",1})",
                           R"({a:1})",
                           "1 2",
                           "[1],",
                           "{}{}",
                           "//",
                           "\xEF\xBB\xBF{}"}) {
    if (is_json(text)) fail_msg("%.*s", int(text.size()), text.data());
  }
  assert_false(is_json("1\0"s));
  assert_false(is_json("\"\0\""s));
}

/// No beginning of a value that needs its end is one.
void a_value_that_ends_early_is_not(void**) {
  const std::string text =
      R"({"a":[1,-2.5e+3,"\u00e9\n",{"b":null}],"c":true,"d":{}})";
  for (std::size_t n = 0; n < text.size(); ++n) {
    assert_false(is_json(text.substr(0, n)));
  }
  assert_true(is_json(text));
}

void nesting_has_a_limit(void**) {
  const auto nested = [](std::size_t depth) {
    return std::string(depth, '[') + std::string(depth, ']');
  };
  assert_true(is_json(nested(kJsonTextDepth)));
  assert_false(is_json(nested(kJsonTextDepth + 1)));
  constexpr std::size_t kMost = kJsonTextDepth + kJsonTextWrapping;
  assert_true(is_json(nested(kMost), kMost));
  assert_false(is_json(nested(kMost + 1), kMost));
  assert_false(is_json(nested(3), 2));
  assert_false(is_json(std::string(1U << 20, '[')));
  std::string objects;
  for (int i = 0; i < 600; ++i) objects += R"({"a":)";
  assert_false(is_json(objects));
}

void members_are_cut_as_they_stand(void**) {
  JsonMembers members(
      " { \"a\" : 1.0 ,\"b\\u0063\":\"x,}\\\"\", \"d\":[1, {\"e\":\"]\"}] ,"
      "\"f\":{ } ,\"g\":null}\n");
  const std::string expected[][2] = {{"a", "1.0"},
                                     {"b\\u0063", R"("x,}\"")"},
                                     {"d", R"([1, {"e":"]"}])"},
                                     {"f", "{ }"},
                                     {"g", "null"}};
  for (const auto& [name, value] : expected) {
    assert_true(members.next());
    assert_true(members.name() == name);
    assert_true(members.value() == value);
  }
  assert_false(members.next());
  assert_false(JsonMembers("{}").next());
}

void elements_are_cut_as_they_stand(void**) {
  std::string all;
  for (JsonElements e("[1.10, \"a,]\" ,[2,{\"b\":[]}],{} ]"); e.next();) {
    all.append(e.value()).append(";");
  }
  assert_string_equal(all.c_str(), R"(1.10;"a,]";[2,{"b":[]}];{};)");
  JsonElements none("[ ]");
  assert_false(none.next());
}

void texts_follow_one_another(void**) {
  JsonTexts texts("{\"a\":1}[2]\n 3 \n");
  std::string all;
  while (texts.next()) all.append(texts.value()).append(";");
  assert_true(texts.good());
  assert_string_equal(all.c_str(), R"({"a":1};[2];3;)");
  JsonTexts broken("{} {");
  assert_true(broken.next());
  assert_false(broken.next());
  assert_false(broken.good());
}

void strings_are_written_so_that_json_reads_them_back(void**) {
  std::string all;
  for (int c = 1; c < 128; ++c) all += static_cast<char>(c);
  all += "\u00e9\u20ac\U0001F600";
  std::string out;
  append_json_string(out, all);
  assert_true(is_json(out));
  assert_true(out.find('\n') == std::string::npos);
  const auto read = Json::parse(out);
  assert_true(read.ok());
  assert_true(read->as_string() == all);
  out.clear();
  append_json_string(out, "\0"s);
  assert_string_equal(out.c_str(), R"("\u0000")");
}

}  // namespace
}  // namespace paperboy

int main() {
  using namespace paperboy;
  const CMUnitTest tests[] = {
      cmocka_unit_test(every_kind_of_value_is_json),
      cmocka_unit_test(what_breaks_the_grammar_is_not),
      cmocka_unit_test(a_value_that_ends_early_is_not),
      cmocka_unit_test(nesting_has_a_limit),
      cmocka_unit_test(members_are_cut_as_they_stand),
      cmocka_unit_test(elements_are_cut_as_they_stand),
      cmocka_unit_test(texts_follow_one_another),
      cmocka_unit_test(strings_are_written_so_that_json_reads_them_back),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
