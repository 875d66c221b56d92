#include "broker/redis_url.hpp"

#include <algorithm>
#include <charconv>
#include <optional>

namespace paperboy::broker::redis {

namespace {

constexpr std::size_t kMaxHost = 253;
constexpr std::size_t kMaxPath = 107;  // sockaddr_un's, without its NUL
constexpr std::uint32_t kMaxPort = 65535;
constexpr std::uint32_t kMaxDatabase = 2147483647;

constexpr Error wrong(Bytes message) {
  return {ErrorCode::bad_request, message};
}

constexpr Error kScheme =
    wrong("the URL of Redis: it begins with redis://, rediss:// or unix:/");
constexpr Error kSpace = wrong(
    "the URL of Redis: white space or a control character in it; write %XX");
constexpr Error kHost = wrong(
    "the URL of Redis: its host is missing or malformed; an IPv6 address "
    "stands in brackets, and @ / ? # in a password are written %40 %2F %3F "
    "%23");
constexpr Error kPort = wrong(
    "the URL of Redis: its port is no number from 1 to 65535, or "
    "an IPv6 address lacks its brackets");
constexpr Error kDatabase = wrong(
    "the URL of Redis: the database after its host, or after ?db= of a unix "
    "socket, is no number from 0 to 2147483647");
constexpr Error kPercent =
    wrong("the URL of Redis: a % that two hexadecimal digits don't follow");
constexpr Error kUser =
    wrong("the URL of Redis: a user stands before a colon and its password");
constexpr Error kMore = wrong(
    "the URL of Redis: nothing may follow its database; of parameters there "
    "is ?db= alone, after the path of a unix socket");
constexpr Error kPath = wrong(
    "the URL of Redis: the path of its socket has no NUL and at most 107 "
    "bytes");

/// The text without the scheme, whatever the letters' case.
bool take_scheme(Bytes& text, Bytes scheme) {
  const auto lower = [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  };
  if (!std::ranges::equal(text.substr(0, scheme.size()), scheme, {}, lower)) {
    return false;
  }
  text.remove_prefix(scheme.size());
  return true;
}

std::optional<std::uint32_t> number_of(Bytes text, std::uint32_t most) {
  std::uint32_t number = 0;
  const char* const end = text.data() + text.size();
  const auto [at, bad] = std::from_chars(text.data(), end, number);
  if (bad != std::errc{} || at != end || number > most) return std::nullopt;
  return number;
}

std::optional<std::string> decode(Bytes text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      out += text[i];
      continue;
    }
    unsigned char byte = 0;
    const Bytes digits = text.substr(i + 1, 2);
    const char* const end = digits.data() + digits.size();
    const auto [at, bad] = std::from_chars(digits.data(), end, byte, 16);
    if (bad != std::errc{} || at != end || digits.size() != 2) {
      return std::nullopt;
    }
    out += static_cast<char>(byte);
    i += 2;
  }
  return out;
}

bool is_host_like(Bytes host, bool address) {
  const Bytes more = address ? ":." : ".-_";
  return !host.empty() && host.size() <= kMaxHost && host[0] != '-' &&
         address == (host.find(':') != Bytes::npos) &&
         std::ranges::all_of(host, [&](char c) {
           return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
                  (c >= 'A' && c <= 'Z') || more.find(c) != Bytes::npos;
         });
}

Result<Done> read_user(Bytes text, Url& url) {
  const std::size_t colon = text.find(':');
  if (colon == Bytes::npos) return kUser;
  const auto user = decode(text.substr(0, colon));
  const auto password = decode(text.substr(colon + 1));
  if (!user || !password) return kPercent;
  if (password->empty()) return kUser;
  url.user = *user;
  url.password = *password;
  return Done{};
}

Result<Done> read_host(Bytes text, Server& server) {
  const bool address = text.starts_with('[');
  const std::size_t end = std::min(text.size(), text.find(address ? ']' : ':'));
  if (address && end == text.size()) return kHost;
  const Bytes host = address ? text.substr(1, end - 1) : text.substr(0, end);
  if (!is_host_like(host, address)) return kHost;
  server.host = host;
  const Bytes rest = text.substr(address ? end + 1 : end);
  if (rest.empty()) return Done{};
  if (rest[0] != ':') return kHost;
  const auto port = number_of(rest.substr(1), kMaxPort);
  if (!port || *port == 0) return kPort;
  server.port = static_cast<std::uint16_t>(*port);
  return Done{};
}

Result<Done> read_database(Bytes text, Url& url) {
  const auto database = number_of(text, kMaxDatabase);
  if (!database) return kDatabase;
  url.database = *database;
  return Done{};
}

Result<Url> parse_network(Bytes text, bool tls) {
  Url url;
  url.server.tls = tls;
  if (text.find_first_of("?#") != Bytes::npos) return kMore;
  const std::size_t slash = std::min(text.find('/'), text.size());
  Bytes authority = text.substr(0, slash);
  if (const std::size_t at = authority.rfind('@'); at != Bytes::npos) {
    if (auto good = read_user(authority.substr(0, at), url); !good) {
      return good.error();
    }
    authority.remove_prefix(at + 1);
  }
  if (auto good = read_host(authority, url.server); !good) return good.error();
  const Bytes database = text.substr(std::min(slash + 1, text.size()));
  if (database.empty()) return url;
  if (auto good = read_database(database, url); !good) return good.error();
  return url;
}

Result<Url> parse_unix(Bytes text) {
  Url url;
  if (text.find('#') != Bytes::npos) return kMore;
  const std::size_t query = std::min(text.find('?'), text.size());
  const auto path = decode(text.substr(0, query));
  if (!path) return kPercent;
  if (path->size() > kMaxPath || path->find('\0') != std::string::npos) {
    return kPath;
  }
  url.server.path = *path;
  if (query == text.size()) return url;
  const Bytes parameter = text.substr(query + 1);
  if (!parameter.starts_with("db=")) return kMore;
  if (auto good = read_database(parameter.substr(3), url); !good) {
    return good.error();
  }
  return url;
}

}  // namespace

Result<Url> parse_url(Bytes text) {
  const bool odd = std::ranges::any_of(text, [](char c) {
    return static_cast<unsigned char>(c) <= 0x20 || c == 0x7f;
  });
  if (odd) return kSpace;
  if (take_scheme(text, "redis://")) return parse_network(text, false);
  if (take_scheme(text, "rediss://")) return parse_network(text, true);
  if (take_scheme(text, "unix:") && text.starts_with('/')) {
    return parse_unix(text);
  }
  return kScheme;
}

bool is_host(Bytes text) {
  return is_host_like(text, text.find(':') != Bytes::npos);
}

std::string name_of(const Server& server) {
  if (server.host.empty()) return "unix:" + server.path;
  const bool address = server.host.find(':') != std::string::npos;
  return (address ? "[" + server.host + "]" : server.host) + ":" +
         std::to_string(server.port);
}

}  // namespace paperboy::broker::redis
