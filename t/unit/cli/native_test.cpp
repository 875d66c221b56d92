// The client's end of the native dialect: commands as text, lines as events.
#include "cli/native.hpp"

#include <string>

#include "test.hpp"

namespace paperboy::cli {
namespace {

template <typename Kind>
Kind read_as(Bytes line) {
  const auto event = read_native(line);
  assert_true(event.has_value());
  assert_true(std::holds_alternative<Kind>(*event));
  return std::get<Kind>(*event);
}

void assert_text(Bytes got, Bytes expected) {
  assert_string_equal(std::string(got).c_str(), std::string(expected).c_str());
}

void commands_are_those_of_the_protocol(void**) {
  assert_text(connect_command(1, {}),
              R"({"id":1,"connect":{"name":"paperboy-cli"}})");
  assert_text(connect_command(1, "a.b.c"),
              R"({"id":1,"connect":{"name":"paperboy-cli","token":"a.b.c"}})");
  assert_text(subscribe_command(7, {"a \"b\"", {}}, {}),
              R"({"id":7,"subscribe":{"channel":"a \"b\""}})");
  assert_text(subscribe_command(8, {"a", {}}, "t"),
              R"({"id":8,"subscribe":{"channel":"a","token":"t"}})");
}

void a_ping_is_an_empty_object(void**) {
  read_as<native::Ping>("{}");
  read_as<native::Ping>(" { }\r");
}

void a_connection_has_pings_and_subscriptions(void**) {
  const auto plain = read_as<native::Connected>(
      R"({"id":1,"connect":{"client":"x","ping":25,"pong":true}})");
  assert_int_equal(plain.ping_s, 25);
  assert_int_equal(plain.subscriptions.size(), 0);
  const auto given = read_as<native::Connected>(
      R"({"id":1,"connect":{"client":"x","subs":)"
      R"({"caf\u00e9":{"epoch":"a1","offset":3},"b":{}}}})");
  assert_int_equal(given.ping_s, 0);
  assert_text(given.subscriptions.at(0).channel, "caf\u00e9");
  assert_text(given.subscriptions.at(0).epoch, "a1");
  assert_int_equal(given.subscriptions.at(0).offset, 3);
  assert_int_equal(given.subscriptions.at(1).offset, 0);
}

void a_subscription_has_a_position(void**) {
  const auto at = read_as<native::Subscribed>(
      R"({"id":2,"subscribe":{"epoch":"7","offset":12}})");
  assert_int_equal(at.id, 2);
  assert_text(at.epoch, "7");
  assert_int_equal(at.offset, 12);
}

void an_error_has_a_code_and_words(void**) {
  const auto failed = read_as<native::Failed>(
      R"({"id":2,"error":{"code":103,"message":"permission denied"}})");
  assert_int_equal(failed.id, 2);
  assert_int_equal(failed.code, 103);
  assert_text(failed.message, "permission denied");
  assert_false(failed.temporary);
  assert_true(read_as<native::Failed>(
                  R"({"id":2,"error":{"code":100,"temporary":true}})")
                  .temporary);
}

void data_is_cut_as_it_stands(void**) {
  const auto one = read_as<native::Publication>(
      R"({"push":{"channel":"a","pub":{"data":{"n": 1.0 },"offset":4}}})");
  assert_text(one.channel, "a");
  assert_text(one.data, R"({"n": 1.0 })");
  assert_int_equal(one.offset, 4);
  assert_text(read_as<native::Publication>(
                  R"({"push":{"channel":"a","pub":{"offset":1,)"
                  R"("data":123456789012345678901234567890}}})")
                  .data,
              "123456789012345678901234567890");
}

void data_may_be_as_deep_as_any(void**) {
  const std::string deep = std::string(512, '[') + std::string(512, ']');
  const auto line =
      R"({"push":{"channel":"a","pub":{"data":)" + deep + R"(,"offset":1}}})";
  assert_true(read_as<native::Publication>(line).data == deep);
}

void an_unsubscription_has_a_code(void**) {
  const auto dropped = read_as<native::Dropped>(
      R"({"push":{"channel":"a","unsubscribe":{"code":2500,"reason":"x"}}})");
  assert_text(dropped.channel, "a");
  assert_int_equal(dropped.code, 2500);
  assert_text(dropped.reason, "x");
}

void what_is_not_needed_is_passed_over(void**) {
  for (const Bytes line :
       {R"({"push":{"channel":"a","join":{"info":{"client":"x"}}}})",
        R"({"push":{"message":{"data":1}}})", R"({"id":3,"ping":{}})"}) {
    read_as<native::Other>(line);
  }
}

void what_is_no_protocol_is_told(void**) {
  for (const Bytes line :
       {"", "hello", "[]", "1", "{", R"({"id":0,"connect":{}})",
        R"({"id":"1"})", R"({"id":-1,"subscribe":{}})", R"({"connect":{}})",
        R"({"push":{"channel":"a","pub":{"offset":1}}})",
        R"({"id":1,"connect":{"subs":{"a":1}}})"}) {
    if (read_native(line)) fail_msg("%.*s", int(line.size()), line.data());
  }
}

void errors_are_explained(void**) {
  assert_true(explain_error(101, false).find("--token") != Bytes::npos);
  assert_true(explain_error(103, false) != explain_error(103, true));
  assert_text(explain_error(999, true), "");
}

}  // namespace
}  // namespace paperboy::cli

int main() {
  using namespace paperboy::cli;
  const CMUnitTest tests[] = {
      cmocka_unit_test(commands_are_those_of_the_protocol),
      cmocka_unit_test(a_ping_is_an_empty_object),
      cmocka_unit_test(a_connection_has_pings_and_subscriptions),
      cmocka_unit_test(a_subscription_has_a_position),
      cmocka_unit_test(an_error_has_a_code_and_words),
      cmocka_unit_test(data_is_cut_as_it_stands),
      cmocka_unit_test(data_may_be_as_deep_as_any),
      cmocka_unit_test(an_unsubscription_has_a_code),
      cmocka_unit_test(what_is_not_needed_is_passed_over),
      cmocka_unit_test(what_is_no_protocol_is_told),
      cmocka_unit_test(errors_are_explained),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
