#include "broker/redis_url.hpp"

#include <string>

#include "test.hpp"  // last: a macro of its own is called fail

namespace paperboy::broker::redis {
namespace {

/// All of a URL as one line; of one that is refused: a word of the reason.
std::string read(Bytes text) {
  const auto url = parse_url(text);
  if (!url) {
    assert_true(url.error().code == ErrorCode::bad_request);
    return std::string(url.error().message);
  }
  const Server& server = url->server;
  std::string line = server.path.empty()
                         ? server.host + " " + std::to_string(server.port)
                         : server.path;
  if (server.tls) line += " tls";
  if (!url->user.empty()) line += " user=" + url->user;
  if (!url->password.empty()) line += " password=" + url->password;
  return line + " db=" + std::to_string(url->database);
}

bool refuses(Bytes text, Bytes word) {
  return read(text).find(word) != std::string::npos;
}

void a_server_has_a_host_and_a_port(void**) {
  assert_true(read("redis://localhost") == "localhost 6379 db=0");
  assert_true(read("REDIS://10.0.0.1:7000/") == "10.0.0.1 7000 db=0");
  assert_true(read("redis://a-b_c.example:1/15") == "a-b_c.example 1 db=15");
  assert_true(read("rediss://r:65535") == "r 65535 tls db=0");
}

void an_ipv6_address_stands_in_brackets(void**) {
  assert_true(read("redis://[::1]") == "::1 6379 db=0");
  assert_true(read("redis://u:p@[fe80::1]:7000/2") ==
              "fe80::1 7000 user=u password=p db=2");
  assert_true(refuses("redis://::1", "brackets"));
  assert_true(refuses("redis://[::1", "host"));
  assert_true(refuses("redis://[::1]7000", "host"));
  assert_true(refuses("redis://[localhost]", "host"));
}

void a_password_comes_with_or_without_a_user(void**) {
  assert_true(read("redis://:secret@h") == "h 6379 password=secret db=0");
  assert_true(read("redis://joe:a%40b%2Fc%3a@h") ==
              "h 6379 user=joe password=a@b/c: db=0");
  assert_true(read("redis://joe:a@b:c@h") ==
              "h 6379 user=joe password=a@b:c db=0");
  assert_true(refuses("redis://joe@h", "user"));
  assert_true(refuses("redis://joe:@h", "user"));
  assert_true(refuses("redis://:a%4@h", "%"));
  assert_true(refuses("redis://:a%zz@h", "%"));
  assert_true(refuses("redis://:a%-1@h", "%"));
}

void a_unix_socket_has_a_path(void**) {
  assert_true(read("unix:/run/redis.sock") == "/run/redis.sock db=0");
  assert_true(read("unix:/a%20b?db=3") == "/a b db=3");
  assert_true(refuses("unix:redis.sock", "begins"));
  assert_true(refuses("unix:/a?db=", "number"));
  assert_true(refuses("unix:/a?database=1", "?db="));
  assert_true(refuses("unix:/a%00b", "NUL"));
  assert_true(refuses("unix:/" + std::string(107, 'a'), "107"));
  assert_true(read("unix:/" + std::string(106, 'a')) ==
              "/" + std::string(106, 'a') + " db=0");
}

void what_is_wrong_is_said(void**) {
  for (const Bytes text : {"", "localhost", "http://h", "redis:h", "redis:/"}) {
    assert_true(refuses(text, "begins with"));
  }
  for (const Bytes text : {"redis://", "redis:///1", "redis://-h",
                           "redis://h%41", "redis://u:p@", "redis://h,i"}) {
    assert_true(refuses(text, "host"));
  }
  for (const Bytes text :
       {"redis://h:", "redis://h:0", "redis://h:65536", "redis://h:1x"}) {
    assert_true(refuses(text, "port"));
  }
  for (const Bytes text : {"redis://h/x", "redis://h/-1", "redis://h/1/2",
                           "redis://h/4294967296"}) {
    assert_true(refuses(text, "database"));
  }
  assert_true(refuses("redis://h/1?a=b", "nothing may follow"));
  assert_true(refuses("redis://h#x", "nothing may follow"));
  assert_true(refuses("redis://h h", "white space"));
}

void an_error_shows_no_password(void**) {
  for (const Bytes text : {"redis://:hunter2@", "redis://:hunter2@h:x",
                           "redis://:hunter2%@h", "redis://hunter2@h"}) {
    assert_false(parse_url(text).ok());
    assert_true(read(text).find("hunter2") == std::string::npos);
  }
}

void a_log_shows_a_server_without_its_password(void**) {
  assert_true(name_of(parse_url("redis://:p@h/1")->server) == "h:6379");
  assert_true(name_of(parse_url("rediss://[::1]:7")->server) == "[::1]:7");
  assert_true(name_of(parse_url("unix:/a?db=1")->server) == "unix:/a");
}

}  // namespace
}  // namespace paperboy::broker::redis

int main() {
  using namespace paperboy::broker::redis;
  const CMUnitTest tests[] = {
      cmocka_unit_test(a_server_has_a_host_and_a_port),
      cmocka_unit_test(an_ipv6_address_stands_in_brackets),
      cmocka_unit_test(a_password_comes_with_or_without_a_user),
      cmocka_unit_test(a_unix_socket_has_a_path),
      cmocka_unit_test(what_is_wrong_is_said),
      cmocka_unit_test(an_error_shows_no_password),
      cmocka_unit_test(a_log_shows_a_server_without_its_password),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
