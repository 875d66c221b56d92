// Answers of callbacks, good and hostile, at every split point.
#include "backend/http_answer.hpp"

#include <string>

#include "test.hpp"  // last: a macro of its own is called fail

namespace paperboy::backend {
namespace {

using State = HttpAnswer::State;

/// Its status; 0: it is bad, and -1: it isn't over. The same however it comes.
int read(const std::string& text, bool ends = false) {
  const auto result = [ends](HttpAnswer& answer, State state) {
    if (ends) state = answer.end();
    if (state == State::more) return -1;
    assert_true((state == State::bad) == (answer.status() == 0));
    assert_true((state == State::bad) == !answer.why().empty());
    return answer.status();
  };
  HttpAnswer whole;
  const int status = result(whole, whole.feed(text));
  for (std::size_t i = 0; i <= text.size() && text.size() < 300; ++i) {
    HttpAnswer answer;
    answer.feed(Bytes(text).substr(0, i));
    assert_int_equal(result(answer, answer.feed(Bytes(text).substr(i))),
                     status);
  }
  return status;
}

void a_length_says_where_it_ends(void**) {
  const std::string head = "HTTP/1.1 200 OK\r\nX: y\r\nContent-Length: 4\r\n";
  assert_int_equal(read(head + "\r\ndone"), 200);
  assert_int_equal(read(head + "\r\ndone and more"), 200);
  assert_int_equal(read(head + "\r\ndon"), -1);
  assert_int_equal(read(head + "content-LENGTH:\t4 \r\n\r\ndone"), 200);
  assert_int_equal(read("HTTP/1.0 404 \r\nContent-Length: 0\r\n\r\n"), 404);
  assert_int_equal(read("HTTP/1.1 500\r\nContent-Length: 0\r\n\r\n"), 500);
  assert_int_equal(read("HTTP/1.1 204 No\r\n\r\n"), 204);
}

void else_the_stream_does(void**) {
  assert_int_equal(read("HTTP/1.1 200 OK\r\n\r\ndone"), -1);
  assert_int_equal(read("HTTP/1.1 200 OK\r\n\r\ndone", true), 200);
  const std::string chunked =
      "HTTP/1.1 201 OK\r\nTransfer-Encoding: chunked\r\nContent-Length: "
      "1\r\n\r\n4\r\ndone\r\n";
  assert_int_equal(read(chunked), -1);
  assert_int_equal(read(chunked, true), 201);
  assert_int_equal(read("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n", true),
                   200);
}

void interim_answers_are_passed_over(void**) {
  const std::string interim = "HTTP/1.1 103 Early\r\nContent-Length: x\r\n\r\n";
  const std::string last = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
  assert_int_equal(read(interim + interim + last), 200);
  std::string many;
  for (int i = 0; i < 9; ++i) many += interim;
  assert_int_equal(read(many + last), 0);
  assert_int_equal(read(interim, true), 0);
  assert_int_equal(read("HTTP/1.1 101 Switching\r\n\r\n"), 0);
}

void what_is_none_is_bad(void**) {
  for (const char* const line :
       {"", "SSH-2.0-x", "HTTP/2 200 OK", "HTTP/1.1 20 OK", "HTTP/1.1 2000 OK",
        "HTTP/1.1 0200", "HTTP/1.1 099 X", "HTTP/1.1  200 OK", "HTTP/1.x 200",
        "http/1.1 200 OK", "HTTP/1.1 -20 OK", " HTTP/1.1 200 OK"}) {
    assert_int_equal(read(std::string(line) + "\r\nA: b\r\n\r\n"), 0);
  }
  for (const char* const length :
       {"", "-1", "+1", "1 2", "1,1", "0x1", "1x", "99999999999999999999999"}) {
    assert_int_equal(read(std::string("HTTP/1.1 200 OK\r\nContent-Length: ") +
                          length + "\r\n\r\n"),
                     0);
  }
  assert_int_equal(read("HTTP/1.1 200 OK\r\nContent-Length: 1\r\n"
                        "Content-Length: 2\r\n\r\n"),
                   0);
  assert_int_equal(read("HTTP/1.1 200 OK\r\n", true), 0);
  assert_int_equal(read("", true), 0);
}

void all_is_bounded(void**) {
  const std::string line = "HTTP/1.1 200 OK\r\nX: ";
  const std::string fits(HttpAnswer::kMaxHead - line.size() - 4, 'x');
  assert_int_equal(read(line + fits + "\r\n\r\n", true), 200);
  assert_int_equal(read(line + fits + "xxxxx"), 0);
  assert_int_equal(read(std::string(1'000'000, '\0')), 0);
  assert_int_equal(read(std::string(1'000'000, '\n')), 0);
  const std::string head = "HTTP/1.1 200 OK\r\n\r\n";
  assert_int_equal(read(head + std::string(HttpAnswer::kMaxBody, 'x')), -1);
  assert_int_equal(read(head + std::string(HttpAnswer::kMaxBody + 1, 'x')),
                   200);
  HttpAnswer slow;
  State state = State::more;
  std::size_t fed = 0;
  for (; state == State::more; ++fed) state = slow.feed("x");
  assert_true(state == State::bad);
  assert_int_equal(fed, HttpAnswer::kMaxHead + 1);
  assert_true(slow.feed("HTTP/1.1 200 OK\r\n\r\n") == State::bad);
}

}  // namespace
}  // namespace paperboy::backend

int main() {
  using namespace paperboy::backend;
  const CMUnitTest tests[] = {
      cmocka_unit_test(a_length_says_where_it_ends),
      cmocka_unit_test(else_the_stream_does),
      cmocka_unit_test(interim_answers_are_passed_over),
      cmocka_unit_test(what_is_none_is_bad),
      cmocka_unit_test(all_is_bounded),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
