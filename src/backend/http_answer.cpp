#include "backend/http_answer.hpp"

#include <algorithm>
#include <charconv>

namespace paperboy::backend {

namespace {

constexpr Bytes kHeadEnd = "\r\n\r\n";
constexpr Bytes kLineEnd = "\r\n";
constexpr int kMaxInterim = 8;

bool is_digit(char c) { return c >= '0' && c <= '9'; }

char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

/// `name` is in lower case.
bool is_named(Bytes field, Bytes name) {
  return field.size() > name.size() && field[name.size()] == ':' &&
         std::ranges::equal(field.substr(0, name.size()), name, {}, lower);
}

Bytes value_of(Bytes field) {
  Bytes value = field.substr(field.find(':') + 1);
  while (value.starts_with(' ') || value.starts_with('\t')) {
    value.remove_prefix(1);
  }
  while (value.ends_with(' ') || value.ends_with('\t')) value.remove_suffix(1);
  return value;
}

/// 204 and 304 have none.
bool has_no_body(int status) { return status == 204 || status == 304; }

}  // namespace

HttpAnswer::State HttpAnswer::feed(Bytes bytes) {
  if (state_ != State::more) return state_;
  if (in_body_) return count(bytes.size());
  const std::size_t room = kMaxHead + 1 - std::min(head_.size(), kMaxHead);
  const std::size_t kept = std::min(bytes.size(), room);
  head_.append(bytes.substr(0, kept));
  const std::size_t taken = head_.size();
  const State state = read_head();
  if (state != State::more) return state;
  if (in_body_) return count(bytes.size() - kept);
  return taken > kMaxHead ? refuse("its head is longer than 8 KiB") : state;
}

HttpAnswer::State HttpAnswer::end() {
  if (state_ != State::more) return state_;
  if (!in_body_) return refuse("it ends in the midst of its head");
  return state_ = State::done;
}

/// Interim answers are passed over.
HttpAnswer::State HttpAnswer::read_head() {
  while (true) {
    const std::size_t end = head_.find(kHeadEnd);
    if (end == std::string::npos) return state_;
    const Bytes head = Bytes(head_).substr(0, end);
    const std::size_t line = std::min(head.find(kLineEnd), head.size());
    if (!read_status(head.substr(0, line))) {
      return refuse("it doesn't begin as an answer of HTTP/1.1 does");
    }
    const bool interim = status_ < 200;
    if (interim && (status_ == 101 || ++interim_ > kMaxInterim)) {
      return refuse("it switches protocols, or never comes to the point");
    }
    if (!interim && !read_fields(head.substr(line))) {
      return refuse("its Content-Length is none");
    }
    head_.erase(0, end + kHeadEnd.size());
    if (!interim) break;
    status_ = 0;
  }
  in_body_ = true;
  const std::size_t rest = head_.size();
  head_ = {};
  return count(rest);
}

bool HttpAnswer::read_status(Bytes line) {
  constexpr std::size_t kCode = 9;  // behind "HTTP/1.1 "
  if (line.size() < kCode + 3 || !line.starts_with("HTTP/1.") ||
      !is_digit(line[7]) || line[8] != ' ') {
    return false;
  }
  if (line.size() > kCode + 3 && line[kCode + 3] != ' ') return false;
  const Bytes code = line.substr(kCode, 3);
  if (!std::ranges::all_of(code, is_digit) || code[0] == '0') return false;
  std::from_chars(code.data(), code.data() + code.size(), status_);
  return true;
}

/// With Transfer-Encoding a length means nothing: it goes to the stream's end.
bool HttpAnswer::read_fields(Bytes fields) {
  bool encoded = false;
  while (!fields.empty()) {
    fields.remove_prefix(kLineEnd.size());
    const std::size_t end = std::min(fields.find(kLineEnd), fields.size());
    const Bytes field = fields.substr(0, end);
    fields.remove_prefix(end);
    encoded = encoded || is_named(field, "transfer-encoding");
    if (is_named(field, "content-length") && !read_length(value_of(field))) {
      return false;
    }
  }
  if (encoded) sized_ = false;
  if (!has_no_body(status_)) return true;
  sized_ = true;
  length_ = 0;
  return true;
}

/// Twice the same is once.
bool HttpAnswer::read_length(Bytes value) {
  std::size_t length = 0;
  const auto read =
      std::from_chars(value.data(), value.data() + value.size(), length);
  if (value.empty() || !is_digit(value[0]) || read.ec != std::errc() ||
      read.ptr != value.data() + value.size()) {
    return false;
  }
  if (sized_ && length != length_) return false;
  sized_ = true;
  length_ = length;
  return true;
}

/// More than we care to read is an end, too: the status is known.
HttpAnswer::State HttpAnswer::count(std::size_t bytes) {
  body_ += bytes;
  if (body_ > kMaxBody || (sized_ && body_ >= length_)) state_ = State::done;
  return state_;
}

HttpAnswer::State HttpAnswer::refuse(Bytes why) {
  why_ = why;
  status_ = 0;
  return state_ = State::bad;
}

}  // namespace paperboy::backend
