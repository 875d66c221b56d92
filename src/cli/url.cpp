#include "cli/url.hpp"

#include <algorithm>
#include <array>

#include "cli/words.hpp"
#include "ws/grammar.hpp"

namespace paperboy::cli {

namespace {

constexpr std::size_t kMaxUrl = 8192;
constexpr std::size_t kMaxHost = 253;
constexpr std::int64_t kMaxPort = 65535;

struct Scheme {
  Bytes name;
  bool tls;
};

constexpr std::array kSchemes{Scheme{"ws", false}, Scheme{"wss", true},
                              Scheme{"http", false}, Scheme{"https", true}};

Bytes default_port(bool tls) { return tls ? "443" : "80"; }

bool is_host(Bytes host, bool address) {
  const Bytes more = address ? ":.%" : ".-_";
  return !host.empty() && host.size() <= kMaxHost && host[0] != '-' &&
         std::ranges::all_of(host, [&](char c) {
           return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
                  (c >= 'A' && c <= 'Z') || more.find(c) != Bytes::npos;
         });
}

// What would end the request line, or cut it in two.
bool is_safe(char c) {
  return static_cast<unsigned char>(c) > 0x20 && c != 0x7f;
}

Outcome<Done> read_authority(Bytes text, Url& url) {
  if (text.find('@') != Bytes::npos) {
    return misused("the URL: a user or password can't stand there");
  }
  const bool address = text.starts_with('[');
  const std::size_t end = address ? text.find(']') : text.find(':');
  const Bytes host = address ? text.substr(1, end - 1) : text.substr(0, end);
  if ((address && end == Bytes::npos) || !is_host(host, address)) {
    return misused("the URL: its host is missing or malformed");
  }
  url.host = host;
  Bytes rest = text.substr(std::min(text.size(), end));
  if (address) rest.remove_prefix(1);
  if (rest.empty()) {
    url.port = default_port(url.tls);
    return Done{};
  }
  const auto port = rest[0] == ':' ? number_of(rest.substr(1)) : std::nullopt;
  if (!port || *port == 0 || *port > kMaxPort) {
    return misused("the URL: its port is no number from 1 to 65535");
  }
  url.port = std::to_string(*port);
  return Done{};
}

std::string bracketed(const std::string& host) {
  return host.find(':') == std::string::npos ? host : "[" + host + "]";
}

}  // namespace

std::string Url::authority() const { return bracketed(host) + ":" + port; }

std::string Url::host_header() const {
  return port == default_port(tls) ? bracketed(host) : authority();
}

Outcome<Url> parse_url(Bytes text) {
  const std::size_t colon = text.find("://");
  const auto scheme = std::ranges::find_if(kSchemes, [&](const Scheme& known) {
    return colon != Bytes::npos &&
           ws::equal_ignoring_case(text.substr(0, colon), known.name);
  });
  if (scheme == kSchemes.end()) {
    return misused(
        "the URL: it begins with ws://, wss://, http:// or https://");
  }
  if (text.size() > kMaxUrl || !std::ranges::all_of(text, is_safe)) {
    return misused("the URL: too long, or with white space in it");
  }
  Url url;
  url.tls = scheme->tls;
  text = text.substr(colon + 3);
  text = text.substr(0, text.find('#'));
  const std::size_t path = std::min(text.find_first_of("/?"), text.size());
  if (auto good = read_authority(text.substr(0, path), url); !good) {
    return good.error();
  }
  url.target = text.substr(path);
  if (!url.target.starts_with('/')) url.target.insert(0, "/");
  return url;
}

Outcome<Url> with_channel(Url url, Bytes channel) {
  if (channel.empty() || channel.find_first_of("&#") != Bytes::npos ||
      !std::ranges::all_of(channel, is_safe)) {
    return misused(
        "--channel: nginx reads ?channel= as it stands, so the name can't be "
        "empty or hold white space, & or #");
  }
  url.target += url.target.find('?') == std::string::npos ? '?' : '&';
  url.target.append("channel=").append(channel);
  return url;
}

}  // namespace paperboy::cli
