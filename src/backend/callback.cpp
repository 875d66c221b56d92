#include "backend/callback.hpp"

#include <algorithm>

#include "base/json_parameters.hpp"
#include "base/json_text.hpp"

namespace paperboy::backend {

namespace {

constexpr std::size_t kDepth = 8;
constexpr std::uint64_t kMaxPort = 65'535;

Error malformed(Bytes why) { return {ErrorCode::bad_request, why}; }

bool is_object(Bytes json) {
  const std::size_t begin = json.find_first_not_of(" \t\n\r");
  return begin != Bytes::npos && json[begin] == '{';
}

/// A name's characters, or those of an IPv6 address.
bool is_of_host(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || c == '-' ||
         c == '.' || c == '_' || c == ':';
}

std::string lower(std::string text) {
  std::ranges::transform(text, text.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  return text;
}

std::string without_brackets(std::string host) {
  if (!host.starts_with('[') || !host.ends_with(']')) return host;
  return host.substr(1, host.size() - 2);
}

bool is_host(Bytes host) {
  return !host.empty() && host.size() <= Callback::kMaxHost &&
         std::ranges::all_of(host, is_of_host);
}

/// RFC 9112 section 3.2.1, without what would end the request's line.
bool is_path(Bytes path) {
  return path.starts_with('/') && path.size() <= Callback::kMaxPath &&
         std::ranges::all_of(
             path, [](char c) { return c > ' ' && c < 0x7F && c != '#'; });
}

std::string authority(const Callback& callback) {
  const bool v6 = callback.host.find(':') != std::string::npos;
  std::string text = v6 ? "[" + callback.host + "]" : callback.host;
  return text.append(1, ':').append(std::to_string(callback.port));
}

}  // namespace

std::optional<std::uint8_t> topic_number(Bytes name) {
  const auto found = std::ranges::find(kAllTopics, name);
  if (found == kAllTopics.end()) return {};
  return static_cast<std::uint8_t>(found - kAllTopics.begin());
}

Result<Callback> read_callback(std::uint8_t topic, Bytes body) {
  if (!is_json(body, kDepth) || !is_object(body)) {
    return malformed("the callback is no JSON object");
  }
  JsonParameters parameters(body);
  Callback callback{
      .topic = topic,
      .host = without_brackets(lower(parameters.text("restHostname")))};
  const std::uint64_t port = parameters.number("restPort");
  callback.path = parameters.text("restPath");
  if (!parameters.good()) {
    return malformed(
        "restHostname, restPort or restPath stands there twice, or isn't of "
        "its type");
  }
  if (!is_host(callback.host)) {
    return malformed("restHostname is no name and no address of a host");
  }
  if (port < 1 || port > kMaxPort) {
    return malformed("restPort is no number from 1 to 65535");
  }
  if (!is_path(callback.path)) {
    return malformed(
        "restPath is no path: up to 512 visible ASCII characters, the first a "
        "slash");
  }
  callback.port = static_cast<std::uint16_t>(port);
  return callback;
}

std::string url_of(const Callback& callback) {
  return "http://" + authority(callback) + callback.path;
}

std::string post_request(const Callback& callback, Bytes token, Bytes body) {
  std::string text = "POST " + callback.path + " HTTP/1.1\r\nHost: ";
  text.append(authority(callback))
      .append("\r\nPaperboyEmbeddedBackendToken: ")
      .append(token)
      .append("\r\nContent-Type: application/json\r\nContent-Length: ")
      .append(std::to_string(body.size()))
      .append("\r\nConnection: close\r\n\r\n")
      .append(body);
  return text;
}

}  // namespace paperboy::backend
