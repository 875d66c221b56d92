// The log of connections that have ended, one line each, in a format like
// those of log_format. When a connection ends its request is long gone: what
// the format takes from the request is captured at the upgrade, as text; what
// is only known at the end is filled in then.
#pragma once

#include "nginx/ngx.hpp"

#include <cstdint>
#include <string>
#include <vector>

#include "base/bytes.hpp"
#include "session/link.hpp"

namespace paperboy::nginx {

enum class Escape : std::uint8_t { standard, json, none };

/// Variables whose value the end of the connection decides.
enum class Late : std::uint8_t {
  user,
  channels,
  close_code,
  close_reason,
  closed_by,
  duration,
  messages_received,
  messages_sent,
  bytes_received,
  bytes_sent,
  time_local,
  time_iso8601,
  msec,
};

/// What a line is made of when the connection has ended.
struct Ended {
  const session::Link& link;
  std::uint64_t duration_ms;
};

class LogFormat {
 public:
  LogFormat(std::string name, Escape escape)
      : name_(std::move(name)), escape_(escape) {}

  /// Appends a piece of format with its variables; false: a bad or unknown
  /// variable, already reported to `cf`.
  bool add(ngx_conf_t* cf, Bytes text);

  /// What the request says, for `line`. The request must not be finished.
  [[nodiscard]] std::string capture(ngx_http_request_t* r) const;

  /// The whole line, with its newline.
  [[nodiscard]] std::string line(Bytes captured, const Ended& ended) const;

  [[nodiscard]] const std::string& name() const { return name_; }

 private:
  struct Part {
    enum class Kind : std::uint8_t { literal, early, late } kind;
    std::string text;     // literal
    ngx_int_t index = 0;  // early: of the variable
    Late late = Late::user;
  };

  bool add_variable(ngx_conf_t* cf, Bytes name);
  void append_escaped(std::string& out, Bytes value) const;

  std::string name_;
  Escape escape_;
  std::vector<Part> parts_;
};

/// The file and its format; both live with the cycle.
struct Log {
  ngx_open_file_t* file = nullptr;
  const LogFormat* format = nullptr;
};

/// The text of a late variable.
[[nodiscard]] std::string late_value(Late late, const Ended& ended);

}  // namespace paperboy::nginx
