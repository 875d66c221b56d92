#include "cli/http.hpp"

#include <charconv>

#include "base/json.hpp"
#include "base/version.hpp"
#include "cli/words.hpp"
#include "ws/grammar.hpp"

namespace paperboy::cli {

namespace {

constexpr Bytes kLineEnd = "\r\n";
constexpr Bytes kHeadEnd = "\r\n\r\n";

using Body = std::optional<std::string>;

Failure nonsense(const std::string& what) {
  return {Exit::network, "the answer is not HTTP as it should be: " + what};
}

Failure cut_off() {
  return {Exit::network, "the connection ended in the midst of the answer"};
}

Failure too_large() { return nonsense("it is too large"); }

Bytes next_line(Bytes& text) {
  const std::size_t end = text.find(kLineEnd);
  const Bytes line = text.substr(0, end);
  text.remove_prefix(end == Bytes::npos ? text.size() : end + 2);
  return line;
}

// "HTTP/1.1 200 OK"; the reason may be missing (RFC 9112 section 4).
bool read_status_line(Bytes line, Head& head) {
  if (!line.starts_with("HTTP/1.") || line.size() < 12 || line[8] != ' ') {
    return false;
  }
  const auto status = number_of(line.substr(9, 3));
  if (!status || *status < 100 || (line.size() > 12 && line[12] != ' ')) {
    return false;
  }
  head.status = static_cast<int>(*status);
  head.reason = line.size() > 13 ? line.substr(13) : Bytes();
  return true;
}

Outcome<Head> parse_head(Bytes text) {
  Head head;
  if (!read_status_line(next_line(text), head)) {
    return nonsense("no status line");
  }
  while (!text.empty()) {
    const Bytes line = next_line(text);
    const std::size_t colon = line.find(':');
    if (colon == Bytes::npos || !ws::is_token(line.substr(0, colon))) {
      return nonsense("a malformed header");
    }
    head.headers.emplace_back(line.substr(0, colon),
                              ws::trim(line.substr(colon + 1)));
  }
  return head;
}

bool is_interim(const Head& head) {
  return head.status < 200 && head.status != 101;
}

// RFC 9112 section 7.1.
Outcome<Body> chunks(Bytes in, bool ended) {
  std::string body;
  while (true) {
    const std::size_t end = in.find(kLineEnd);
    if (end == Bytes::npos) break;
    const Bytes digits = ws::trim(in.substr(0, in.find_first_of(";\r")));
    std::size_t size = 0;
    const auto [last, error] =
        std::from_chars(digits.data(), digits.data() + digits.size(), size, 16);
    if (digits.empty() || error != std::errc() ||
        last != digits.data() + digits.size()) {
      return nonsense("a malformed chunk");
    }
    if (size > kMaxBody - body.size()) return too_large();
    if (size == 0) return Body(std::move(body));  // trailers are nobody's
    in.remove_prefix(end + 2);
    if (in.size() < size + 2) break;
    body.append(in.substr(0, size));
    in.remove_prefix(size + 2);
  }
  if (ended) return cut_off();
  return Body();
}

Outcome<Body> sized(Bytes length, Bytes in, bool ended) {
  const auto size = number_of(length);
  if (!size) return nonsense("a malformed Content-Length");
  if (*size > static_cast<std::int64_t>(kMaxBody)) return too_large();
  const auto bytes = static_cast<std::size_t>(*size);
  if (in.size() >= bytes) return Body(in.substr(0, bytes));
  if (ended) return cut_off();
  return Body();
}

// An address without its query, which may hold a token.
std::string without_query(Bytes address) {
  return printable(address.substr(0, address.find_first_of("?#")));
}

}  // namespace

Bytes Head::header(Bytes name) const {
  for (const auto& [known, value] : headers) {
    if (ws::equal_ignoring_case(known, name)) return value;
  }
  return {};
}

std::string format_head(Bytes method, Bytes target, Bytes host,
                        const Headers& headers) {
  std::string head;
  head.append(method).append(" ").append(target).append(" HTTP/1.1\r\n");
  const auto add = [&](Bytes name, Bytes value) {
    head.append(name).append(": ").append(value).append(kLineEnd);
  };
  add("Host", host);
  add("User-Agent", "paperboy-cli/" + std::string(kVersion));
  for (const auto& [name, value] : headers) add(name, value);
  return head.append(kLineEnd);
}

Outcome<std::optional<Head>> take_head(std::string& in) {
  while (true) {
    const std::size_t end = in.find(kHeadEnd);
    if (end > kMaxHead && in.size() > kMaxHead) return too_large();
    if (end == std::string::npos) return std::optional<Head>();
    auto head = parse_head(Bytes(in).substr(0, end));
    if (!head) return head.error();
    in.erase(0, end + kHeadEnd.size());
    if (!is_interim(*head)) return std::optional(std::move(*head));
  }
}

Outcome<Body> body_of(const Head& head, Bytes in, bool ended) {
  if (head.status == 204 || head.status == 304) return Body(std::string());
  if (!head.header("Transfer-Encoding").empty()) return chunks(in, ended);
  const Bytes length = head.header("Content-Length");
  if (!length.empty()) return sized(length, in, ended);
  if (in.size() > kMaxBody) return too_large();
  return ended ? Body(in) : Body();
}

std::string refusal_text(const Head& head, Bytes body) {
  std::string text = std::to_string(head.status);
  if (!head.reason.empty()) text += " " + printable(head.reason);
  const auto json = Json::parse(body);
  if (json && json->is_object() && json->get("error").is_string()) {
    text += ": " + printable(json->get("message").as_string()) + " (" +
            printable(json->get("error").as_string()) + ")";
  }
  if (head.status >= 300 && head.status < 400) {
    text += ", which leads to " + without_query(head.header("Location")) +
            ": give that URL, as none is followed";
  }
  return text;
}

}  // namespace paperboy::cli
