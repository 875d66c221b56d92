#include "dialect/native_command.hpp"

#include <string>

#include "test.hpp"

namespace paperboy::dialect {
namespace {

template <typename T>
T read(Bytes text) {
  const auto command = read_native_command(text);
  const T* const found = std::get_if<T>(&command);
  if (found == nullptr) fail_msg("%.*s", int(text.size()), text.data());
  return *found;
}

void bad(Bytes text) {
  const auto close = read<Close>(text);
  assert_int_equal(close.code, close::kBadRequest);
  assert_true(close.reason == "bad request");
}

void refused(Bytes text, ErrorCode code) {
  const auto command = read<Refused>(text);
  assert_int_equal(command.id, 7);
  assert_true(command.code == code);
}

void every_command_is_read(void**) {
  assert_true(read<Connect>(R"({"id":1,"connect":{}})").token.empty());
  const auto connect = read<Connect>(
      R"({"connect":{"token":"t","name":"js","data":{"a":1e999}},"id":2})");
  assert_int_equal(connect.id, 2);
  assert_string_equal(connect.token.c_str(), "t");

  const auto subscribe = read<Subscribe>(
      R"({"id":3,"subscribe":{"channel":"a","token":"t","recover":true,)"
      R"("epoch":"x","offset":5,"flag":1,"type":0,"delta":""}})");
  assert_int_equal(subscribe.id, 3);
  assert_string_equal(subscribe.channel.c_str(), "a");
  assert_string_equal(subscribe.token.c_str(), "t");
  assert_string_equal(subscribe.since->epoch.c_str(), "x");
  assert_int_equal(subscribe.since->offset, 5);
  assert_false(subscribe.join_leave);

  const auto unsubscribe =
      read<Unsubscribe>(R"({"id":4,"unsubscribe":{"channel":"a"}})");
  assert_string_equal(unsubscribe.channel.c_str(), "a");
  assert_string_equal(
      read<Refresh>(R"({"id":5,"refresh":{"token":"t"}})").token.c_str(), "t");
  const auto renewed =
      read<SubRefresh>(R"({"id":6,"sub_refresh":{"channel":"a","token":"t"}})");
  assert_string_equal(renewed.channel.c_str(), "a");
  assert_string_equal(renewed.token.c_str(), "t");
  assert_int_equal(read<Ping>(R"({"id":4294967295,"ping":{}})").id, 4294967295);
}

void a_position_counts_where_recovery_is_asked_for(void**) {
  const auto plain = read<Subscribe>(
      R"({"id":3,"subscribe":{"channel":"a","epoch":"x","offset":5}})");
  assert_false(plain.since.has_value());
  const auto from_the_start = read<Subscribe>(
      R"({"id":3,"subscribe":{"channel":"a","recover":true,"join_leave":true}})");
  assert_string_equal(from_the_start.since->epoch.c_str(), "");
  assert_int_equal(from_the_start.since->offset, 0);
  assert_true(from_the_start.join_leave);
}

void a_connect_says_where_it_was(void**) {
  const auto connect = read<Connect>(
      R"({"id":1,"connect":{"subs":{"\u0061":{"recover":true,"epoch":"x",)"
      R"("offset":18446744073709551615},"b":{"epoch":"y","offset":1}}}})");
  assert_int_equal(connect.returns.size(), 1);
  assert_string_equal(connect.returns[0].channel.c_str(), "a");
  assert_string_equal(connect.returns[0].place.epoch.c_str(), "x");
  assert_true(connect.returns[0].place.offset == UINT64_MAX);
}

void what_is_kept_and_who_is_there_is_asked_for(void**) {
  const auto history = read<History>(
      R"({"id":1,"history":{"channel":"a","limit":5,"reverse":true,)"
      R"("since":{"offset":7,"epoch":"x"}}})");
  assert_string_equal(history.channel.c_str(), "a");
  assert_int_equal(history.limit, 5);
  assert_true(history.reverse);
  assert_int_equal(history.since->offset, 7);
  assert_string_equal(history.since->epoch.c_str(), "x");
  const auto position = read<History>(R"({"id":1,"history":{"channel":"a"}})");
  assert_int_equal(position.limit, 0);
  assert_false(position.since.has_value());
  assert_int_equal(
      read<History>(R"({"id":1,"history":{"channel":"a","limit":-1}})").limit,
      HistoryQuery::kAll);
  assert_string_equal(
      read<Presence>(R"({"id":1,"presence":{"channel":"a"}})").channel.c_str(),
      "a");
  assert_string_equal(
      read<PresenceStats>(R"({"id":1,"presence_stats":{"channel":"a"}})")
          .channel.c_str(),
      "a");
}

void data_stays_the_bytes_it_was(void**) {
  for (const Bytes data :
       {"1", "1.0", "123456789012345678901234567890", "0.1", "\"a\\u0041\"",
        "{ \"b\" : [ 1,2 ] , \"b\":\"}\" }", "false", "[]"}) {
    const std::string text =
        "{\"id\":1,\"publish\":{\"data\": " + std::string(data) +
        " ,\"channel\":\"a\"}}";
    const auto command = read<Publish>(text);
    assert_string_equal(command.channel.c_str(), "a");
    assert_true(command.message.kind == Kind::text);
    assert_true(command.message.data == data);
  }
}

void what_cannot_be_had_is_refused(void**) {
  refused(R"({"id":7,"rpc":{"method":"a","data":1}})", ErrorCode::no_method);
  refused(R"({"id":7,"dance":{}})", ErrorCode::no_method);
  refused(R"({"id":7})", ErrorCode::no_method);
  refused(R"({"id":7,"connect":null})", ErrorCode::no_method);
  refused(R"({"id":7,"subscribe":{"channel":"a","type":1}})",
          ErrorCode::not_available);
  refused(R"({"id":7,"subscribe":{"channel":"a","tf":{"key":"a"}}})",
          ErrorCode::not_available);
  refused(R"({"id":7,"publish":{"channel":"a","data":1,"type":1}})",
          ErrorCode::not_available);
  refused(R"({"id":7,"sub_refresh":{"channel":"a","token":"t","type":2}})",
          ErrorCode::not_available);
  refused(R"({"id":7,"publish":{"channel":"a"}})", ErrorCode::bad_request);
  refused(R"({"id":7,"publish":{"channel":"a","data":null}})",
          ErrorCode::bad_request);
  assert_int_equal(read<Close>(R"({"send":{"data":1}})").code,
                   close::kNotAvailable);
}

void an_empty_command_is_a_pong(void**) {
  for (const Bytes text : {"{}", " { } ", "{}\r"}) {
    assert_true(std::holds_alternative<NeedMore>(read_native_command(text)));
  }
}

void of_several_methods_the_first_of_the_protocol_counts(void**) {
  assert_int_equal(
      read<Unsubscribe>(
          R"({"ping":{},"id":8,"unsubscribe":{"channel":"a"},"rpc":{}})")
          .id,
      8);
}

void names_may_be_escaped(void**) {
  assert_string_equal(
      read<Subscribe>(
          R"({"\u0069d":1,"subscr\u0069be":{"ch\u0061nnel":"\u0061\n\"b"}})")
          .channel.c_str(),
      "a\n\"b");
}

void what_is_malformed_ends_the_connection(void**) {
  for (const Bytes text :
       {"",
        " ",
        "x",
        "1",
        "[]",
        "null",
        "\"a\"",
        "{",
        "{}{}",
        "{} x",
        R"({"id":1,"ping":{})",
        R"({"ping":{}})",
        R"({"id":0,"ping":{}})",
        R"({"id":-1,"ping":{}})",
        R"({"id":"1","ping":{}})",
        R"({"id":1.0,"ping":{}})",
        R"({"id":1e1,"ping":{}})",
        R"({"id":4294967296,"ping":{}})",
        R"({"id":1,"id":1,"ping":{}})",
        R"({"id":1,"ping":1})",
        R"({"id":1,"ping":[]})",
        R"({"id":1,"ping":{},"ping":{}})",
        R"({"id":1,"connect":{"token":1}})",
        R"({"id":1,"connect":{"token":"a","token":"a"}})",
        R"({"id":1,"subscribe":{"channel":["a"]}})",
        R"({"id":1,"subscribe":{"channel":"a","recover":1}})",
        R"({"id":1,"subscribe":{"channel":"\u0000"}})",
        R"({"id":1,"subscribe":{"channel":"\ud800"}})",
        R"({"id":1,"publish":{"channel":"a","data":1,"data":2}})",
        R"({"id":1,"publish":{"channel":"a","data":01}})"}) {
    bad(text);
  }
}

/// Whatever is cut off, what is left is no command.
void a_command_that_ends_early_is_malformed(void**) {
  const std::string text =
      R"({"id":12,"publish":{"channel":"a\u0062","data":{"b":[1,"}"]}}})";
  for (std::size_t n = 0; n < text.size(); ++n) bad(text.substr(0, n));
  for (std::size_t n = 1; n < text.size(); ++n) bad(text.substr(n));
}

}  // namespace
}  // namespace paperboy::dialect

int main() {
  using namespace paperboy::dialect;
  const CMUnitTest tests[] = {
      cmocka_unit_test(every_command_is_read),
      cmocka_unit_test(a_position_counts_where_recovery_is_asked_for),
      cmocka_unit_test(a_connect_says_where_it_was),
      cmocka_unit_test(what_is_kept_and_who_is_there_is_asked_for),
      cmocka_unit_test(data_stays_the_bytes_it_was),
      cmocka_unit_test(what_cannot_be_had_is_refused),
      cmocka_unit_test(an_empty_command_is_a_pong),
      cmocka_unit_test(of_several_methods_the_first_of_the_protocol_counts),
      cmocka_unit_test(names_may_be_escaped),
      cmocka_unit_test(what_is_malformed_ends_the_connection),
      cmocka_unit_test(a_command_that_ends_early_is_malformed),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
