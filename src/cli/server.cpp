#include "cli/server.hpp"

#include <algorithm>

#include "cli/input.hpp"
#include "cli/words.hpp"

namespace paperboy::cli {

namespace {

constexpr std::int64_t kDefaultTimeout = 10;
constexpr std::int64_t kMaxTimeout = 86400;
constexpr std::size_t kMaxOrigin = 512;

Outcome<std::string> read_origin(const Arguments& arguments) {
  const Bytes origin = arguments.value("origin").value_or(Bytes());
  const auto bad = [](char c) { return c <= 0x20 || c == 0x7f; };
  if (origin.size() > kMaxOrigin || std::ranges::any_of(origin, bad)) {
    return misused("--origin: an origin is like https://example.com");
  }
  return std::string(origin);
}

Outcome<std::chrono::milliseconds> read_timeout(const Arguments& arguments) {
  const auto text = arguments.value("timeout");
  const auto seconds = text ? seconds_of(*text) : kDefaultTimeout;
  if (!seconds || *seconds == 0 || *seconds > kMaxTimeout) {
    return misused("--timeout: a time from 1s to 1d is needed, as 30s");
  }
  return std::chrono::milliseconds(*seconds * 1000);
}

// What the reader may not think of.
Bytes hint(const Server& server, int status, Bytes body) {
  if (status == 401 && !server.token) {
    return "; --token-file or --token-env gives a token";
  }
  if (status == 403 && server.origin.empty() &&
      body.find("origin") != Bytes::npos) {
    return "; --origin names one";
  }
  return status == 503 ? "; try again later" : "";
}

}  // namespace

Outcome<Server> read_server(const Arguments& arguments) {
  if (arguments.rest().empty()) {
    return misused("which URL? --help shows what is expected");
  }
  auto url = parse_url(arguments.rest()[0]);
  if (!url) return url.error();
  auto token = read_token(arguments);
  if (!token) return token.error();
  auto origin = read_origin(arguments);
  if (!origin) return origin.error();
  const auto timeout = read_timeout(arguments);
  if (!timeout) return timeout.error();
  Server server;
  server.url = std::move(*url);
  server.tls.insecure = arguments.has("insecure");
  server.tls.ca_file = arguments.value("ca-file").value_or(Bytes());
  server.timeout = *timeout;
  server.token = std::move(*token);
  server.origin = std::move(*origin);
  return server;
}

void add_credentials(const Server& server, std::string& bearer,
                     Headers& headers) {
  if (server.token) {
    bearer = "Bearer " + *server.token;
    headers.emplace_back("Authorization", bearer);
  }
  if (!server.origin.empty()) headers.emplace_back("Origin", server.origin);
}

Outcome<Answer> post(const Server& server, Bytes type, Bytes body,
                     const Headers& more) {
  const std::string length = std::to_string(body.size());
  std::string bearer;
  Headers headers{{"Content-Type", type},
                  {"Content-Length", length},
                  {"Connection", "close"}};
  add_credentials(server, bearer, headers);
  headers.insert(headers.end(), more.begin(), more.end());
  std::string request =
      format_head("POST", server.url.target, server.url.host_header(), headers);
  const Deadline deadline = server.deadline();
  auto connection = Connection::open(server.url, server.tls, deadline);
  if (!connection) return connection.error();
  const auto sent = (*connection)->write(request.append(body), deadline);
  // A server may refuse before it has read everything, and hang up: then its
  // answer says more than the failed write.
  std::string in;
  auto head = read_head(**connection, in, deadline);
  if (!head) return sent ? head.error() : sent.error();
  auto text = read_body(**connection, *head, in, deadline);
  if (!text) return text.error();
  return Answer{std::move(*head), std::move(*text)};
}

Outcome<Head> read_head(Connection& connection, std::string& in,
                        Deadline deadline) {
  while (true) {
    auto head = take_head(in);
    if (!head) return head.error();
    if (*head) return std::move(**head);
    const auto event = connection.read(in, deadline);
    if (!event) return event.error();
    if (*event == Connection::Event::timeout) return too_late();
    if (*event == Connection::Event::end) {
      return Failure{Exit::network, "the server hung up without an answer"};
    }
  }
}

Outcome<std::string> read_body(Connection& connection, const Head& head,
                               std::string& in, Deadline deadline) {
  bool ended = false;
  while (true) {
    auto body = body_of(head, in, ended);
    if (!body) return body.error();
    if (*body) return std::move(**body);
    const auto event = connection.read(in, deadline);
    if (!event) return event.error();
    if (*event == Connection::Event::timeout) return too_late();
    ended = *event == Connection::Event::end;
  }
}

Failure refusal(const Server& server, const Head& head, Bytes body) {
  std::string text = "refused: " + refusal_text(head, body);
  text += hint(server, head.status, body);
  return {Exit::refused, text};
}

}  // namespace paperboy::cli
