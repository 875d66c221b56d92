#include "base/json_parameters.hpp"

#include <array>
#include <string>

#include "test.hpp"

namespace paperboy {
namespace {

void members_are_read_by_their_names(void**) {
  JsonParameters all(
      R"({"t":"a\"b","u":"plain","n":18446744073709551615,"i":-5,"f":true,)"
      R"("o":{"x":1},"d":[1.10, 2],"null":null,"\u0065":"escaped"})");
  assert_string_equal(all.text("t").c_str(), "a\"b");
  assert_string_equal(all.text("u").c_str(), "plain");
  assert_true(all.number("n") == UINT64_MAX);
  assert_true(all.integer("i") == -5);
  assert_true(all.flag("f"));
  assert_true(all.object("o")->number("x") == 1);
  assert_true(all.raw("d") == "[1.10, 2]");
  assert_true(all.any("null") == "null");
  assert_true(all.raw("null").empty());
  assert_string_equal(all.text("e").c_str(), "escaped");
  assert_true(all.good());
}

void what_is_missing_is_its_default(void**) {
  JsonParameters none("{}");
  assert_true(none.text("a").empty());
  assert_true(none.number("a") == 0);
  assert_true(none.integer("a") == 0);
  assert_false(none.flag("a"));
  assert_false(none.object("a").has_value());
  assert_true(none.raw("a").empty());
  assert_true(none.good());
}

void what_is_of_another_type_is_wrong(void**) {
  constexpr Bytes kText =
      R"({"s":"a","n":1,"f":1.5,"b":true,"z":"\u0000","m":-1,"a":[]})";
  const auto wrong = [&](auto read, Bytes name) {
    JsonParameters one(kText);
    read(one);
    assert_false(one.good());
    assert_true(one.wrong() == name);
  };
  wrong([](auto& p) { (void)p.text("n"); }, "n");
  wrong([](auto& p) { (void)p.text("z"); }, "z");
  wrong([](auto& p) { (void)p.number("s"); }, "s");
  wrong([](auto& p) { (void)p.number("f"); }, "f");
  wrong([](auto& p) { (void)p.number("m"); }, "m");
  wrong([](auto& p) { (void)p.integer("b"); }, "b");
  wrong([](auto& p) { (void)p.flag("n"); }, "n");
  wrong([](auto& p) { (void)p.object("a"); }, "a");
}

void a_name_that_stands_twice_is_wrong(void**) {
  JsonParameters twice(R"({"a":1,"b":2,"\u0061":3})");
  assert_true(twice.number("b") == 2);
  assert_true(twice.good());
  (void)twice.number("a");
  assert_false(twice.good());
  (void)twice.text("b");
  assert_true(twice.wrong() == "a");
}

void others_than_those_named_are_seen(void**) {
  constexpr std::array<Bytes, 2> kNames{"a", "b"};
  for (const Bytes good :
       {"{}", R"({"a":1})", R"({"b":null,"a":{"c":1}})", R"({"\u0061":1})"}) {
    assert_true(JsonParameters(good).has_only(kNames));
  }
  for (const Bytes bad : {R"({"c":1})", R"({"a":1,"c":null})", R"({"A":1})",
                          R"({"":1})", R"({"ab":1})", R"({"a\u0000":1})"}) {
    assert_false(JsonParameters(bad).has_only(kNames));
  }
}

void a_default_that_stands_there_asks_for_nothing(void**) {
  JsonParameters all(R"({"a":0,"b":"","c":false,"d":null,"e":1})");
  for (const Bytes name : {"a", "b", "c", "d", "none"}) {
    assert_false(all.asks(name));
  }
  assert_true(all.asks("e"));
}

}  // namespace
}  // namespace paperboy

int main() {
  using namespace paperboy;
  const CMUnitTest tests[] = {
      cmocka_unit_test(members_are_read_by_their_names),
      cmocka_unit_test(what_is_missing_is_its_default),
      cmocka_unit_test(what_is_of_another_type_is_wrong),
      cmocka_unit_test(a_name_that_stands_twice_is_wrong),
      cmocka_unit_test(others_than_those_named_are_seen),
      cmocka_unit_test(a_default_that_stands_there_asks_for_nothing),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
