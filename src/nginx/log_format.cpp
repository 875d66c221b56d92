#include "nginx/log_format.hpp"

#include <array>
#include <optional>

namespace paperboy::nginx {

namespace {

struct Name {
  Bytes name;
  Late late;
};

constexpr std::array kLate{
    Name{"paperboy_user", Late::user},
    Name{"paperboy_channels", Late::channels},
    Name{"paperboy_close_code", Late::close_code},
    Name{"paperboy_close_reason", Late::close_reason},
    Name{"paperboy_closed_by", Late::closed_by},
    Name{"paperboy_duration", Late::duration},
    Name{"paperboy_messages_received", Late::messages_received},
    Name{"paperboy_messages_sent", Late::messages_sent},
    Name{"paperboy_bytes_received", Late::bytes_received},
    Name{"paperboy_bytes_sent", Late::bytes_sent},
    Name{"time_local", Late::time_local},
    Name{"time_iso8601", Late::time_iso8601},
    Name{"msec", Late::msec},
};

std::optional<Late> late_by_name(Bytes name) {
  for (const Name& known : kLate) {
    if (known.name == name) return known.late;
  }
  return {};
}

bool is_name_char(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
         (c >= '0' && c <= '9') || c == '_';
}

/// Takes `name` or `{name}` off the front of `text`, which stood behind a `$`.
Bytes take_name(Bytes& text) {
  const bool braces = !text.empty() && text.front() == '{';
  if (braces) text.remove_prefix(1);
  std::size_t size = 0;
  while (size < text.size() && is_name_char(text[size])) ++size;
  const Bytes name = text.substr(0, size);
  text.remove_prefix(size);
  if (!braces) return name;
  if (text.empty() || text.front() != '}') return {};
  text.remove_prefix(1);
  return name;
}

// Captured values stand one after the other, each ended by this; no escaped
// text contains it.
constexpr char kEnd = '\n';

constexpr char kHex[] = "0123456789ABCDEF";

Bytes side_name(session::Summary::Side side) {
  switch (side) {
    case session::Summary::Side::client:
      return "client";
    case session::Summary::Side::server:
      return "server";
    case session::Summary::Side::nobody:
      break;
  }
  return "-";
}

/// nginx updates its texts of the time in place, between the turns of a loop.
std::string cached(const volatile ngx_str_t& text) {
  return {reinterpret_cast<const char*>(text.data), text.len};
}

std::string milliseconds(std::uint64_t ms) {
  std::string text = std::to_string(ms / 1000) + '.';
  const std::string rest = std::to_string(ms % 1000);
  return text.append(3 - rest.size(), '0').append(rest);
}

}  // namespace

bool LogFormat::add(ngx_conf_t* cf, Bytes text) {
  while (!text.empty()) {
    const auto dollar = text.find('$');
    if (dollar != 0) {
      parts_.push_back({.kind = Part::Kind::literal,
                        .text = std::string(text.substr(0, dollar))});
    }
    if (dollar == Bytes::npos) return true;
    text.remove_prefix(dollar + 1);
    if (!add_variable(cf, take_name(text))) return false;
  }
  return true;
}

bool LogFormat::add_variable(ngx_conf_t* cf, Bytes name) {
  if (name.empty()) {
    ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                       "invalid variable name in paperboy_log_format \"%s\"",
                       name_.c_str());
    return false;
  }
  Part part{.kind = Part::Kind::late, .text = {}};
  if (const auto late = late_by_name(name)) {
    part.late = *late;
  } else {
    ngx_str_t copied = copy(cf->pool, name);
    part.kind = Part::Kind::early;
    part.index = ngx_http_get_variable_index(cf, &copied);
    if (part.index == NGX_ERROR) return false;
  }
  parts_.push_back(std::move(part));
  return true;
}

std::string LogFormat::capture(ngx_http_request_t* r) const {
  std::string captured;
  for (const Part& part : parts_) {
    if (part.kind != Part::Kind::early) continue;
    const auto* value =
        ngx_http_get_indexed_variable(r, static_cast<ngx_uint_t>(part.index));
    if (value == nullptr || value->not_found != 0 || value->len == 0) {
      append_escaped(captured, {});
    } else {
      append_escaped(captured,
                     {reinterpret_cast<const char*>(value->data), value->len});
    }
    captured += kEnd;
  }
  captured.shrink_to_fit();
  return captured;
}

std::string LogFormat::line(Bytes captured, const Ended& ended) const {
  std::string line;
  for (const Part& part : parts_) {
    switch (part.kind) {
      case Part::Kind::literal:
        line += part.text;
        break;
      case Part::Kind::early: {
        const auto end = captured.find(kEnd);
        line += captured.substr(0, end);
        captured.remove_prefix(end + 1);
        break;
      }
      case Part::Kind::late:
        append_escaped(line, late_value(part.late, ended));
        break;
    }
  }
  return line += '\n';
}

// As log_format escapes: by default what isn't printable ASCII, `"` and `\`
// as \xXX and nothing as `-`; with json as JSON strings want it.
void LogFormat::append_escaped(std::string& out, Bytes value) const {
  if (value.empty() && escape_ == Escape::standard) out += '-';
  for (const char c : value) {
    const auto byte = static_cast<unsigned char>(c);
    const bool quoted = c == '"' || c == '\\';
    if (c == kEnd && escape_ == Escape::none) {
      out += ' ';
    } else if (escape_ == Escape::json && (quoted || byte < 0x20)) {
      out += '\\';
      if (quoted) {
        out += c;
      } else {
        out.append("u00").append({kHex[byte >> 4], kHex[byte & 15]});
      }
    } else if (escape_ == Escape::standard &&
               (quoted || byte < 0x20 || byte > 0x7e)) {
      out.append("\\x").append({kHex[byte >> 4], kHex[byte & 15]});
    } else {
      out += c;
    }
  }
}

std::string late_value(Late late, const Ended& ended) {
  const auto summary = ended.link.summary();
  const ngx_time_t* const now = ngx_timeofday();
  switch (late) {
    case Late::user:
      return std::string(ended.link.user());
    case Late::channels:
      return ended.link.channels();
    case Late::close_code:
      return std::to_string(summary.code);
    case Late::close_reason:
      return summary.reason;
    case Late::closed_by:
      return std::string(side_name(summary.closed_by));
    case Late::duration:
      return milliseconds(ended.duration_ms);
    case Late::messages_received:
      return std::to_string(summary.messages_received);
    case Late::messages_sent:
      return std::to_string(summary.messages_sent);
    case Late::bytes_received:
      return std::to_string(summary.bytes_received);
    case Late::bytes_sent:
      return std::to_string(summary.bytes_sent);
    case Late::time_local:
      return cached(ngx_cached_http_log_time);
    case Late::time_iso8601:
      return cached(ngx_cached_http_log_iso8601);
    case Late::msec:
      return milliseconds(static_cast<std::uint64_t>(now->sec) * 1000 +
                          now->msec);
  }
  return {};
}

}  // namespace paperboy::nginx
