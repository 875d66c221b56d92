#include "base/centrifugal.hpp"

#include <algorithm>

#include "base/base64.hpp"
#include "base/envelope.hpp"
#include "base/json_text.hpp"

namespace paperboy {

ProtocolError protocol_error(ErrorCode code) {
  switch (code) {
    case ErrorCode::unauthorized:
      return {101, "unauthorized"};
    case ErrorCode::not_found:
      return {102, "unknown channel"};
    case ErrorCode::forbidden:
      return {103, "permission denied"};
    case ErrorCode::no_method:
      return {104, "method not found"};
    case ErrorCode::already_subscribed:
      return {105, "already subscribed"};
    case ErrorCode::subscription_limit:
    case ErrorCode::channel_full:
    case ErrorCode::too_large:
      return {106, "limit exceeded"};
    case ErrorCode::bad_request:
    case ErrorCode::channel_name:
      return {107, "bad request"};
    case ErrorCode::not_available:
      return {108, "not available"};
    case ErrorCode::token_expired:
      return {109, "token expired"};
    case ErrorCode::rate_limited:
      return {111, "too many requests", true};
    case ErrorCode::unrecoverable:
      return {112, "unrecoverable position"};
    case ErrorCode::too_many_channels:
    case ErrorCode::log_full:
    case ErrorCode::zone_full:
    case ErrorCode::not_replicated:
    case ErrorCode::unavailable:
    case ErrorCode::internal:
      break;
  }
  return {100, "internal server error", true};
}

void append_json_line(std::string& out, Bytes json) {
  const std::size_t start = out.size();
  out += json;
  std::replace_if(
      out.begin() + static_cast<std::ptrdiff_t>(start), out.end(),
      [](char c) { return c == '\n' || c == '\r'; }, ' ');
}

void append_data(std::string& out, Kind kind, Bytes data) {
  if (kind == Kind::binary) {
    out += R"({"b64data":")";
    append_base64(out, data);
    out += R"("})";
  } else if (is_json(data)) {
    append_json_line(out, data);
  } else {
    append_json_string(out, data);
  }
}

void append_publication(std::string& out, Kind kind, Bytes data, Bytes extra,
                        std::uint64_t offset) {
  out += R"({"data":)";
  append_data(out, kind, data);
  if (offset != 0) out.append(R"(,"offset":)").append(std::to_string(offset));
  if (!extra.empty() && !is_envelope(extra)) out.append(",").append(extra);
  out += '}';
}

}  // namespace paperboy
