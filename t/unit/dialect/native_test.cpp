#include "dialect/native.hpp"

#include <array>
#include <string>

#include "base/json_text.hpp"
#include "test.hpp"

namespace paperboy::dialect {
namespace {

using namespace std::string_literals;

const Native native;

std::string reply(const Outcome& outcome, std::string before = {}) {
  native.reply(outcome, before);
  return before;
}

void is(const std::string& actual, const char* expected) {
  assert_string_equal(actual.c_str(), expected);
}

std::string publication(Kind kind, Bytes data) {
  std::string scratch;
  const auto message = native.publication({"a\"", {9, 3}, kind, data}, scratch);
  assert_true(message.kind == Kind::text);
  return std::string(message.data);
}

std::string data_of(Kind kind, Bytes data) {
  const std::string all = publication(kind, data);
  const Bytes before = R"({"push":{"channel":"a\"","pub":{"data":)";
  const Bytes after = R"(,"offset":3}}})";
  assert_true(all.starts_with(before));
  assert_true(all.ends_with(after));
  assert_true(is_json(all));
  assert_true(all.find('\n') == std::string::npos);
  return all.substr(before.size(), all.size() - before.size() - after.size());
}

void commands_are_taken_one_by_one(void**) {
  std::optional<Message> rest = Message{
      Kind::text, "{\"id\":1,\"ping\":{}}\n{}\n{\"id\":2,\"ping\":{}}\n"};
  assert_int_equal(std::get<Ping>(native.decode(rest)).id, 1);
  assert_true(rest.has_value());
  assert_int_equal(std::get<Ping>(native.decode(rest)).id, 2);
  assert_false(rest.has_value());
  assert_true(std::holds_alternative<NeedMore>(native.decode(rest)));
}

/// A newline in any other place makes two commands, neither of them whole.
void a_newline_ends_a_command_wherever_it_is(void**) {
  const std::string text = R"({"id":1,"publish":{"channel":"a","data":[1]}})";
  for (std::size_t n = 0; n < text.size(); ++n) {
    const std::string two = text.substr(0, n) + "\n" + text.substr(n);
    std::optional<Message> rest = Message{Kind::text, two};
    const auto command = native.decode(rest);
    assert_int_equal(std::get<Close>(command).code, close::kBadRequest);
  }
}

void a_binary_message_is_malformed(void**) {
  std::optional<Message> rest = Message{Kind::binary, R"({"id":1,"ping":{}})"};
  const auto command = native.decode(rest);
  assert_int_equal(std::get<Close>(command).code, close::kBadRequest);
}

void json_is_embedded_as_it_is(void**) {
  for (const Bytes data : {"1.0", "123456789012345678901234567890", "1e999",
                           "\"a\"", " { \"a\" :\t0.1 }", "null", "[[]]"}) {
    assert_true(data_of(Kind::text, data) == data);
  }
  is(data_of(Kind::text, "{\r\n\"a\":\n1}"), "{  \"a\": 1}");
}

void other_text_is_a_string(void**) {
  is(data_of(Kind::text, ""), R"("")");
  is(data_of(Kind::text, "a \"b\"\n"), R"("a \"b\"\n")");
  is(data_of(Kind::text, "{} {}"), R"("{} {}")");
  const std::string deep = std::string(600, '[') + std::string(600, ']');
  is(data_of(Kind::text, deep), ("\"" + deep + "\"").c_str());
}

/// RFC 4648 section 10.
void binary_is_base64_in_an_object(void**) {
  const std::array<std::array<Bytes, 2>, 8> vectors{{{"", ""},
                                                     {"f", "Zg=="},
                                                     {"fo", "Zm8="},
                                                     {"foo", "Zm9v"},
                                                     {"foob", "Zm9vYg=="},
                                                     {"fooba", "Zm9vYmE="},
                                                     {"foobar", "Zm9vYmFy"},
                                                     {"\xff\xfe\xfd", "//79"}}};
  for (const auto& [bytes, text] : vectors) {
    is(data_of(Kind::binary, bytes),
       (R"({"b64data":")" + std::string(text) + R"("})").c_str());
  }
  is(data_of(Kind::binary, "\0\xff\n"s), R"({"b64data":"AP8K"})");
}

void every_outcome_has_its_reply(void**) {
  is(reply(Unsubscribed{1}), R"({"id":1,"unsubscribe":{}})");
  is(reply(Published{2}), R"({"id":2,"publish":{}})");
  is(reply(Pong{3}), R"({"id":3,"ping":{}})");
  is(reply(Subscribed{4, "a", {0xab, 5}, 0, {}}),
     R"({"id":4,"subscribe":{"epoch":"ab","offset":5,"recoverable":true,)"
     R"("positioned":true}})");
  is(reply(Subscribed{4, "a", {1, 0}, 9, {true, false, {}}}),
     R"({"id":4,"subscribe":{"epoch":"1","offset":0,"recoverable":true,)"
     R"("positioned":true,"was_recovering":true,"expires":true,"ttl":9}})");
  is(reply(SubRefreshed{5, 0}), R"({"id":5,"sub_refresh":{}})");
  is(reply(SubRefreshed{5, 7}),
     R"({"id":5,"sub_refresh":{"expires":true,"ttl":7}})");
  is(reply(Refreshed{6, "me", 7}),
     R"({"id":6,"refresh":{"client":"me","version":"Paperboy 0.1.0",)"
     R"("expires":true,"ttl":7}})");
  is(reply(Dropped{"a\"", 2501, "subscription expired"}),
     R"({"push":{"channel":"a\"","unsubscribe":{"code":2501,)"
     R"("reason":"subscription expired"}}})");
}

void connected_tells_of_subscriptions(void**) {
  is(reply(Connected{1, "me", 0, 25, {}}),
     R"({"id":1,"connect":{"client":"me","version":"Paperboy 0.1.0",)"
     R"("ping":25,"pong":true}})");
  const std::array<ServerSubscription, 2> both{
      {{"a\"", {1, 2}, {}, {}}, {"b", {3, 0}, "{\"x\":\n1}", {}}}};
  is(reply(Connected{1, "me", 3, 1, both}),
     R"({"id":1,"connect":{"client":"me","version":"Paperboy 0.1.0",)"
     R"("expires":true,"ttl":3,"ping":1,"pong":true,"subs":{)"
     R"("a\"":{"epoch":"1","offset":2,"recoverable":true,"positioned":true},)"
     R"("b":{"epoch":"3","offset":0,"recoverable":true,"positioned":true,)"
     R"("data":{"x": 1}}}}})");
}

Kept kept(std::uint64_t offset, Bytes data, Bytes extra = {}) {
  return {{7, offset}, Kind::text, std::string(data), std::string(extra)};
}

void what_was_missed_comes_with_the_reply(void**) {
  const Recovered recovered{true, true, {kept(1, "1"), kept(2, "\n2")}};
  is(reply(Subscribed{4, "a", {7, 2}, 0, recovered}),
     R"({"id":4,"subscribe":{"epoch":"7","offset":2,"recoverable":true,)"
     R"("positioned":true,"was_recovering":true,"recovered":true,)"
     R"("publications":[{"data":1,"offset":1},{"data": 2,"offset":2}]}})");
}

void what_is_kept_is_told(void**) {
  const HistoryPage page{{7, 2}, {kept(1, "hi", R"("tags":{"a":"b"})")}};
  is(reply(HistoryRead{1, page}),
     R"({"id":1,"history":{"publications":[{"data":"hi","offset":1,)"
     R"("tags":{"a":"b"}}],"epoch":"7","offset":2}})");
  is(reply(HistoryRead{1, {{7, 0}, {}}}),
     R"({"id":1,"history":{"publications":[],"epoch":"7","offset":0}})");
}

void who_is_there_is_told(void**) {
  const std::array<MemberRecord, 2> members{
      MemberRecord({.client = "c1", .user = "ann"}),
      MemberRecord({.client = "c2", .user = "bob", .conn_info = "{}"})};
  is(reply(PresenceRead{1, members}),
     R"({"id":1,"presence":{"presence":{"c1":{"user":"ann","client":"c1"},)"
     R"("c2":{"user":"bob","client":"c2","conn_info":{}}}}})");
  is(reply(PresenceRead{1, {}}), R"({"id":1,"presence":{"presence":{}}})");
  is(reply(PresenceCounted{1, {3, 2}}),
     R"({"id":1,"presence_stats":{"num_clients":3,"num_users":2}})");
}

std::string pushed(Event event, Bytes data, Bytes extra = {}) {
  std::string scratch;
  const Publication publication{"a", {7, 5}, Kind::text, data, extra, event};
  return std::string(Native().publication(publication, scratch).data);
}

void what_goes_through_a_channel_is_pushed(void**) {
  is(pushed(Event::message, "1", R"("info":{"user":"u","client":"c"})"),
     R"({"push":{"channel":"a","pub":{"data":1,"offset":5,)"
     R"("info":{"user":"u","client":"c"}}}})");
  is(pushed(Event::passing, "1"),
     R"({"push":{"channel":"a","pub":{"data":1}}})");
  is(pushed(Event::join, R"({"user":"u","client":"c"})"),
     R"({"push":{"channel":"a","join":{"info":{"user":"u","client":"c"}}}})");
  is(pushed(Event::leave, R"({"user":"u","client":"c"})"),
     R"({"push":{"channel":"a","leave":{"info":{"user":"u","client":"c"}}}})");
}

void replies_stand_in_lines(void**) {
  is(reply(Pong{2}, reply(Pong{1})),
     "{\"id\":1,\"ping\":{}}\n{\"id\":2,\"ping\":{}}");
}

void every_error_has_its_code(void**) {
  const auto code = [](ErrorCode error) {
    const std::string text = reply(Failed{1, error});
    const std::size_t at = text.find("\"code\":") + 7;
    assert_int_equal(text.find("temporary") != std::string::npos,
                     text.substr(at, 3) == "100");
    return std::stoi(text.substr(at, 3));
  };
  is(reply(Failed{1, ErrorCode::forbidden}),
     R"({"id":1,"error":{"code":103,"message":"permission denied"}})");
  is(reply(Failed{1, ErrorCode::unavailable}),
     R"({"id":1,"error":{"code":100,"message":"internal server error",)"
     R"("temporary":true}})");
  assert_int_equal(code(ErrorCode::internal), 100);
  assert_int_equal(code(ErrorCode::log_full), 100);
  assert_int_equal(code(ErrorCode::too_many_channels), 100);
  assert_int_equal(code(ErrorCode::unauthorized), 101);
  assert_int_equal(code(ErrorCode::not_found), 102);
  assert_int_equal(code(ErrorCode::no_method), 104);
  assert_int_equal(code(ErrorCode::already_subscribed), 105);
  assert_int_equal(code(ErrorCode::subscription_limit), 106);
  assert_int_equal(code(ErrorCode::too_large), 106);
  assert_int_equal(code(ErrorCode::bad_request), 107);
  assert_int_equal(code(ErrorCode::channel_name), 107);
  assert_int_equal(code(ErrorCode::not_available), 108);
  assert_int_equal(code(ErrorCode::token_expired), 109);
}

void closes_have_the_words_of_the_protocol(void**) {
  const auto told = [](std::uint16_t code) {
    const Close close = native.closing({code, "why"});
    return std::to_string(close.code) + " " + std::string(close.reason);
  };
  is(told(close::kGoingAway), "3001 shutdown");
  is(told(close::kExpired), "3005 connection expired");
  is(told(close::kSlow), "3008 slow");
  is(told(close::kInsufficientState), "3010 insufficient state");
  is(told(close::kNoPong), "3012 no pong");
  is(told(close::kProtocolError), "1002 why");
  is(told(close::kBadRequest), "3501 why");
}

}  // namespace
}  // namespace paperboy::dialect

int main() {
  using namespace paperboy::dialect;
  const CMUnitTest tests[] = {
      cmocka_unit_test(commands_are_taken_one_by_one),
      cmocka_unit_test(a_newline_ends_a_command_wherever_it_is),
      cmocka_unit_test(a_binary_message_is_malformed),
      cmocka_unit_test(json_is_embedded_as_it_is),
      cmocka_unit_test(other_text_is_a_string),
      cmocka_unit_test(binary_is_base64_in_an_object),
      cmocka_unit_test(every_outcome_has_its_reply),
      cmocka_unit_test(connected_tells_of_subscriptions),
      cmocka_unit_test(what_was_missed_comes_with_the_reply),
      cmocka_unit_test(what_is_kept_is_told),
      cmocka_unit_test(who_is_there_is_told),
      cmocka_unit_test(what_goes_through_a_channel_is_pushed),
      cmocka_unit_test(replies_stand_in_lines),
      cmocka_unit_test(every_error_has_its_code),
      cmocka_unit_test(closes_have_the_words_of_the_protocol),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
