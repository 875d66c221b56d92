#include "cli/url.hpp"

#include <string>

#include "test.hpp"

namespace paperboy::cli {
namespace {

void assert_url(Bytes text, Bytes expected) {
  const auto url = parse_url(text);
  if (!url) fail_msg("%s", url.error().text.c_str());
  const std::string shown = std::string(url->tls ? "tls " : "plain ") +
                            url->host + " " + url->port + " " + url->target +
                            " " + url->host_header();
  assert_string_equal(shown.c_str(), std::string(expected).c_str());
}

void urls_of_four_schemes_are_read(void**) {
  assert_url("ws://a", "plain a 80 / a");
  assert_url("wss://a.example/x?y=z", "tls a.example 443 /x?y=z a.example");
  assert_url("HTTP://a:8080/x", "plain a 8080 /x a:8080");
  assert_url("https://a:443?q#f", "tls a 443 /?q a");
  assert_url("http://a:443", "plain a 443 / a:443");
  assert_url("ws://[::1]:8080/x", "plain ::1 8080 /x [::1]:8080");
  assert_url("ws://[::1]/x", "plain ::1 80 /x [::1]");
  assert_url("ws://127.0.0.1/#f", "plain 127.0.0.1 80 / 127.0.0.1");
}

void what_is_none_is_refused_and_not_repeated(void**) {
  for (const Bytes text :
       {Bytes(""), Bytes("s3cret"), Bytes("ftp://s3cret"),
        Bytes("http://s3cret@host/"), Bytes("http://u:s3cret@host/"),
        Bytes("http://"), Bytes("http:///s3cret"), Bytes("http://s3cret:0/"),
        Bytes("http://s3cret:65536/"), Bytes("http://s3cret:x/"),
        Bytes("http://[s3cret/"), Bytes("http://[::1]s3cret/"),
        Bytes("http://-s3cret/"), Bytes("http://a/s3cret b"),
        Bytes("http://a/\r\ns3cret: b"), Bytes("http://a b/s3cret"),
        Bytes("http://a:-1/"), Bytes("http://a:/")}) {
    const auto url = parse_url(text);
    if (url) fail_msg("%s was taken", std::string(text).c_str());
    assert_true(url.error().exit == Exit::usage);
    assert_true(url.error().text.find("s3cret") == std::string::npos);
  }
  assert_false(parse_url("http://a/" + std::string(9000, 'x')).ok());
}

void a_channel_becomes_an_argument(void**) {
  const auto target = [](Bytes text, Bytes channel) {
    auto url = parse_url(text);
    const auto with = with_channel(std::move(*url), channel);
    return with ? with->target : "refused";
  };
  assert_string_equal(target("http://a/p", "news").c_str(), "/p?channel=news");
  assert_string_equal(target("http://a/p?x=1", "a:b/c").c_str(),
                      "/p?x=1&channel=a:b/c");
  assert_string_equal(target("http://a/p", "gr\u00fcn").c_str(),
                      "/p?channel=gr\u00fcn");
  for (const Bytes bad : {"", "a b", "a&b", "a#b", "a\r\nb"}) {
    assert_string_equal(target("http://a/p", bad).c_str(), "refused");
  }
}

}  // namespace
}  // namespace paperboy::cli

int main() {
  using namespace paperboy::cli;
  const CMUnitTest tests[] = {
      cmocka_unit_test(urls_of_four_schemes_are_read),
      cmocka_unit_test(what_is_none_is_refused_and_not_repeated),
      cmocka_unit_test(a_channel_becomes_an_argument),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
