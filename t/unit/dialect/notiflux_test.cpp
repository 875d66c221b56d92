#include "dialect/notiflux.hpp"

#include <string>

#include "test.hpp"

namespace paperboy::dialect {
namespace {

using namespace std::string_literals;

Decoded decode(Bytes text, Kind kind = Kind::text) {
  const Notiflux notiflux;
  std::optional<Message> rest = Message{kind, text};
  auto decoded = notiflux.decode(rest);
  assert_false(rest.has_value());
  assert_true(std::holds_alternative<NeedMore>(notiflux.decode(rest)));
  return decoded;
}

void assert_subscribes(Bytes text, const char* topic, const char* token) {
  const auto decoded = decode(text);
  const auto* const command = std::get_if<Subscribe>(&decoded);
  assert_non_null(command);
  assert_string_equal(command->channel.c_str(), topic);
  assert_string_equal(command->token.c_str(), token);
}

void assert_answers(Bytes text, Bytes answer) {
  const auto decoded = decode(text);
  const auto* const send = std::get_if<Send>(&decoded);
  if (send == nullptr) fail_msg("no answer: %s", std::string(text).c_str());
  assert_true(send->message.kind == Kind::text);
  assert_true(send->message.data == answer);
}

void a_subscribe_has_a_topic_and_a_token(void**) {
  assert_subscribes("/subscribe news a.b.c", "news", "a.b.c");
  assert_subscribes(" \t\r\n/subscribe news a.b.c\n ", "news", "a.b.c");
  assert_subscribes("/subscribe   news  a.b.c", "news", "a.b.c");
  assert_subscribes("/subscribe campaign:7\t\xC3\xA4/* x",
                    "campaign:7\t\xC3\xA4/*", "x");
}

void other_than_two_words_are_no_subscribe(void**) {
  constexpr Bytes kText =
      "Invalid subscribe command, it should be: /subscribe <topic> <token>";
  for (const char* const text :
       {"/subscribe news", "/subscribe a b c", "/subscribe  a"}) {
    assert_answers(text, kText);
  }
}

void an_unsubscribe_has_a_topic(void**) {
  for (const char* const text :
       {"/unsubscribe news", " /unsubscribe  news  "}) {
    const auto decoded = decode(text);
    const auto& command = std::get<Unsubscribe>(decoded);
    assert_string_equal(command.channel.c_str(), "news");
    assert_false(command.all);
  }
  const auto decoded = decode("/unsubscribe a b");
  assert_string_equal(std::get<Unsubscribe>(decoded).channel.c_str(), "a b");
}

void all_are_left_at_once(void**) {
  const auto decoded = decode(" /unsubscribe-all\n");
  assert_true(std::get<Unsubscribe>(decoded).all);
}

void other_commands_are_unknown(void**) {
  for (const char* const text :
       {"/", "//", "/help", "/subscribe", "/subscribe ", "/unsubscribe",
        "/unsubscribe  ", "/unsubscribe-all x", "/subscribed a b",
        "/Subscribe a b", "/ subscribe a b", "/subscribe\ta b",
        "/unsubscribe-allx"}) {
    assert_answers(text, "Unknown command");
  }
}

void what_is_no_command_is_ignored(void**) {
  for (const Bytes text : {Bytes(), Bytes("  "), Bytes("hello"),
                           Bytes("subscribe a b"), Bytes("\0/x", 3)}) {
    assert_true(std::holds_alternative<NeedMore>(decode(text)));
  }
  assert_true(
      std::holds_alternative<NeedMore>(decode("/subscribe a b", Kind::binary)));
}

void a_publication_is_a_message(void**) {
  const Notiflux notiflux;
  std::string scratch;
  for (const Kind kind : {Kind::text, Kind::binary}) {
    const std::string data = "\0 \xff"s;
    const auto message =
        notiflux.publication({"news", {1, 1}, kind, data}, scratch);
    assert_true(message.kind == kind);
    assert_true(message.data == data);
  }
}

void only_who_asks_is_told_of_refusals(void**) {
  const Notiflux notiflux;
  const Dialect& told = *notiflux.agreed();
  assert_null(told.agreed());
  const Outcome failed = Failed{0, ErrorCode::forbidden};
  const Outcome left = Unsubscribed{0};
  std::string replies;
  notiflux.reply(failed, replies);
  told.reply(left, replies);
  assert_true(replies.empty());
  told.reply(failed, replies);
  assert_string_equal(
      replies.c_str(),
      R"({"error":{"code":103,"message":"permission denied"}})");
}

void it_begins_without_a_connect(void**) {
  const Dialect& notiflux = *find("notiflux");
  assert_true(notiflux.converses());
  assert_false(notiflux.connects() || notiflux.is_one_user() ||
               notiflux.joins_replies());
  const Defaults defaults = notiflux.defaults();
  assert_int_equal(defaults.ping_interval_ms, 15'000);
  assert_int_equal(defaults.ping_interval_ms + defaults.ping_timeout_ms,
                   30'000);
  assert_int_equal(defaults.connect_timeout_ms, 0);
  assert_int_equal(defaults.token_leeway_seconds, 60);
  assert_true(defaults.tokens_only_admit);
}

}  // namespace
}  // namespace paperboy::dialect

int main() {
  using namespace paperboy::dialect;
  const CMUnitTest tests[] = {
      cmocka_unit_test(a_subscribe_has_a_topic_and_a_token),
      cmocka_unit_test(other_than_two_words_are_no_subscribe),
      cmocka_unit_test(an_unsubscribe_has_a_topic),
      cmocka_unit_test(all_are_left_at_once),
      cmocka_unit_test(other_commands_are_unknown),
      cmocka_unit_test(what_is_no_command_is_ignored),
      cmocka_unit_test(a_publication_is_a_message),
      cmocka_unit_test(only_who_asks_is_told_of_refusals),
      cmocka_unit_test(it_begins_without_a_connect),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
