// Which origins a rule lets in, and which rules there can be.
#include "auth/origin.hpp"

#include <optional>
#include <string>

#include "test.hpp"

namespace {

using paperboy::Bytes;
using paperboy::auth::Origin;
using paperboy::auth::OriginPolicy;
using paperboy::auth::OriginRule;
using paperboy::auth::Self;

using namespace std::string_view_literals;

constexpr Self kSelf{"https", "example.com"};

OriginRule rule_of(Bytes pattern) {
  auto rule = OriginRule::parse(pattern);
  if (!rule) {
    fail_msg("%s: %s", pattern.data(), rule.error().message.data());
  }
  return std::move(rule).value();
}

struct Row {
  Bytes pattern;
  Bytes origin;
  bool matches;
};

template <std::size_t N>
void assert_rows(const Row (&rows)[N]) {
  for (const Row& row : rows) {
    if (rule_of(row.pattern).matches(row.origin, kSelf) != row.matches) {
      fail_msg("%s and %s", row.pattern.data(), row.origin.data());
    }
  }
}

void an_origin_has_one_normal_form(void**) {
  const struct {
    Bytes in, out;
  } rows[] = {
      {"https://example.com", "https://example.com"},
      {"HTTPS://Example.COM", "https://example.com"},
      {"https://example.com:443", "https://example.com"},
      {"https://example.com:0443", "https://example.com"},
      {"http://example.com:80", "http://example.com"},
      {"http://example.com:443", "http://example.com:443"},
      {"https://example.com:8443", "https://example.com:8443"},
      {"https://example.com.", "https://example.com."},
      {"http://localhost:8080", "http://localhost:8080"},
      {"http://127.0.0.1", "http://127.0.0.1"},
      {"http://[::1]:8080", "http://[::1]:8080"},
      {"http://[::1]:80", "http://[::1]"},
      {"https://[2001:DB8:0:0::1]", "https://[2001:db8::1]"},
      {"https://xn--mnchen-3ya.de", "https://xn--mnchen-3ya.de"},
      {"https://a_b.example.com", "https://a_b.example.com"},
      {"chrome-extension://abcdef", "chrome-extension://abcdef"},
      {"capacitor://localhost", "capacitor://localhost"},
  };
  for (const auto& row : rows) {
    const auto origin = Origin::parse(row.in);
    assert_true(origin.has_value());
    assert_string_equal(origin->text().c_str(), row.out.data());
    assert_true(Origin::parse(origin->text()) == origin);
  }
}

constexpr Bytes kNoOrigins[] = {
    ""sv,
    "null"sv,
    "NULL"sv,
    "example.com"sv,
    "https:example.com"sv,
    "https:/example.com"sv,
    "://example.com"sv,
    "https://"sv,
    "file://"sv,
    "https:///"sv,
    "https://example.com/"sv,
    "https://example.com/path"sv,
    "https://example.com?q"sv,
    "https://example.com#f"sv,
    "https://user@example.com"sv,
    "https://user:pass@example.com"sv,
    "https://example.com@evil.org"sv,
    "https://example.com:"sv,
    "https://example.com:x"sv,
    "https://example.com:-1"sv,
    "https://example.com:+443"sv,
    "https://example.com:65536"sv,
    "https://example.com:99999999999999999999"sv,
    "https://example.com:443:443"sv,
    "https://example.com:443 "sv,
    "https://.example.com"sv,
    "https://example..com"sv,
    "https://example.com.."sv,
    "https://."sv,
    "https://*.example.com"sv,
    "https://ex%61mple.com"sv,
    "https://example.com\0"sv,
    "https://example.com\0.evil.org"sv,
    "https://exam\nple.com"sv,
    "https://m\xc3\xbcnchen.de"sv,
    " https://example.com"sv,
    "https://example.com "sv,
    "https://a.com, https://b.com"sv,
    "https://a.com https://b.com"sv,
    "https://a.com\\b"sv,
    "1https://example.com"sv,
    "ht_tps://example.com"sv,
    "https://[::1"sv,
    "https://::1"sv,
    "https://[::1]x"sv,
    "https://[::1]."sv,
    "https://x[::1]"sv,
    "https://[]"sv,
    "https://["sv,
    "https://]"sv,
    "https://[127.0.0.1]"sv,
    "https://[fe80::1%25eth0]"sv,
    "https://[::1\0]"sv,
    "https://[v1.x]"sv,
};

void what_is_no_origin_is_refused(void**) {
  for (const Bytes text : kNoOrigins) {
    if (Origin::parse(text)) {
      fail_msg("accepted: %s", text.data());
    }
    for (const Bytes pattern : {"https://example.com", "https://*.example.com",
                                "~.*", "same", "https://*.org"}) {
      assert_false(rule_of(pattern).matches(text, kSelf));
    }
  }
}

void an_origin_has_512_bytes(void**) {
  const std::string longest = "https://" + std::string(504, 'a');
  assert_true(Origin::parse(longest).has_value());
  assert_false(Origin::parse(longest + "a").has_value());
}

void an_exact_rule_is_for_one_origin(void**) {
  const Row rows[] = {
      {"https://example.com", "https://example.com", true},
      {"https://example.com", "HTTPS://EXAMPLE.COM", true},
      {"https://Example.com", "https://example.com", true},
      {"https://example.com", "https://example.com:443", true},
      {"https://example.com:443", "https://example.com", true},
      {"https://example.com", "https://example.com:8443", false},
      {"https://example.com:8443", "https://example.com", false},
      {"https://example.com:8443", "https://example.com:8443", true},
      {"https://example.com", "http://example.com", false},
      {"https://example.com", "https://example.com.", false},
      {"https://example.com", "https://www.example.com", false},
      {"https://example.com", "https://example.com.evil.org", false},
      {"https://example.com", "https://evil-example.com", false},
      {"https://example.com", "https://exampleXcom", false},
      {"https://example.com", "null", false},
      {"http://[::1]:8080", "http://[0:0:0:0:0:0:0:1]:8080", true},
      {"http://[::1]:8080", "http://[::2]:8080", false},
  };
  assert_rows(rows);
}

void a_wildcard_is_for_one_label_or_more(void**) {
  const Row rows[] = {
      {"https://*.example.com", "https://a.example.com", true},
      {"https://*.example.com", "https://a.b.example.com", true},
      {"https://*.example.com", "https://A.EXAMPLE.com:443", true},
      {"https://*.Example.com", "https://a.example.com", true},
      {"https://*.example.com", "https://example.com", false},
      {"https://*.example.com", "https://.example.com", false},
      {"https://*.example.com", "https://evilexample.com", false},
      {"https://*.example.com", "https://a.example.com.evil.org", false},
      {"https://*.example.com", "https://a.example.com.", false},
      {"https://*.example.com", "https://evil.org/.example.com", false},
      {"https://*.example.com", "https://evil.org#.example.com", false},
      {"https://*.example.com", "https://u@a.example.com", false},
      {"https://*.example.com", "http://a.example.com", false},
      {"https://*.example.com", "https://a.example.com:8443", false},
      {"https://*.example.com:8443", "https://a.example.com:8443", true},
      {"https://*.example.com:8443", "https://a.example.com", false},
      {"https://*.example.com", "null", false},
  };
  assert_rows(rows);
}

void a_regex_is_for_the_whole_origin(void**) {
  const Row rows[] = {
      {"~https://example\\.com", "https://example.com", true},
      {"~https://example\\.com", "https://example.com.evil.org", false},
      {"~https://example\\.com", "https://example.com:8443", false},
      {"~example\\.com", "https://example.com", false},
      {"~https://a\\.com|https://b\\.com", "https://a.com", true},
      {"~https://a\\.com|https://b\\.com", "https://b.com", true},
      {"~https://a\\.com|https://b\\.com", "https://a.com.evil.org", false},
      {"~https://a|https://a\\.com", "https://a.com", true},
      {"~^https://[a-z]+\\.example\\.com$", "https://a.example.com", true},
      {"~https://EXAMPLE\\.com", "https://example.com", true},
      {"~https://example\\.com", "HTTPS://EXAMPLE.COM:443", true},
      {"~https?://localhost(:\\d+)?", "http://localhost:3000", true},
      {"~(.)(.)(.)(.)(.).*", "https://example.com", true},
      {"~.*", "null", false},
  };
  assert_rows(rows);
}

void a_regex_gives_up_in_time(void**) {
  const std::string origin = "https://" + std::string(400, 'a');
  assert_false(rule_of("~https://(a+)+b").matches(origin, kSelf));
  assert_false(rule_of("~https://(a|aa)+$b").matches(origin, kSelf));
  assert_false(rule_of("~(?R)?https://(a*)*b").matches(origin, kSelf));
}

void same_is_scheme_host_and_port_of_the_request(void**) {
  const OriginRule same = rule_of("same");
  const struct {
    Self self;
    Bytes origin;
    bool matches;
  } rows[] = {
      {{"https", "example.com"}, "https://example.com", true},
      {{"https", "Example.COM:443"}, "https://example.com", true},
      {{"HTTPS", "example.com"}, "https://example.com:443", true},
      {{"http", "localhost:8080"}, "http://localhost:8080", true},
      {{"http", "[::1]:8080"}, "http://[::1]:8080", true},
      {{"https", "example.com."}, "https://example.com.", true},
      {{"https", "example.com"}, "http://example.com", false},
      {{"http", "example.com:443"}, "https://example.com", false},
      {{"https", "example.com"}, "https://example.com:8443", false},
      {{"https", "example.com:8443"}, "https://example.com", false},
      {{"https", "example.com"}, "https://www.example.com", false},
      {{"https", "example.com"}, "https://example.com.evil.org", false},
      {{"https", "example.com"}, "null", false},
      {{"https", ""}, "https://", false},
      {{"", "example.com"}, "https://example.com", false},
      {{"https", "null"}, "null", false},
      {{"https", "u@example.com"}, "https://example.com", false},
      {{"https", "example.com/"}, "https://example.com", false},
  };
  for (const auto& row : rows) {
    if (same.matches(row.origin, row.self) != row.matches) {
      fail_msg("%s and %s", row.self.host.data(), row.origin.data());
    }
  }
}

void null_is_for_null_alone(void**) {
  const Row rows[] = {
      {"null", "null", true},   {"null", "NULL", false},
      {"null", "", false},      {"null", "https://null", false},
      {"any", "null", true},    {"any", "https://evil.org", true},
      {"any", "file://", true}, {"any", "", true},
  };
  assert_rows(rows);
}

void a_wrong_rule_says_what_is_wrong(void**) {
  const struct {
    Bytes pattern, why;
  } rows[] = {
      {"", "scheme"},
      {"example.com", "scheme"},
      {"Any", "scheme"},
      {"*", "scheme"},
      {"*.example.com", "scheme"},
      {"https://example.com/", "slash"},
      {"https://*.example.com/", "slash"},
      {"https://user@example.com", "user"},
      {"https://*", "before the first dot"},
      {"https://a.*.com", "before the first dot"},
      {"https://*.*.com", "before the first dot"},
      {"https://*a.com", "before the first dot"},
      {"https://*.", "not an origin"},
      {"https://*.[::1]", "address"},
      {"https://example.com:70000", "not an origin"},
      {"https://m\xc3\xbcnchen.de", "xn--"},
      {"~", "empty"},
      {"~(", "malformed"},
      {"~[z-a]", "malformed"},
  };
  for (const auto& row : rows) {
    auto rule = OriginRule::parse(row.pattern);
    assert_false(rule.ok());
    if (rule.error().message.find(row.why) == Bytes::npos) {
      fail_msg("%s: %s", row.pattern.data(), rule.error().message.data());
    }
  }
  const std::string too_long = "https://" + std::string(600, 'a');
  assert_false(OriginRule::parse(too_long).ok());
}

void without_rules_a_policy_is_same(void**) {
  const OriginPolicy policy;
  assert_true(policy.admits("https://example.com", kSelf, false));
  assert_false(policy.admits("https://evil.org", kSelf, false));
  assert_false(policy.admits("https://evil.org", kSelf, true));
  assert_false(policy.admits("null", kSelf, true));
  assert_false(policy.admits("", kSelf, true));
  assert_false(policy.any());
}

void one_rule_that_matches_is_enough(void**) {
  OriginPolicy policy;
  policy.add(rule_of("https://a.com"));
  policy.add(rule_of("https://*.b.com"));
  assert_true(policy.admits("https://a.com", kSelf, false));
  assert_true(policy.admits("https://x.b.com", kSelf, false));
  assert_false(policy.admits("https://example.com", kSelf, false));
  policy.add(rule_of("same"));
  assert_true(policy.admits("https://example.com", kSelf, false));
}

void without_an_origin_a_key_or_any_admits(void**) {
  OriginPolicy policy;
  assert_false(policy.admits(std::nullopt, kSelf, false));
  assert_true(policy.admits(std::nullopt, kSelf, true));
  policy.add(rule_of("https://a.com"));
  assert_false(policy.admits(std::nullopt, kSelf, false));
  assert_true(policy.admits(std::nullopt, kSelf, true));
  policy.add(rule_of("any"));
  assert_true(policy.any());
  assert_true(policy.admits(std::nullopt, kSelf, false));
  assert_true(policy.admits("null", kSelf, false));
}

}  // namespace

int main() {
  const CMUnitTest tests[] = {
      cmocka_unit_test(an_origin_has_one_normal_form),
      cmocka_unit_test(what_is_no_origin_is_refused),
      cmocka_unit_test(an_origin_has_512_bytes),
      cmocka_unit_test(an_exact_rule_is_for_one_origin),
      cmocka_unit_test(a_wildcard_is_for_one_label_or_more),
      cmocka_unit_test(a_regex_is_for_the_whole_origin),
      cmocka_unit_test(a_regex_gives_up_in_time),
      cmocka_unit_test(same_is_scheme_host_and_port_of_the_request),
      cmocka_unit_test(null_is_for_null_alone),
      cmocka_unit_test(a_wrong_rule_says_what_is_wrong),
      cmocka_unit_test(without_rules_a_policy_is_same),
      cmocka_unit_test(one_rule_that_matches_is_enough),
      cmocka_unit_test(without_an_origin_a_key_or_any_admits),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
