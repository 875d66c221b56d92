// origin = scheme "://" host [ ":" port ]   (RFC 6454 section 6.2)
#include "auth/origin.hpp"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <arpa/inet.h>
#include <pcre2.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

namespace paperboy::auth {

namespace {

// Steps and depth that a regex may take over one origin: a location's regex is
// its operator's, the origin is a stranger's.
constexpr std::uint32_t kMatchLimit = 10000;
constexpr std::uint32_t kDepthLimit = 1000;
constexpr std::uint32_t kHeapLimitKib = 1024;

bool is_alpha(char c) { return c >= 'a' && c <= 'z'; }
bool is_digit(char c) { return c >= '0' && c <= '9'; }

std::string lower_case(Bytes text) {
  std::string out(text);
  for (char& c : out) {
    if (c >= 'A' && c <= 'Z') {
      c = static_cast<char>(c - 'A' + 'a');
    }
  }
  return out;
}

// RFC 3986 section 3.1, in lower case.
bool is_scheme(Bytes text) {
  return !text.empty() && is_alpha(text.front()) &&
         std::all_of(text.begin(), text.end(), [](char c) {
           return is_alpha(c) || is_digit(c) || c == '+' || c == '-' ||
                  c == '.';
         });
}

// A name or an IPv4 address, in lower case: labels of letters, digits, `-` and
// `_`. A dot at the end is kept: to a browser it is another host.
bool is_name(Bytes text) {
  char before = '.';
  for (const char c : text) {
    if (c == '.' ? before == '.'
                 : !(is_alpha(c) || is_digit(c) || c == '-' || c == '_')) {
      return false;
    }
    before = c;
  }
  return !text.empty();
}

// The shortest form of an address in brackets (RFC 5952); empty: it is none.
std::string ipv6(Bytes bracketed) {
  const std::string text(bracketed.substr(1, bracketed.size() - 2));
  // inet_pton stops at a NUL, and what follows would be let through.
  if (!bracketed.ends_with(']') || text.find('\0') != std::string::npos) {
    return {};
  }
  in6_addr address{};
  std::array<char, INET6_ADDRSTRLEN> out{};
  if (inet_pton(AF_INET6, text.c_str(), &address) != 1 ||
      inet_ntop(AF_INET6, &address, out.data(), out.size()) == nullptr) {
    return {};
  }
  return "[" + std::string(out.data()) + "]";
}

std::optional<unsigned> port_number(Bytes text) {
  unsigned port = 0;
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, port);
  if (text.empty() || error != std::errc() || stop != end || port > 65535) {
    return std::nullopt;
  }
  return port;
}

std::optional<unsigned> default_port(Bytes scheme) {
  if (scheme == "http" || scheme == "ws") {
    return 80;
  }
  if (scheme == "https" || scheme == "wss") {
    return 443;
  }
  return std::nullopt;
}

Error wrong(Bytes what) { return {ErrorCode::bad_request, what}; }

Bytes why_no_origin(Bytes pattern) {
  if (pattern.size() > kMaxOriginSize) {
    return "the origin is longer than 512 bytes";
  }
  const std::size_t scheme = pattern.find("://");
  if (scheme == Bytes::npos) {
    return "an origin starts with a scheme, such as https://";
  }
  const Bytes rest = pattern.substr(scheme + 3);
  if (rest.find_first_of("/?#") != Bytes::npos) {
    return "an origin ends after its host and port: no path, no final slash";
  }
  if (rest.find('@') != Bytes::npos) {
    return "an origin has no user";
  }
  if (rest.find('*') != Bytes::npos) {
    return "* stands only before the first dot: https://*.example.com";
  }
  if (std::any_of(rest.begin(), rest.end(),
                  [](unsigned char c) { return c >= 0x80; })) {
    return "an international host is written as browsers send it: xn--...";
  }
  return "not an origin: scheme://host or scheme://host:port";
}

struct FreeMatch {
  void operator()(pcre2_match_data* data) const { pcre2_match_data_free(data); }
  void operator()(pcre2_match_context* context) const {
    pcre2_match_context_free(context);
  }
};

PCRE2_SPTR octets(Bytes text) {
  return reinterpret_cast<PCRE2_SPTR>(text.data());
}

}  // namespace

std::optional<Origin> Origin::parse(Bytes text) {
  const std::size_t colon = text.find("://");
  if (text.size() > kMaxOriginSize || colon == Bytes::npos) {
    return std::nullopt;
  }
  Origin origin{lower_case(text.substr(0, colon)), {}, {}};
  Bytes host = text.substr(colon + 3);
  const std::size_t port = host.find(':', host.find(']') + 1);
  if (port != Bytes::npos) {
    origin.port = port_number(host.substr(port + 1));
    if (!origin.port) {
      return std::nullopt;
    }
    if (origin.port == default_port(origin.scheme)) {
      origin.port.reset();
    }
    host = host.substr(0, port);
  }
  origin.host = lower_case(host);
  if (host.starts_with('[')) {
    origin.host = ipv6(origin.host);
  } else if (!is_name(origin.host)) {
    return std::nullopt;
  }
  if (!is_scheme(origin.scheme) || origin.host.empty()) {
    return std::nullopt;
  }
  return origin;
}

std::string Origin::text() const {
  return scheme + "://" + host + (port ? ":" + std::to_string(*port) : "");
}

void OriginRule::FreeRegex::operator()(pcre2_real_code_8* code) const {
  pcre2_code_free(code);
}

Result<OriginRule> OriginRule::parse(Bytes pattern) {
  for (const auto& [word, kind] : {std::pair<Bytes, Kind>{"any", Kind::any},
                                   {"same", Kind::same},
                                   {"null", Kind::null}}) {
    if (pattern == word) {
      return OriginRule(kind);
    }
  }
  if (pattern.starts_with('~')) {
    return parse_regex(pattern.substr(1));
  }
  if (const std::size_t star = pattern.find("://*."); star != Bytes::npos) {
    return parse_wildcard(pattern.substr(0, star), pattern.substr(star + 5));
  }
  auto origin = Origin::parse(pattern);
  if (!origin) {
    return wrong(why_no_origin(pattern));
  }
  OriginRule rule(Kind::exact);
  rule.origin_ = std::move(*origin);
  return rule;
}

// `rest` is what follows "*.": it must make an origin by itself.
Result<OriginRule> OriginRule::parse_wildcard(Bytes scheme, Bytes rest) {
  const std::string whole = std::string(scheme) + "://" + std::string(rest);
  auto origin = Origin::parse(whole);
  if (!origin) {
    return wrong(why_no_origin(whole));
  }
  if (origin->host.starts_with('[')) {
    return wrong("an address has no subdomains");
  }
  OriginRule rule(Kind::wildcard);
  rule.origin_ = std::move(*origin);
  rule.origin_.host.insert(0, 1, '.');
  return rule;
}

Result<OriginRule> OriginRule::parse_regex(Bytes regex) {
  if (regex.empty()) {
    return wrong("the regex is empty");
  }
  int error = 0;
  PCRE2_SIZE offset = 0;
  // Anchored at both ends, so that ~https://example\.com doesn't let in
  // https://example.com.evil.org.
  pcre2_code* code =
      pcre2_compile(octets(regex), regex.size(),
                    PCRE2_CASELESS | PCRE2_ANCHORED | PCRE2_ENDANCHORED, &error,
                    &offset, nullptr);
  if (code == nullptr) {
    return wrong("the regex is malformed (PCRE2)");
  }
  OriginRule rule(Kind::regex);
  rule.regex_.reset(code);
  return rule;
}

bool OriginRule::matches(Bytes origin, const Self& self) const {
  if (kind_ == Kind::any || kind_ == Kind::null) {
    return kind_ == Kind::any || origin == "null";
  }
  const auto parsed = Origin::parse(origin);
  if (!parsed) {
    return false;
  }
  switch (kind_) {
    case Kind::exact:
      return *parsed == origin_;
    case Kind::wildcard:
      return matches_wildcard(*parsed);
    case Kind::regex:
      return matches_regex(*parsed);
    default:
      return parsed == Origin::parse(std::string(self.scheme) + "://" +
                                     std::string(self.host));
  }
}

bool OriginRule::matches_wildcard(const Origin& origin) const {
  return origin.scheme == origin_.scheme && origin.port == origin_.port &&
         origin.host.size() > origin_.host.size() &&
         origin.host.ends_with(origin_.host);
}

bool OriginRule::matches_regex(const Origin& origin) const {
  const std::unique_ptr<pcre2_match_data, FreeMatch> data(
      pcre2_match_data_create(1, nullptr));
  const std::unique_ptr<pcre2_match_context, FreeMatch> context(
      pcre2_match_context_create(nullptr));
  if (!data || !context) {
    return false;
  }
  pcre2_set_match_limit(context.get(), kMatchLimit);
  pcre2_set_depth_limit(context.get(), kDepthLimit);
  pcre2_set_heap_limit(context.get(), kHeapLimitKib);
  const std::string text = origin.text();
  // 0: it matches, and has more groups than there is room for.
  return pcre2_match(regex_.get(), octets(text), text.size(), 0, 0, data.get(),
                     context.get()) >= 0;
}

bool OriginPolicy::admits(std::optional<Bytes> origin, const Self& self,
                          bool keys_configured) const {
  if (!origin) {
    return any() || keys_configured;
  }
  if (rules_.empty()) {
    return OriginRule::same().matches(*origin, self);
  }
  return std::any_of(rules_.begin(), rules_.end(), [&](const OriginRule& rule) {
    return rule.matches(*origin, self);
  });
}

bool OriginPolicy::any() const {
  return std::any_of(rules_.begin(), rules_.end(),
                     [](const OriginRule& rule) { return rule.is_any(); });
}

}  // namespace paperboy::auth
