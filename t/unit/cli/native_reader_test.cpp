// What `sub` makes of a native server's messages. The server is the test.
#include "cli/native_reader.hpp"

#include <string>

#include "base/close.hpp"

#include "test.hpp"  // last: a macro of its own is called fail

namespace paperboy::cli {
namespace {

constexpr Bytes kConnected = R"({"id":1,"connect":{"client":"x","ping":25}})";

Sub listening_to(std::vector<std::string> channels) {
  Sub sub;
  sub.native = true;
  sub.channels = std::move(channels);
  sub.server.timeout = std::chrono::seconds(10);
  return sub;
}

/// A `sub` that has said its `connect`.
struct Client {
  explicit Client(Sub given, bool terminal = false)
      : sub(std::move(given)), reader(sub, terminal) {
    reader.begin(out);
  }

  MessageReader::Verdict hear(Bytes message) {
    out.say.clear();
    out.print.clear();
    return reader.on_message(Kind::text, message, out);
  }
  void goes_on(Bytes message) { assert_false(hear(message).has_value()); }
  Failure fails(Bytes message) {
    const auto verdict = hear(message);
    assert_true(verdict.has_value());
    assert_false(verdict->ok());
    return verdict->error();
  }
  /// In one line.
  [[nodiscard]] std::string said() const {
    std::string all;
    for (const std::string& one : out.say) all += one + "|";
    return all;
  }

  Sub sub;
  NativeReader reader;
  MessageReader::Output out;
};

void assert_says(const std::string& text, Bytes part) {
  if (text.find(part) == std::string::npos) fail_msg("%s", text.c_str());
}

void it_connects_and_then_subscribes(void**) {
  Sub sub = listening_to({"a", "b"});
  sub.server.token = "t.o.k";
  Client client(std::move(sub));
  assert_says(client.said(), R"("token":"t.o.k")");
  client.goes_on(kConnected);
  assert_string_equal(client.said().c_str(),
                      R"({"id":2,"subscribe":{"channel":"a"}}|)"
                      R"({"id":3,"subscribe":{"channel":"b"}}|)");
}

void what_the_server_gives_is_not_asked_for(void**) {
  Client client(listening_to({"a", "b"}));
  client.goes_on(
      R"({"id":1,"connect":{"subs":{"a":{"epoch":"7","offset":1}}}})");
  assert_string_equal(client.said().c_str(),
                      R"({"id":2,"subscribe":{"channel":"b"}}|)");
}

void no_channel_at_all_is_an_error(void**) {
  Client client(listening_to({}));
  const Failure why = client.fails(kConnected);
  assert_true(why.exit == Exit::refused);
  assert_says(why.text, "--channel");
}

void publications_are_lines(void**) {
  Client client(listening_to({"a"}));
  client.goes_on(kConnected);
  client.goes_on(
      R"({"id":2,"subscribe":{"epoch":"7","offset":0}})"
      "\n"
      R"({"push":{"channel":"a","pub":{"data":{"b": 1},"offset":1}}})"
      "\n"
      R"({"push":{"channel":"a","pub":{"data":"x","offset":2}}})");
  assert_string_equal(client.out.print.c_str(), "{\"b\": 1}\n\"x\"\n");
}

void with_json_a_line_says_where(void**) {
  Sub sub = listening_to({"a\"b"});
  sub.form = Form::json;
  Client client(std::move(sub));
  client.goes_on(kConnected);
  client.goes_on(R"({"id":2,"subscribe":{"epoch":"f7","offset":0}})");
  client.goes_on(
      R"({"push":{"channel":"a\"b","pub":{"data":1.0,"offset":1}}})");
  assert_string_equal(
      client.out.print.c_str(),
      "{\"channel\":\"a\\\"b\",\"epoch\":\"f7\",\"offset\":1,\"data\":1.0}\n");
}

void a_terminal_obeys_nothing(void**) {
  Client client(listening_to({"a"}), true);
  client.goes_on(kConnected);
  client.goes_on(
      "{\"push\":{\"channel\":\"a\",\"pub\":{\"data\":\"\xc2\x9b\"}}}");
  assert_string_equal(client.out.print.c_str(), "\"\\x9b\"\n");
}

void it_ends_with_its_count(void**) {
  Sub sub = listening_to({"a"});
  sub.count = 2;
  Client client(std::move(sub));
  client.goes_on(kConnected);
  const Bytes pub = R"({"push":{"channel":"a","pub":{"data":1}}})";
  client.goes_on(pub);
  const std::string two = std::string(pub) + "\n" + std::string(pub);
  const auto verdict = client.hear(two);
  assert_true(verdict.has_value() && verdict->ok());
  assert_string_equal(client.out.print.c_str(), "1\n");
}

void pings_are_answered_and_awaited(void**) {
  Client client(listening_to({"a"}));
  assert_true(client.reader.patience() == std::chrono::seconds(10));
  client.goes_on(kConnected);
  assert_true(client.reader.patience() == std::chrono::seconds(35));
  client.goes_on("{}");
  assert_string_equal(client.said().c_str(), "{}|");
  Client without(listening_to({"a"}));
  without.goes_on(R"({"id":1,"connect":{}})");
  assert_false(without.reader.patience().has_value());
}

void errors_say_which_channel_and_what_to_do(void**) {
  Client client(listening_to({"a", "b"}));
  Failure why =
      client.fails(R"({"id":1,"error":{"code":101,"message":"unauthorized"}})");
  assert_true(why.exit == Exit::refused);
  assert_says(why.text, "refused: 101 unauthorized; --token-file");
  client.goes_on(kConnected);
  why =
      client.fails(R"({"id":3,"error":{"code":103,"message":"denied\u001b"}})");
  assert_says(why.text, "b: refused: 103 denied\\x1b; ");
  why = client.fails(R"({"id":2,"error":{"code":100,"temporary":true}})");
  assert_true(why.exit == Exit::come_back);
}

void who_loses_messages_subscribes_again(void**) {
  Client client(listening_to({"a", "b"}));
  client.goes_on(kConnected);
  client.goes_on(R"({"id":2,"subscribe":{"epoch":"7","offset":0}})");
  client.goes_on(R"({"push":{"channel":"a","unsubscribe":{"code":2500}}})");
  assert_string_equal(client.said().c_str(),
                      R"({"id":4,"subscribe":{"channel":"a"}}|)");
  client.goes_on(R"({"id":4,"subscribe":{"epoch":"7","offset":5}})");
  client.goes_on(R"({"push":{"channel":"a","pub":{"data":6,"offset":6}}})");
  assert_string_equal(client.out.print.c_str(), "6\n");
}

void other_ends_of_subscriptions_are_for_good(void**) {
  Client client(listening_to({"a", "b"}));
  client.goes_on(kConnected);
  client.goes_on(R"({"push":{"channel":"a","unsubscribe":{"code":2000}}})");
  assert_int_equal(client.out.say.size(), 0);
  Failure why = client.fails(
      R"({"push":{"channel":"b","unsubscribe":{"code":2000,"reason":"go"}}})");
  assert_true(why.exit == Exit::stay_away);
  assert_says(why.text, "b: unsubscribed by the server: 2000 go");
  Client expiring(listening_to({"a"}));
  expiring.goes_on(kConnected);
  why =
      expiring.fails(R"({"push":{"channel":"a","unsubscribe":{"code":2501}}})");
  assert_true(why.exit == Exit::come_back);
  assert_says(why.text, "new token");
}

void what_is_not_native_ends_it(void**) {
  Client client(listening_to({"a"}));
  assert_true(client.fails("hello").exit == Exit::stay_away);
  assert_true(client.fails("{}\n\n{}").exit == Exit::stay_away);
  assert_true(client.fails(R"({"id":9,"subscribe":{}})").exit ==
              Exit::stay_away);
  const auto verdict = client.reader.on_message(Kind::binary, "{}", client.out);
  assert_true(verdict.has_value() && !verdict->ok());
}

void closes_are_explained(void**) {
  Client client(listening_to({"a"}));
  assert_says(std::string(client.reader.explain(close::kInvalidToken)), "key");
  assert_true(client.reader.explain(close::kNormal).empty());
}

}  // namespace
}  // namespace paperboy::cli

int main() {
  using namespace paperboy::cli;
  const CMUnitTest tests[] = {
      cmocka_unit_test(it_connects_and_then_subscribes),
      cmocka_unit_test(what_the_server_gives_is_not_asked_for),
      cmocka_unit_test(no_channel_at_all_is_an_error),
      cmocka_unit_test(publications_are_lines),
      cmocka_unit_test(with_json_a_line_says_where),
      cmocka_unit_test(a_terminal_obeys_nothing),
      cmocka_unit_test(it_ends_with_its_count),
      cmocka_unit_test(pings_are_answered_and_awaited),
      cmocka_unit_test(errors_say_which_channel_and_what_to_do),
      cmocka_unit_test(who_loses_messages_subscribes_again),
      cmocka_unit_test(other_ends_of_subscriptions_are_for_good),
      cmocka_unit_test(what_is_not_native_ends_it),
      cmocka_unit_test(closes_are_explained),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
