// What is made of a server's answer, good or bad.
#include "cli/http.hpp"

#include <string>

#include "test.hpp"

namespace paperboy::cli {
namespace {

void a_request_has_its_head(void**) {
  const std::string head =
      format_head("GET", "/x?y", "a:81", {{"Origin", "http://b"}});
  assert_true(head.starts_with(
      "GET /x?y HTTP/1.1\r\nHost: a:81\r\nUser-Agent: paperboy-cli/"));
  assert_true(head.ends_with("\r\nOrigin: http://b\r\n\r\n"));
}

void a_head_is_taken_when_it_is_whole(void**) {
  const std::string text = "HTTP/1.1 403 Not for you\r\nA: 1\r\nb:  2 \r\n\r\n";
  for (std::size_t size = 0; size < text.size(); ++size) {
    std::string part = text.substr(0, size);
    const auto head = take_head(part);
    assert_true(head.ok() && !*head);
    assert_int_equal(part.size(), size);
  }
  std::string in = text + "rest";
  const auto head = take_head(in);
  assert_true(head.ok() && *head);
  assert_int_equal((*head)->status, 403);
  assert_string_equal((*head)->reason.c_str(), "Not for you");
  assert_true((*head)->header("B") == "2");
  assert_true((*head)->header("c").empty());
  assert_string_equal(in.c_str(), "rest");
}

void interim_answers_are_passed_over(void**) {
  std::string in = "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 \r\nA: b\r\n\r\n";
  const auto head = take_head(in);
  assert_true(head.ok() && *head);
  assert_int_equal((*head)->status, 200);
  in = "HTTP/1.1 101 Switching Protocols\r\n\r\n";
  assert_int_equal((*take_head(in))->status, 101);
}

void nonsense_is_a_failure(void**) {
  for (const Bytes text :
       {"SSH-2.0-x\r\n\r\n", "HTTP/1.1\r\n\r\n", "HTTP/2 200 OK\r\n\r\n",
        "HTTP/1.1 20x OK\r\n\r\n", "HTTP/1.1 2000\r\n\r\n",
        "HTTP/1.1 200 OK\r\nno colon\r\n\r\n",
        "HTTP/1.1 200 OK\r\na b: c\r\n\r\n"}) {
    std::string in(text);
    const auto head = take_head(in);
    if (head) fail_msg("%s was taken", in.c_str());
    assert_true(head.error().exit == Exit::network);
  }
  std::string endless = "HTTP/1.1 200 OK\r\n" + std::string(kMaxHead, 'a');
  assert_false(take_head(endless).ok());
}

std::string body(Bytes headers, Bytes in, bool ended) {
  std::string text = "HTTP/1.1 200 OK\r\n" + std::string(headers) + "\r\n";
  const auto head = take_head(text);
  const auto whole = body_of(**head, in, ended);
  if (!whole) return "failure";
  return *whole ? "<" + **whole + ">" : "more";
}

void a_body_ends_where_its_length_says(void**) {
  const Bytes three = "Content-Length: 3\r\n";
  assert_string_equal(body(three, "ab", false).c_str(), "more");
  assert_string_equal(body(three, "abcd", false).c_str(), "<abc>");
  assert_string_equal(body(three, "ab", true).c_str(), "failure");
  for (const Bytes bad : {"Content-Length: x\r\n", "Content-Length: -1\r\n",
                          "Content-Length: 99999999\r\n"}) {
    assert_string_equal(body(bad, "", false).c_str(), "failure");
  }
}

void a_body_ends_with_its_last_chunk(void**) {
  const Bytes chunked = "Transfer-Encoding: chunked\r\n";
  const Bytes whole = "3\r\nabc\r\nA;x=y\r\n0123456789\r\n0\r\n\r\n";
  assert_string_equal(body(chunked, whole, false).c_str(), "<abc0123456789>");
  for (std::size_t size = 0; size < whole.size() - 4; ++size) {
    assert_string_equal(body(chunked, whole.substr(0, size), false).c_str(),
                        "more");
    assert_string_equal(body(chunked, whole.substr(0, size), true).c_str(),
                        "failure");
  }
  for (const Bytes bad :
       {"x\r\n", "\r\n", "-1\r\n", "fffffffff\r\n", "ffffffffffffffffff\r\n"}) {
    assert_string_equal(body(chunked, bad, false).c_str(), "failure");
  }
}

void a_body_without_length_ends_with_the_connection(void**) {
  assert_string_equal(body("", "abc", false).c_str(), "more");
  assert_string_equal(body("", "abc", true).c_str(), "<abc>");
  assert_string_equal(body("", std::string(kMaxBody + 1, 'x'), false).c_str(),
                      "failure");
}

void refusals_are_readable(void**) {
  const Head head{403, "Forbidden", {}};
  assert_string_equal(
      refusal_text(head, R"({"error":"forbidden","message":"not you"})")
          .c_str(),
      "403 Forbidden: not you (forbidden)");
  assert_string_equal(refusal_text(head, "<html>").c_str(), "403 Forbidden");
  const Head moved{301, "Moved", {{"Location", "https://a/b?token=s3cret"}}};
  const std::string text = refusal_text(moved, "");
  assert_true(text.find("https://a/b:") != std::string::npos);
  assert_true(text.find("s3cret") == std::string::npos);
}

}  // namespace
}  // namespace paperboy::cli

int main() {
  using namespace paperboy::cli;
  const CMUnitTest tests[] = {
      cmocka_unit_test(a_request_has_its_head),
      cmocka_unit_test(a_head_is_taken_when_it_is_whole),
      cmocka_unit_test(interim_answers_are_passed_over),
      cmocka_unit_test(nonsense_is_a_failure),
      cmocka_unit_test(a_body_ends_where_its_length_says),
      cmocka_unit_test(a_body_ends_with_its_last_chunk),
      cmocka_unit_test(a_body_without_length_ends_with_the_connection),
      cmocka_unit_test(refusals_are_readable),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
