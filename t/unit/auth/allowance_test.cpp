// How much a token says that its bearer may have.
#include "auth/allowance.hpp"

#include <string>

#include "test.hpp"

namespace {

using namespace paperboy;
using namespace paperboy::auth;

std::optional<Allowance> read(Bytes text) {
  auto json = Json::parse(text);
  assert_true(json.ok());
  return read_allowance(*json);
}

void each_may_be_said(void**) {
  const auto all = read(
      R"({"connections":5,"subscriptions":1000000000,"messages":"100/m burst=20",
          "bytes":"64k/s burst=1m"})");
  assert_true(all.has_value());
  assert_int_equal(all->connections, 5);
  assert_int_equal(all->subscriptions, 1'000'000'000);
  assert_true(all->messages ==
              (Pace{.number = 100, .seconds = 60, .burst = 20}));
  assert_true(all->bytes ==
              (Pace{.number = 65'536, .seconds = 1, .burst = 1'048'576}));
  assert_false(all->empty());
}

void nothing_may_be_said(void**) {
  const auto none = read("{}");
  assert_true(none.has_value() && none->empty());
  assert_false(read(R"({"connections":1})")->empty());
}

void a_number_alone_is_of_a_second(void**) {
  const auto some = read(R"({"messages":10,"bytes":1024})");
  assert_true(some.has_value());
  assert_true(some->messages == (Pace{.number = 10}));
  assert_true(some->bytes == (Pace{.number = 1024}));
}

void another_form_is_none(void**) {
  for (const Bytes text :
       {"null", "[]", "5", "\"10/s\"", "true", R"({"connection":5})",
        R"({"Connections":5})", R"({"":1})", R"({"connections":5,"more":1})"}) {
    assert_false(read(text).has_value());
  }
  for (const Bytes value :
       {"0", "-1", "1.0", "1.5", "1e3", "\"5\"", "null", "[5]", "{}", "true",
        "1000000001", "9223372036854775807"}) {
    for (const Bytes name : {"connections", "subscriptions"}) {
      assert_false(
          read("{\"" + std::string(name) + "\":" + std::string(value) + "}")
              .has_value());
    }
  }
  for (const Bytes value :
       {"0", "-1", "1.5", "null", "[]", "{}", "\"\"", "\" \"", "\"10\"",
        "\"10/d\"", "\"0/s\"", "\"10/s \"", "\"10/s  burst=2\"",
        "\"10/s burst=0\"", "\"10/s burst=2 burst=3\"", "\"10/s burst\"",
        "\"burst=2\"", "\"10k/s\"", "1000000001"}) {
    assert_false(read("{\"messages\":" + std::string(value) + "}").has_value());
  }
  assert_false(read(R"({"bytes":"1x/s"})").has_value());
}

void of_two_the_lesser_of_each_holds(void**) {
  const Allowance a{.connections = 5,
                    .subscriptions = 0,
                    .messages = {.number = 10, .seconds = 1},
                    .bytes = {}};
  const Allowance b{.connections = 7,
                    .subscriptions = 3,
                    .messages = {.number = 100, .seconds = 60, .burst = 4},
                    .bytes = {.number = 1}};
  for (const Allowance& both : {stricter(a, b), stricter(b, a)}) {
    assert_int_equal(both.connections, 5);
    assert_int_equal(both.subscriptions, 3);
    assert_true(both.messages ==
                (Pace{.number = 100, .seconds = 60, .burst = 4}));
    assert_true(both.bytes == (Pace{.number = 1}));
  }
  assert_true(stricter(a, {}) == a);
  assert_true(stricter({}, a) == a);
  assert_true(stricter({}, {}).empty());
}

void the_slower_doesnt_bring_a_larger_burst(void**) {
  const Allowance slow{.messages = {.number = 1, .seconds = 1, .burst = 100},
                       .bytes = {}};
  const Allowance quick{.messages = {.number = 5, .seconds = 1}, .bytes = {}};
  assert_true(stricter(slow, quick).messages ==
              (Pace{.number = 1, .seconds = 1, .burst = 5}));
}

void the_largest_can_be_compared(void**) {
  const Allowance hour{.messages = {},
                       .bytes = {.number = Pace::kLargest, .seconds = 3600}};
  const Allowance second{.messages = {},
                         .bytes = {.number = Pace::kLargest, .seconds = 1}};
  assert_int_equal(stricter(hour, second).bytes.seconds, 3600);
  assert_int_equal(stricter(second, hour).bytes.seconds, 3600);
}

}  // namespace

int main() {
  const CMUnitTest tests[] = {
      cmocka_unit_test(each_may_be_said),
      cmocka_unit_test(nothing_may_be_said),
      cmocka_unit_test(a_number_alone_is_of_a_second),
      cmocka_unit_test(another_form_is_none),
      cmocka_unit_test(of_two_the_lesser_of_each_holds),
      cmocka_unit_test(the_slower_doesnt_bring_a_larger_burst),
      cmocka_unit_test(the_largest_can_be_compared),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
