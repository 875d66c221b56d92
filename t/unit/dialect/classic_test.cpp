#include "dialect/classic.hpp"

#include <string>

#include "base/envelope.hpp"
#include "base/json.hpp"
#include "test.hpp"

namespace paperboy::dialect {
namespace {

using namespace std::string_literals;

const Classic classic;

Decoded decode(Bytes text, Kind kind = Kind::text) {
  std::optional<Message> rest = Message{kind, text};
  auto command = classic.decode(rest);
  assert_false(rest.has_value());
  assert_true(std::holds_alternative<NeedMore>(classic.decode(rest)));
  return command;
}

std::string token_in(Bytes text) {
  const auto command = decode(text);
  const auto* const subscribe = std::get_if<Subscribe>(&command);
  assert_non_null(subscribe);
  assert_true(subscribe->channel.empty());
  return subscribe->token;
}

std::string channel_left(Bytes text) {
  const auto command = decode(text);
  const auto* const unsubscribe = std::get_if<Unsubscribe>(&command);
  assert_non_null(unsubscribe);
  assert_false(unsubscribe->all);
  return unsubscribe->channel;
}

std::string subscribed(const std::string& channel,
                       const Dialect& dialect = classic) {
  std::string replies;
  const Recovered nothing;
  dialect.reply(Subscribed{0, channel, {9, 3}, 0, nothing}, replies);
  return replies;
}

std::string times(int count, const std::string& text) {
  std::string all;
  for (int i = 0; i < count; ++i) all += text;
  return all;
}

void a_text_is_a_token(void**) {
  assert_string_equal(token_in("a.b.c").c_str(), "a.b.c");
  assert_string_equal(token_in("").c_str(), "");
  assert_string_equal(token_in("Unsubscribe:a").c_str(), "Unsubscribe:a");
  assert_string_equal(token_in("unsubscribe").c_str(), "unsubscribe");
  assert_string_equal(token_in(" unsubscribe:a").c_str(), " unsubscribe:a");
}

/// 12 characters and 87.
void a_word_is_shorter_than_100_characters(void**) {
  assert_string_equal(channel_left("unsubscribe:a b").c_str(), "a b");
  const std::string most(87, 'x');
  assert_string_equal(channel_left("unsubscribe:" + most).c_str(),
                      most.c_str());
  const std::string longer = "unsubscribe:" + most + "x";
  assert_string_equal(token_in(longer).c_str(), longer.c_str());
}

void characters_are_units_of_utf16(void**) {
  const std::string e = times(87, "\xC3\xA9");
  assert_string_equal(channel_left("unsubscribe:" + e).c_str(), e.c_str());
  const std::string newspapers = times(43, "\xF0\x9F\x93\xB0");  // 2 units each
  assert_string_equal(channel_left("unsubscribe:" + newspapers + "x").c_str(),
                      (newspapers + "x").c_str());
  (void)token_in("unsubscribe:" + newspapers + "xx");
}

void to_leave_nothing_is_nothing(void**) {
  assert_true(std::holds_alternative<NeedMore>(decode("unsubscribe:")));
}

void binary_is_ignored(void**) {
  assert_true(std::holds_alternative<NeedMore>(decode("a.b.c", Kind::binary)));
}

/// 11 characters and 88; the client would take a longer one for a message.
void a_confirmation_is_shorter_than_100_characters(void**) {
  assert_string_equal(subscribed("a").c_str(), "subscribed:a");
  const std::string most(88, 'x');
  assert_string_equal(subscribed(most).c_str(), ("subscribed:" + most).c_str());
  assert_string_equal(subscribed(most + "x").c_str(), "");
  const std::string newspapers = times(44, "\xF0\x9F\x93\xB0");
  assert_string_equal(subscribed(newspapers).c_str(),
                      ("subscribed:" + newspapers).c_str());
  assert_string_equal(subscribed(newspapers + "x").c_str(), "");
}

void nothing_else_is_said(void**) {
  std::string replies;
  for (const Outcome& outcome : std::initializer_list<Outcome>{
           Unsubscribed{1}, Failed{1, ErrorCode::forbidden}, Pong{1},
           Dropped{"a", 2000, "why"}, Entered{"a", {1, 1}, {}}, Renewed{1}}) {
    classic.reply(outcome, replies);
  }
  assert_string_equal(replies.c_str(), "");
  std::string scratch;
  assert_false(classic.heartbeat().has_value());
  assert_false(classic.beginning("a", {1, 1}, scratch).has_value());
}

void who_offers_our_subprotocol_is_told_of_refusals(void**) {
  assert_string_equal(std::string(classic.subprotocol()).c_str(),
                      "paperboy.classic");
  const Dialect& answering = *classic.agreed();
  std::string replies;
  answering.reply(Failed{1, ErrorCode::token_expired}, replies);
  assert_string_equal(replies.c_str(),
                      R"({"error":{"code":109,"message":"token expired"}})");
  assert_string_equal(subscribed("a", answering).c_str(), "subscribed:a");
  assert_null(answering.agreed());
}

void a_back_ends_message_is_its_text(void**) {
  const Bytes text =
      R"( {"userId":null,"payload":{"n":1.10},"channel":"a","timestamp":7})";
  const Bytes payload = text.substr(text.find("{\"n\""), 10);
  const std::string envelope = make_envelope(text, payload);
  std::string scratch;
  const Publication publication{"a", {9, 3}, Kind::text, payload, envelope};
  const auto message = classic.publication(publication, scratch);
  assert_true(message.kind == Kind::text);
  assert_true(message.data == text);
}

Json own_form(Kind kind, Bytes data, Bytes extra = {}) {
  std::string scratch;
  const auto message =
      classic.publication({"a\"", {9, 3}, kind, data, extra}, scratch);
  assert_true(message.kind == Kind::text);
  auto json = Json::parse(message.data);
  assert_true(json.ok());
  assert_true(json->get("userId").is_null());
  assert_true(json->get("channel").as_string() == "a\"");
  assert_true(*json->get("timestamp").as_integer() > 1'700'000'000'000);
  assert_int_equal(json->size(), 4);
  return json->get("payload");
}

void what_others_publish_is_put_into_the_form(void**) {
  assert_int_equal(*own_form(Kind::text, R"({"n":7})").get("n").as_integer(),
                   7);
  assert_true(own_form(Kind::text, "hello \"you\"").as_string() ==
              "hello \"you\"");
  assert_true(own_form(Kind::binary, "foo").get("b64data").as_string() ==
              "Zm9v");
  assert_int_equal(*own_form(Kind::text, "1", R"("tags":{})").as_integer(), 1);
}

void its_defaults_are_the_originals(void**) {
  const Defaults defaults = classic.defaults();
  assert_int_equal(defaults.ping_interval_ms, 10'000);
  assert_int_equal(defaults.ping_timeout_ms, 10'000);
  assert_int_equal(defaults.connect_timeout_ms, 5'000);
  assert_true(defaults.tokens_only_admit);
  assert_true(defaults.token_issuer == "paperboy");
}

}  // namespace
}  // namespace paperboy::dialect

int main() {
  using namespace paperboy::dialect;
  const CMUnitTest tests[] = {
      cmocka_unit_test(a_text_is_a_token),
      cmocka_unit_test(a_word_is_shorter_than_100_characters),
      cmocka_unit_test(characters_are_units_of_utf16),
      cmocka_unit_test(to_leave_nothing_is_nothing),
      cmocka_unit_test(binary_is_ignored),
      cmocka_unit_test(a_confirmation_is_shorter_than_100_characters),
      cmocka_unit_test(nothing_else_is_said),
      cmocka_unit_test(who_offers_our_subprotocol_is_told_of_refusals),
      cmocka_unit_test(a_back_ends_message_is_its_text),
      cmocka_unit_test(what_others_publish_is_put_into_the_form),
      cmocka_unit_test(its_defaults_are_the_originals),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
