#include "backend/callback.hpp"

#include <string>

#include "test.hpp"  // last: a macro of its own is called fail

namespace paperboy::backend {
namespace {

std::string body(const std::string& host, const std::string& port,
                 const std::string& path) {
  return R"({"restHostname":")" + host + R"(","restPort":)" + port +
         R"(,"restPath":")" + path + R"("})";
}

void a_callback_is_read(void**) {
  const auto read = read_callback(1, body("App-1.Example", "8080", "/a?b=c"));
  assert_true(read.ok());
  const Callback wanted{
      .topic = 1, .host = "app-1.example", .port = 8080, .path = "/a?b=c"};
  assert_true(*read == wanted);
  assert_string_equal(url_of(*read).c_str(), "http://app-1.example:8080/a?b=c");
  const auto v6 = read_callback(3, body("[FD00::1]", "1", "/"));
  assert_true(v6.ok());
  assert_string_equal(v6->host.c_str(), "fd00::1");
  assert_string_equal(url_of(*v6).c_str(), "http://[fd00::1]:1/");
}

void one_that_is_none_is_refused(void**) {
  const std::string long_path = "/" + std::string(Callback::kMaxPath, 'x');
  for (const std::string& text :
       {std::string(),
        std::string("[]"),
        std::string("{}"),
        body("a", "0", "/"),
        body("a", "65536", "/"),
        body("a", "-1", "/"),
        body("a", "1.5", "/"),
        body("a", "\"1\"", "/"),
        body("", "1", "/"),
        body("a b", "1", "/"),
        body("a/b", "1", "/"),
        body("a\\r\\nb", "1", "/"),
        body("u@a", "1", "/"),
        body("a%00", "1", "/"),
        body(std::string(Callback::kMaxHost + 1, 'a'), "1", "/"),
        body("a", "1", ""),
        body("a", "1", "a"),
        body("a", "1", "/ b"),
        body("a", "1", "/\\n"),
        body("a", "1", "/\\u007f"),
        body("a", "1", "/\\u00e4"),
        body("a", "1", "/#"),
        body("a", "1", long_path)}) {
    const auto read = read_callback(3, text);
    assert_false(read.ok());
    assert_true(read.error().code == ErrorCode::bad_request);
  }
}

void it_is_called_with_a_post(void**) {
  const Callback callback{.host = "::1", .port = 80, .path = "/x"};
  assert_string_equal(post_request(callback, "token", "{}").c_str(),
                      "POST /x HTTP/1.1\r\nHost: [::1]:80\r\n"
                      "PaperboyEmbeddedBackendToken: token\r\n"
                      "Content-Type: application/json\r\nContent-Length: 2\r\n"
                      "Connection: close\r\n\r\n{}");
}

void topics_have_numbers(void**) {
  assert_int_equal(*topic_number("paperboy-message"),
                   static_cast<int>(Topic::message));
  assert_int_equal(*topic_number(kRequests), kRequestsTopic);
  assert_false(topic_number("paperboy").has_value());
  assert_false(topic_number("").has_value());
}

}  // namespace
}  // namespace paperboy::backend

int main() {
  using namespace paperboy::backend;
  const CMUnitTest tests[] = {
      cmocka_unit_test(a_callback_is_read),
      cmocka_unit_test(one_that_is_none_is_refused),
      cmocka_unit_test(it_is_called_with_a_post),
      cmocka_unit_test(topics_have_numbers),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
