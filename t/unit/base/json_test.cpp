// JSON as strangers send it, and as our answers are written.
#include "base/json.hpp"

#include <limits>
#include <string>

#include "test.hpp"

namespace {

using paperboy::Bytes;
using paperboy::ErrorCode;
using paperboy::Json;
using paperboy::JsonLimits;

using namespace std::string_view_literals;

void reads_every_kind_of_value(void**) {
  auto json = Json::parse(
      R"({"s":"a\u00e9","i":-7,"f":1.5,"t":true,"n":null,"a":[1,"x"]})");
  assert_true(json.ok());
  assert_true(json->is_object());
  assert_true(json->get("s").as_string() == "a\u00e9");
  assert_int_equal(json->get("i").as_integer().value(), -7);
  assert_true(json->get("f").is_number() && !json->get("f").is_integer());
  assert_true(json->get("f").as_number() == 1.5);
  assert_true(json->get("t").as_boolean() == true);
  assert_true(json->get("n") && json->get("n").is_null());
  assert_int_equal(json->get("a").size(), 2);
  assert_true(json->get("a").at(1).as_string() == "x");
}

void what_is_not_there_is_no_value(void**) {
  auto json = Json::parse(R"({"a":[1]})");
  assert_false(bool(json->get("b")));
  assert_false(bool(json->get("a").at(1)));
  assert_false(bool(json->get("a").get("x")));
  assert_false(bool(json->at(0)));
  assert_int_equal(Json().size(), 0);
  assert_true(Json().members().empty());
  assert_false(Json().as_number().has_value());
  assert_true(json->get("a").as_string().empty());
  assert_false(json->get("a").as_integer().has_value());
  assert_false(json->get("a").as_boolean().has_value());
  assert_string_equal(Json().dump().c_str(), "null");
}

void a_member_outlives_its_parent(void**) {
  Json member;
  {
    auto json = Json::parse(R"({"a":{"b":"still here"}})");
    member = json->get("a").get("b");
  }
  assert_true(member.as_string() == "still here");
}

void members_come_in_the_order_of_the_text(void**) {
  auto json = Json::parse(R"({"z":1,"a":2,"m":3})");
  const auto members = json->members();
  assert_int_equal(members.size(), 3);
  assert_string_equal(members[0].first.c_str(), "z");
  assert_string_equal(members[1].first.c_str(), "a");
  assert_int_equal(members[2].second.as_integer().value(), 3);
}

void refuses_what_is_not_exactly_one_value(void**) {
  const Bytes refused[] = {
      ""sv,
      " "sv,
      "{"sv,
      "{}{}"sv,
      "{} x"sv,
      "{}\0"sv,
      "1\0"sv,
      "true\0 \n"sv,
      "{}\0{\"a\":1}"sv,
      "\0{}"sv,
      "{\"a\":\"b\0c\"}"sv,
      R"({"a":"\u0000"})"sv,
      R"({"\u0000":1})"sv,
      R"({"a":1,"a":1})"sv,
      R"({"a":1,"\u0061":2})"sv,
      R"({"b":{"a":1,"a":2}})"sv,
      R"({"a":"\ud800"})"sv,
      "{\"a\":\"\xff\"}"sv,
      "{\"a\":\"\xc0\x80\"}"sv,
      "{\"a\":\"\xed\xa0\x80\"}"sv,
      "\xEF\xBB\xBF{}"sv,
      "{\"a\":01}"sv,
      "{\"a\":+1}"sv,
      "{\"a\":.5}"sv,
      "{\"a\":NaN}"sv,
      "{\"a\":Infinity}"sv,
      "{\"a\":1e999}"sv,
      "{\"a\":9223372036854775808}"sv,
      "{'a':1}"sv,
      "{\"a\":1,}"sv,
      "[1 2]"sv,
      "\"a\nb\""sv,
  };
  for (const Bytes text : refused) {
    auto json = Json::parse(text);
    if (json.ok()) {
      fail_msg("accepted: %.*s", int(text.size()), text.data());
    }
    assert_true(json.error().code == ErrorCode::bad_request);
    assert_false(json.error().message.empty());
  }
  assert_false(Json::parse(Bytes()).ok());
}

void says_what_is_wrong(void**) {
  assert_true(Json::parse(R"({"a":1,"a":1})").error().message ==
              "JSON: a name stands twice in an object");
  assert_true(Json::parse("{}\0"sv).error().message ==
              "JSON: something follows the value");
}

void depth_is_limited_before_anything_is_built(void**) {
  const JsonLimits limits{.depth = 2, .size = 1000};
  assert_true(Json::parse("[[1]]", limits).ok());
  assert_true(Json::parse(R"([["[[[[", "\"[[["]])", limits).ok());
  assert_true(Json::parse("[[],[],[]]", limits).ok());
  assert_false(Json::parse("[[[]]]", limits).ok());
  assert_false(Json::parse(R"({"a":{"b":{}}})", limits).ok());
  assert_false(Json::parse("]]]]", limits).ok());
  assert_false(Json::parse(std::string(100000, '[')).ok());
}

void size_is_limited(void**) {
  auto json = Json::parse("[1,2,3]", {.depth = 4, .size = 6});
  assert_false(json.ok());
  assert_true(json.error().code == ErrorCode::too_large);
  assert_true(Json::parse("[1,2,3]", {.depth = 4, .size = 7}).ok());
}

void reads_numbers_as_they_are(void**) {
  assert_true(Json::parse("1700000000.25")->as_number() == 1700000000.25);
  assert_true(Json::parse("1e300")->as_number() == 1e300);
  assert_true(Json::parse("-0.5")->as_number() == -0.5);
  assert_false(Json::parse("1.0")->as_integer().has_value());
  assert_true(Json::parse("9223372036854775807")->as_integer() ==
              std::numeric_limits<std::int64_t>::max());
}

void writes_compactly_and_in_order(void**) {
  Json channels = Json::array();
  channels.append(Json::string("news")).append(Json::string(""));
  Json json = Json::object();
  json.set("z", Json::integer(1))
      .set("a", std::move(channels))
      .set("n", Json::null())
      .set("b", Json::boolean(false))
      .set("o", Json::object())
      .set("q", Json::string("\"\\/\n\x01"))
      .set("z", Json::integer(-2));
  assert_string_equal(json.dump().c_str(),
                      R"({"z":-2,"a":["news",""],"n":null,"b":false,"o":{},)"
                      R"("q":"\"\\/\n\u0001"})");
}

void integers_beyond_63_bits_become_strings(void**) {
  assert_string_equal(Json::integer(std::uint64_t{1} << 63).dump().c_str(),
                      "\"9223372036854775808\"");
  assert_string_equal(
      Json::integer((std::uint64_t{1} << 63) - 1).dump().c_str(),
      "9223372036854775807");
  assert_string_equal(
      Json::integer(std::numeric_limits<std::int64_t>::min()).dump().c_str(),
      "-9223372036854775808");
}

void strings_take_any_bytes(void**) {
  const auto text = [](Bytes bytes) { return Json::string(bytes).dump(); };
  assert_string_equal(text("a\xff\u00e9").c_str(), "\"a\uFFFD\u00e9\"");
  assert_string_equal(text("\xed\xa0\x80").c_str(), "\"\uFFFD\uFFFD\uFFFD\"");
  assert_string_equal(text("x\xf0\x9f").c_str(), "\"x\uFFFD\uFFFD\"");
  assert_string_equal(text("a\0b"sv).c_str(), "\"a\\u0000b\"");
  assert_string_equal(text(Bytes()).c_str(), "\"\"");
  Json json = Json::object();
  json.set("k\xff", Json::string("v"));
  assert_string_equal(json.dump().c_str(), "{\"k\uFFFD\":\"v\"}");
}

void what_is_written_is_read_back(void**) {
  Json json = Json::object();
  json.set("text", Json::string("\U0001F4F0 \u2028 \x7f"));
  auto again = Json::parse(json.dump());
  assert_true(again->get("text").as_string() == "\U0001F4F0 \u2028 \x7f");
}

}  // namespace

int main() {
  const CMUnitTest tests[] = {
      cmocka_unit_test(reads_every_kind_of_value),
      cmocka_unit_test(what_is_not_there_is_no_value),
      cmocka_unit_test(a_member_outlives_its_parent),
      cmocka_unit_test(members_come_in_the_order_of_the_text),
      cmocka_unit_test(refuses_what_is_not_exactly_one_value),
      cmocka_unit_test(says_what_is_wrong),
      cmocka_unit_test(depth_is_limited_before_anything_is_built),
      cmocka_unit_test(size_is_limited),
      cmocka_unit_test(reads_numbers_as_they_are),
      cmocka_unit_test(writes_compactly_and_in_order),
      cmocka_unit_test(integers_beyond_63_bits_become_strings),
      cmocka_unit_test(strings_take_any_bytes),
      cmocka_unit_test(what_is_written_is_read_back),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
