// `pub` and `sub`: their words, their requests, what they print and advise.
#include <cstdlib>
#include <string>

#include "base/close.hpp"
#include "cli/advice.hpp"
#include "cli/handshake.hpp"
#include "cli/pub.hpp"
#include "cli/sub.hpp"
#include "ws/handshake.hpp"

#include "test.hpp"  // last: a macro of its own is called fail

namespace paperboy::cli {
namespace {

using Given = std::vector<Bytes>;

constexpr const char* kToken = "head.s3cret.sign";

template <typename T>
void assert_refused(const Outcome<T>& read, Bytes why) {
  assert_false(read.ok());
  assert_true(read.error().exit == Exit::usage);
  if (read.error().text.find(why) == std::string::npos) {
    fail_msg("%s", read.error().text.c_str());
  }
  assert_true(read.error().text.find("s3cret") == std::string::npos);
}

void pub_reads_its_words(void**) {
  const auto pub =
      read_pub(Given{"http://a/p", "hello\n", "--channel", "c", "--token-env",
                     "PAPERBOY_CLI_TOKEN", "--timeout", "1m", "--insecure"});
  assert_true(pub.ok());
  assert_string_equal(pub->server.url.target.c_str(), "/p?channel=c");
  assert_string_equal(pub->message.c_str(), "hello\n");
  assert_string_equal(pub->server.token->c_str(), kToken);
  assert_int_equal(pub->server.timeout.count(), 60000);
  assert_true(pub->server.tls.insecure);
  assert_false(pub->binary);
  assert_true(read_pub(Given{"http://a", "\xff", "--binary"}).ok());
}

void pub_says_what_is_wrong(void**) {
  assert_refused(read_pub(Given{}), "which URL?");
  assert_refused(read_pub(Given{"http://a", "\xff"}), "--binary");
  assert_refused(read_pub(Given{"http://a", "x", "--channel", "a b"}),
                 "--channel");
  assert_refused(read_pub(Given{"http://a", "x", "--timeout", "0"}),
                 "--timeout");
  assert_refused(read_pub(Given{"http://a", "x", "--origin", "a\r\nb: c"}),
                 "--origin");
  assert_refused(read_pub(Given{"http://a", "x", "--token-env", "NO_SUCH"}),
                 "--token-env");
  assert_refused(
      read_pub(Given{"http://a", "x", "--token-env", "PAPERBOY_CLI_BAD"}),
      "white space");
  assert_refused(read_pub(Given{"http://a", "x", "--token-file", "/none"}),
                 "/none: ");
  assert_refused(read_pub(Given{"http://a", "-", "--token-file", "-"}),
                 "both token and message");
}

void an_answer_may_hold_errors(void**) {
  assert_true(all_published(R"({"channel":"a","offset":1})"));
  assert_true(all_published("as the location says it"));
  assert_true(all_published(R"([{"channel":"a"},{"channel":"b"}])"));
  assert_false(all_published(R"([{"channel":"a"},{"error":"log_full"}])"));
}

void sub_reads_its_words(void**) {
  const auto sub = read_sub(Given{"wss://a/ws", "--count", "3", "--json"});
  assert_true(sub.ok());
  assert_true(sub->server.url.tls);
  assert_int_equal(*sub->count, 3);
  assert_true(sub->form == Form::json);
  assert_true(read_sub(Given{"ws://a", "--binary"})->form == Form::binary);
  assert_refused(read_sub(Given{"ws://a", "--count", "0"}), "--count");
  assert_refused(read_sub(Given{"ws://a", "--json", "--binary"}), "one of");
  assert_refused(read_sub(Given{"ws://a", "more"}), "too many words");
}

void sub_listens_natively_where_it_is_asked_to(void**) {
  assert_false(read_sub(Given{"ws://a"})->native);
  assert_true(read_sub(Given{"ws://a", "--native"})->native);
  const auto sub =
      read_sub(Given{"ws://a", "--channel", "b", "--channel=c d", "--json"});
  assert_true(sub->native);
  assert_true(sub->channels == std::vector<std::string>({"b", "c d"}));
  const auto one = read_sub(Given{"ws://a", "--channel", "b",
                                  "--channel-token-env", "PAPERBOY_CLI_TOKEN"});
  assert_string_equal(one->channel_token->c_str(), kToken);
  assert_refused(read_sub(Given{"ws://a", "--channel", ""}), "--channel");
  assert_refused(read_sub(Given{"ws://a", "--channel", "\xff"}), "UTF-8");
  assert_refused(read_sub(Given{"ws://a", "--channel", "b", "--binary"}),
                 "--binary");
  assert_refused(read_sub(Given{"ws://a", "--native", "--channel-token-env",
                                "PAPERBOY_CLI_TOKEN"}),
                 "one --channel");
  assert_refused(read_sub(Given{"ws://a", "--channel", "b", "--channel", "c",
                                "--channel-token-env", "PAPERBOY_CLI_TOKEN"}),
                 "one --channel");
}

void a_message_has_three_forms(void**) {
  const auto shown = [](Form form, Kind kind, Bytes data, bool terminal) {
    return format_message(form, kind, data, terminal);
  };
  const Bytes text = "a\nb\x1b";
  assert_string_equal(shown(Form::lines, Kind::text, text, false).c_str(),
                      "a\\nb\x1b\n");
  assert_string_equal(shown(Form::lines, Kind::text, text, true).c_str(),
                      "a\\nb\\x1b\n");
  assert_string_equal(shown(Form::lines, Kind::binary, "f", true).c_str(),
                      "Zg==\n");
  assert_string_equal(shown(Form::json, Kind::text, "\"\n", false).c_str(),
                      "{\"text\":\"\\\"\\n\"}\n");
  assert_string_equal(shown(Form::json, Kind::binary, "f", false).c_str(),
                      "{\"binary\":\"Zg==\"}\n");
  assert_string_equal(shown(Form::binary, Kind::text, text, true).c_str(),
                      "a\nb\x1b");
}

void a_handshake_is_one_that_our_server_takes(void**) {
  const auto sub = read_sub(Given{"ws://a/ws?c=d", "--origin", "http://o",
                                  "--token-env", "PAPERBOY_CLI_TOKEN"});
  const std::string request =
      handshake_request(sub->server, new_handshake_key(), {});
  assert_true(request.starts_with("GET /ws?c=d HTTP/1.1\r\nHost: a\r\n"));
  assert_true(request.find("\r\nOrigin: http://o\r\n") != std::string::npos);
  assert_true(request.find("\r\nAuthorization: Bearer head.s3cret.sign\r\n") !=
              std::string::npos);
  assert_int_equal(new_handshake_key().size(), 24);
  assert_true(new_handshake_key() != new_handshake_key());
}

void only_the_right_101_opens_a_websocket(void**) {
  const std::string key = new_handshake_key();
  const auto accept = ws::accept_value(key);
  Head head{
      101,
      "",
      {{"upgrade", "WebSocket"},
       {"Sec-WebSocket-Accept", std::string(accept.data(), accept.size())}}};
  assert_false(why_no_websocket(head, key, {}).has_value());
  assert_true(why_no_websocket(head, new_handshake_key(), {}).has_value());
  assert_true(why_no_websocket({101, "", {}}, key, {}).has_value());
  const auto not_native = why_no_websocket(head, key, kNativeProtocol);
  assert_true(not_native->exit == Exit::refused);
  assert_true(not_native->text.find("--channel") != std::string::npos);
  head.headers.emplace_back("Sec-WebSocket-Protocol", "centrifuge-json");
  assert_false(why_no_websocket(head, key, kNativeProtocol).has_value());
  assert_true(why_no_websocket(head, key, {}).has_value());
  head.headers.back() = {"Sec-WebSocket-Extensions", "permessage-deflate"};
  assert_true(why_no_websocket(head, key, {}).has_value());
}

void a_close_code_says_whether_to_come_back(void**) {
  for (const std::uint16_t code : {1001, 1005, 1006, 1011, 1012, 1013, 3001,
                                   3005, 3008, 3010, 3499, 4000}) {
    if (advice(code).exit != Exit::come_back) fail_msg("%d", code);
  }
  for (const std::uint16_t code :
       {1000, 1002, 1003, 1007, 1008, 1009, 2999, 3500, 3507, 4500, 5000}) {
    if (advice(code).exit != Exit::stay_away) fail_msg("%d", code);
  }
  assert_true(advice(close::kExpired).text.find("new token") != Bytes::npos);
}

}  // namespace
}  // namespace paperboy::cli

int main() {
  using namespace paperboy::cli;
  setenv("PAPERBOY_CLI_TOKEN", (std::string(kToken) + "\n").c_str(), 1);
  setenv("PAPERBOY_CLI_BAD", "two s3cret words", 1);
  const CMUnitTest tests[] = {
      cmocka_unit_test(pub_reads_its_words),
      cmocka_unit_test(pub_says_what_is_wrong),
      cmocka_unit_test(an_answer_may_hold_errors),
      cmocka_unit_test(sub_reads_its_words),
      cmocka_unit_test(sub_listens_natively_where_it_is_asked_to),
      cmocka_unit_test(a_message_has_three_forms),
      cmocka_unit_test(a_handshake_is_one_that_our_server_takes),
      cmocka_unit_test(only_the_right_101_opens_a_websocket),
      cmocka_unit_test(a_close_code_says_whether_to_come_back),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
