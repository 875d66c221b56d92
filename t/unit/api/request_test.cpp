#include "api/request.hpp"

#include <string>

#include "test.hpp"

namespace paperboy::api {
namespace {

template <typename T>
T only(Bytes method, Bytes body) {
  const auto request = read_request(method, body);
  assert_true(request.ok());
  assert_int_equal(request->calls.size(), 1);
  const auto* const command = std::get_if<T>(&request->calls[0].command);
  assert_non_null(command);
  return *command;
}

void assert_refused(Bytes method, Bytes body, ErrorCode code) {
  assert_true(only<Refused>(method, body).code == code);
}

void assert_malformed(Bytes method, Bytes body) {
  const auto request = read_request(method, body);
  assert_false(request.ok());
  assert_false(request.error().why.empty());
}

void data_stays_as_it_stands(void**) {
  constexpr Bytes kBody =
      R"( {"channel":"a\u0062","data": {"n":1.10, "big":123456789012345678901} })";
  const auto publish = only<Publish>("publish", kBody);
  assert_true(publish.channels == std::vector<std::string>{"ab"});
  assert_true(publish.message() ==
              R"({"n":1.10, "big":123456789012345678901})");
  assert_true(publish.message().data() > kBody.data());
  assert_true(publish.kind == Kind::text && !publish.passing);
  assert_true(publish.extra.empty() && !publish.broadcast);
}

void what_a_publish_may_say(void**) {
  const auto publish = only<Publish>(
      "broadcast",
      "{\"channels\":[\"a\",\"b\"],\"b64data\":\"AP8=\",\"skip_history\":true,"
      "\"tags\":{\"x\":\n\"y\"},\"idempotency_key\":\"k\",\"delta\":true}");
  assert_int_equal(publish.channels.size(), 2);
  assert_true(publish.broadcast && publish.passing);
  assert_true(publish.kind == Kind::binary);
  assert_true(publish.message() == Bytes("\0\xff", 2));
  assert_string_equal(publish.extra.c_str(), R"("tags":{"x": "y"})");
  assert_string_equal(publish.idempotency_key.c_str(), "k");
  assert_true(
      only<Publish>("publish", R"({"channel":"a","data":null})").message() ==
      "null");
  assert_refused("publish", R"({"channel":"a"})", ErrorCode::bad_request);
  assert_refused("publish", R"({"channel":"a","b64data":"x"})",
                 ErrorCode::bad_request);
  assert_refused("publish", R"({"channel":"a","data":1,"version":1})",
                 ErrorCode::not_available);
  assert_malformed("broadcast", R"({"channels":["a",1],"data":1})");
  assert_malformed("broadcast", R"({"channels":"a","data":1})");
  assert_malformed("publish", R"({"channel":"a","data":1,"data":2})");
}

void whom_an_order_is_for(void**) {
  const auto one =
      only<Instruct>("unsubscribe", R"({"user":"","channel":"a"})").order;
  assert_true(one.kind == hub::Order::Kind::unsubscribe);
  assert_true(one.user == "" && one.client.empty() && one.channel == "a");
  const auto other = only<Instruct>("refresh", R"({"client":"c"})").order;
  assert_false(other.user.has_value());
  assert_refused("refresh", "{}", ErrorCode::bad_request);
  assert_refused("refresh", R"({"user":null})", ErrorCode::bad_request);
  assert_refused("refresh", R"({"user":"a","all_users":true})",
                 ErrorCode::not_available);
  (void)only<Instruct>("refresh", R"({"user":"a","session":""})");
  assert_malformed("refresh", R"({"user":1})");
}

void how_clients_are_disconnected(void**) {
  const auto order = only<Instruct>("disconnect", R"({"user":"a"})").order;
  assert_int_equal(order.code, 3503);
  assert_string_equal(order.reason.c_str(), "force disconnect");
  const auto own =
      only<Instruct>(
          "disconnect",
          R"({"user":"a","whitelist":["x"],"disconnect":{"code":4000,"reason":""}})")
          .order;
  assert_int_equal(own.code, 4000);
  assert_true(own.reason.empty() && own.spared.size() == 1);
  for (const Bytes code : {"0", "1000", "2999", "5000", "70000"}) {
    const std::string body =
        R"({"user":"a","disconnect":{"code":)" + std::string(code) + "}}";
    assert_refused("disconnect", body, ErrorCode::bad_request);
  }
  assert_malformed("disconnect", R"({"user":"a","disconnect":{"code":"x"}})");
  assert_malformed("disconnect", R"({"user":"a","disconnect":4000})");
}

void how_clients_are_subscribed(void**) {
  const auto order =
      only<Instruct>(
          "subscribe",
          R"({"user":"a","channel":"c","info":[1],"b64data":"e30=",)"
          R"("expire_at":5,"recover_since":{"epoch":"ff","offset":2},)"
          R"("override":{"force_recovery":{"value":true}}})")
          .order;
  assert_string_equal(order.info.c_str(), "[1]");
  assert_string_equal(order.data.c_str(), "{}");
  assert_true(order.expires == 5);
  assert_true(order.since == Position(255, 2));
  assert_refused("subscribe", R"({"user":"a","channel":"c","b64info":"AP8="})",
                 ErrorCode::bad_request);
  assert_refused(
      "subscribe",
      R"({"user":"a","channel":"c","override":{"presence":{"value":true}}})",
      ErrorCode::not_available);
}

void what_a_history_may_say(void**) {
  const auto all =
      only<History>("history", R"({"channel":"a","limit":-1,"reverse":true})");
  assert_true(all.query.limit == HistoryQuery::kAll && all.query.reverse);
  assert_false(all.query.since.has_value());
  const auto some = only<History>(
      "history", R"({"channel":"a","since":{"epoch":"","offset":4}})");
  assert_true(some.query.limit == 0);
  assert_true(some.query.since == Position(0, 4));
  assert_malformed("history", R"({"channel":"a","limit":1.5})");
  assert_malformed("history", R"({"channel":"a","since":{"offset":-1}})");
}

void a_batch_is_commands(void**) {
  const auto request = read_request(
      "batch",
      R"({"parallel":true,"commands":[{"publish":{"channel":"a","data":1}},)"
      R"({"none":{}},{},{"info":null,"channels":{"pattern":"*"}}]})");
  assert_true(request.ok());
  assert_true(request->form == Request::Form::batch && request->parallel);
  assert_int_equal(request->calls.size(), 4);
  assert_true(request->calls[0].method == "publish");
  assert_true(request->calls[1].method.empty());
  assert_true(request->calls[3].method == "channels");
  assert_true(read_request("batch", "{}")->calls.empty());
  assert_malformed("batch", R"({"commands":{}})");
  assert_malformed("batch", R"({"commands":[1]})");
  assert_malformed("batch", R"({"commands":[{"publish":[]}]})");
  assert_malformed("batch", R"({"commands":[{"publish":{"channel":1}}]})");
}

void the_old_form_is_lines(void**) {
  const auto request = read_request(
      "", R"({"id":3,"method":"publish","params":{"channel":"a","data":1}})"
          "\n\n"
          R"({"method":"batch"}{"method":"info","params":[]})");
  assert_true(request.ok());
  assert_int_equal(request->calls.size(), 3);
  assert_int_equal(request->calls[0].id, 3);
  assert_true(std::get<Refused>(request->calls[1].command).code ==
              ErrorCode::no_method);
  assert_true(std::get<Refused>(request->calls[2].command).code ==
              ErrorCode::bad_request);
  for (const Bytes body :
       {"", " ", "[]", "{", R"({"method":1})", "{}x", R"({"id":4294967296})"}) {
    assert_malformed("", body);
  }
}

void each_channel_of_a_broadcast_counts(void**) {
  const auto request = read_request(
      "batch",
      R"({"commands":[{"broadcast":{"channels":["a","b","c"],"data":1}},)"
      R"({"info":{}}]})");
  assert_int_equal(request->weight(), 4);
}

void what_is_no_json_is_malformed(void**) {
  for (const Bytes body : {"[]", "1", "{", "{}x", "\xff", "{\"a\":\"\xff\"}"}) {
    assert_malformed("info", body);
  }
  (void)only<Info>("info", "");
  (void)only<Info>("info", " \n");
  const std::string deep =
      R"({"a":)" + std::string(600, '[') + std::string(600, ']') + "}";
  assert_malformed("info", deep);
}

void which_methods_there_are(void**) {
  for (const Bytes name :
       {"publish", "broadcast", "subscribe", "unsubscribe", "disconnect",
        "refresh", "presence", "presence_stats", "history", "history_remove",
        "channels", "info", "batch"}) {
    assert_true(is_method(name));
  }
  for (const Bytes name : {"", "rpc", "publis", "Publish"}) {
    assert_false(is_method(name));
  }
}

}  // namespace
}  // namespace paperboy::api

int main() {
  using namespace paperboy::api;
  const CMUnitTest tests[] = {
      cmocka_unit_test(data_stays_as_it_stands),
      cmocka_unit_test(what_a_publish_may_say),
      cmocka_unit_test(whom_an_order_is_for),
      cmocka_unit_test(how_clients_are_disconnected),
      cmocka_unit_test(how_clients_are_subscribed),
      cmocka_unit_test(what_a_history_may_say),
      cmocka_unit_test(a_batch_is_commands),
      cmocka_unit_test(the_old_form_is_lines),
      cmocka_unit_test(each_channel_of_a_broadcast_counts),
      cmocka_unit_test(what_is_no_json_is_malformed),
      cmocka_unit_test(which_methods_there_are),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
