#include "ws/handshake.hpp"

#include <algorithm>
#include <string>

#include "test.hpp"  // last: a macro of its own is called fail

namespace paperboy::ws {
namespace {

constexpr Bytes kKey = "dGhlIHNhbXBsZSBub25jZQ==";

// The request of RFC 6455 section 1.2, to be spoilt.
struct Request {
  Bytes method = "GET";
  int major = 1;
  int minor = 1;
  std::vector<HeaderField> headers{
      {"Host", "server.example.com"},   {"Upgrade", "websocket"},
      {"Connection", "Upgrade"},        {"Sec-WebSocket-Key", kKey},
      {"Origin", "http://example.com"}, {"Sec-WebSocket-Version", "13"},
  };

  Request& set(Bytes name, Bytes value) {
    for (HeaderField& field : headers) {
      if (field.name == name) field.value = value;
    }
    return *this;
  }
  Request& add(Bytes name, Bytes value) {
    headers.push_back({name, value});
    return *this;
  }
  Request& remove(Bytes name) {
    std::erase_if(headers, [&](const auto& f) { return f.name == name; });
    return *this;
  }
  [[nodiscard]] Result<Upgrade, Refusal> check() const {
    return check_upgrade({method, major, minor, headers});
  }
};

void assert_good(const Request& request) { assert_true(request.check().ok()); }

void assert_refused(const Request& request, int status = 400) {
  const auto result = request.check();
  assert_false(result.ok());
  assert_int_equal(result.error().status, status);
  assert_false(result.error().reason.empty());
}

void the_example_of_the_rfc_is_an_upgrade(void**) {
  const Request request;
  const auto result = request.check();
  assert_true(result.ok());
  assert_true(result.value().key == kKey);
  assert_true(result.value().protocols.empty());
  assert_true(result.value().extensions.empty());
}

void the_accept_value_is_that_of_the_rfc(void**) {
  const auto value = accept_value(kKey);
  assert_memory_equal(value.data(), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=", 28);
}

void other_methods_are_answered_405(void**) {
  for (const Bytes method : {"POST", "HEAD", "get", "CONNECT", ""}) {
    Request request;
    request.method = method;
    assert_refused(request, 405);
  }
}

void http_before_1_1_and_from_2_on_is_refused(void**) {
  for (const auto& [major, minor] : {std::pair{1, 0}, {0, 9}, {2, 0}, {3, 0}}) {
    Request request;
    request.major = major;
    request.minor = minor;
    assert_refused(request);
  }
}

void names_of_headers_have_any_case(void**) {
  Request request;
  request.headers = {
      {"HOST", "a"},
      {"upgrade", "websocket"},
      {"connection", "upgrade"},
      {"sec-websocket-key", kKey},
      {"SEC-WEBSOCKET-VERSION", "13"},
  };
  assert_good(request);
}

void the_host_is_needed_once(void**) {
  assert_refused(Request().remove("Host"));
  assert_refused(Request().set("Host", " "));
  assert_refused(Request().add("Host", "server.example.com"));
}

void upgrade_names_websocket_in_any_case_among_others(void**) {
  assert_good(Request().set("Upgrade", "WebSocket"));
  assert_good(Request().set("Upgrade", "h2c, WEBSOCKET"));
  assert_good(Request().set("Upgrade", "h2c").add("Upgrade", "websocket"));
  assert_refused(Request().remove("Upgrade"));
  assert_refused(Request().set("Upgrade", ""));
  assert_refused(Request().set("Upgrade", "h2c"));
  assert_refused(Request().set("Upgrade", "websocket2"));
  assert_refused(Request().set("Upgrade", "web socket"));
}

void connection_names_upgrade_in_any_case_among_others(void**) {
  assert_good(Request().set("Connection", "keep-alive, upgrade"));
  assert_good(Request().set("Connection", "keep-alive,\tUPGRADE ,"));
  assert_good(
      Request().set("Connection", "close").add("Connection", "Upgrade"));
  assert_refused(Request().remove("Connection"));
  assert_refused(Request().set("Connection", "keep-alive"));
  assert_refused(Request().set("Connection", "keep-alive; upgrade"));
}

void the_key_is_16_bytes_in_base64_once(void**) {
  assert_good(Request().set("Sec-WebSocket-Key", "////////////////++++++=="));
  assert_good(
      Request().set("Sec-WebSocket-Key", "\t dGhlIHNhbXBsZSBub25jZQ== "));
  assert_refused(Request().remove("Sec-WebSocket-Key"));
  assert_refused(Request().add("Sec-WebSocket-Key", kKey));
  for (const Bytes key :
       {"", "dGhlIHNhbXBsZSBub25jZQ=", "dGhlIHNhbXBsZSBub25jZQ",
        "dGhlIHNhbXBsZSBub25jZQA=", "dGhlIHNhbXBsZSBub25jZQAA",
        "dGhlIHNhbXBsZSBub25j====", "dGhlIHNhbXBsZSBub25j_Q==",
        "dGhlIHNhbXBs ZSBub25jZQ==", "dGhlIHNhbXBsZSBub25jZQ==, x",
        "=GhlIHNhbXBsZSBub25jZQ=="}) {
    assert_refused(Request().set("Sec-WebSocket-Key", key));
  }
}

void a_key_of_bytes_outside_ascii_is_refused(void**) {
  assert_refused(
      Request().set("Sec-WebSocket-Key",
                    "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"
                    "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff=="));
}

void other_versions_are_answered_426(void**) {
  for (const Bytes version : {"12", "14", "8", "0", "013", "13, 8", "x", ""}) {
    assert_refused(Request().set("Sec-WebSocket-Version", version), 426);
  }
  assert_refused(Request().remove("Sec-WebSocket-Version"), 426);
  assert_refused(
      Request().remove("Sec-WebSocket-Version").remove("Sec-WebSocket-Key"),
      426);
}

void a_version_given_twice_is_refused(void**) {
  assert_refused(Request().add("Sec-WebSocket-Version", "13"));
}

std::string protocols_of(const Request& request) {
  const auto result = request.check();
  assert_true(result.ok());
  std::string text;
  for (const Bytes name : result.value().protocols) {
    text.append(name).append(";");
  }
  return text;
}

void protocols_keep_the_order_of_the_client(void**) {
  assert_string_equal(
      protocols_of(Request().add("Sec-WebSocket-Protocol", "chat, superchat"))
          .c_str(),
      "chat;superchat;");
  assert_string_equal(protocols_of(Request()
                                       .add("Sec-WebSocket-Protocol", "b ,, a")
                                       .add("sec-websocket-protocol", "c"))
                          .c_str(),
                      "b;a;c;");
}

void a_token_may_stand_among_the_protocols(void**) {
  assert_string_equal(protocols_of(Request().add("Sec-WebSocket-Protocol",
                                                 "bearer.e30.e30.A-_z, chat"))
                          .c_str(),
                      "bearer.e30.e30.A-_z;chat;");
}

void protocols_differ_in_case(void**) {
  assert_good(Request().add("Sec-WebSocket-Protocol", "chat, Chat"));
}

void malformed_protocols_are_refused(void**) {
  for (const Bytes value : {"", " ", ",", "a b", "a;b", "a=b", "\"a\"", "a/b",
                            "a, \x80", "a, b, a"}) {
    assert_refused(Request().add("Sec-WebSocket-Protocol", value));
  }
}

void a_protocol_repeated_on_another_line_is_refused(void**) {
  assert_refused(Request()
                     .add("Sec-WebSocket-Protocol", "a, b")
                     .add("Sec-WebSocket-Protocol", "b"));
}

void extensions_are_handed_on_line_by_line(void**) {
  const Request request =
      Request()
          .add("Sec-WebSocket-Extensions", "permessage-deflate; a=\"1\"")
          .add("Sec-WebSocket-Extensions", "other");
  const auto result = request.check();
  assert_true(result.ok());
  assert_int_equal(result.value().extensions.size(), 2);
  assert_true(result.value().extensions[0] == "permessage-deflate; a=\"1\"");
  assert_true(result.value().extensions[1] == "other");
}

void malformed_extensions_are_refused(void**) {
  for (const Bytes value : {"a;", "a; b=", "a b", "a; b=\"1", "a=b"}) {
    assert_refused(Request().add("Sec-WebSocket-Extensions", value));
  }
}

}  // namespace
}  // namespace paperboy::ws

int main() {
  using namespace paperboy::ws;
  const CMUnitTest tests[] = {
      cmocka_unit_test(the_example_of_the_rfc_is_an_upgrade),
      cmocka_unit_test(the_accept_value_is_that_of_the_rfc),
      cmocka_unit_test(other_methods_are_answered_405),
      cmocka_unit_test(http_before_1_1_and_from_2_on_is_refused),
      cmocka_unit_test(names_of_headers_have_any_case),
      cmocka_unit_test(the_host_is_needed_once),
      cmocka_unit_test(upgrade_names_websocket_in_any_case_among_others),
      cmocka_unit_test(connection_names_upgrade_in_any_case_among_others),
      cmocka_unit_test(the_key_is_16_bytes_in_base64_once),
      cmocka_unit_test(a_key_of_bytes_outside_ascii_is_refused),
      cmocka_unit_test(other_versions_are_answered_426),
      cmocka_unit_test(a_version_given_twice_is_refused),
      cmocka_unit_test(protocols_keep_the_order_of_the_client),
      cmocka_unit_test(a_token_may_stand_among_the_protocols),
      cmocka_unit_test(protocols_differ_in_case),
      cmocka_unit_test(malformed_protocols_are_refused),
      cmocka_unit_test(a_protocol_repeated_on_another_line_is_refused),
      cmocka_unit_test(extensions_are_handed_on_line_by_line),
      cmocka_unit_test(malformed_extensions_are_refused),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
