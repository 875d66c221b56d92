// paperboy_jwks: where an issuer's keys are, and how they are looked after.
#pragma once

#include "nginx/ngx.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "auth/jwks.hpp"
#include "auth/key_set.hpp"

namespace paperboy::nginx {

/// What tells a file from what stood there before.
struct FileMark {
  std::uint64_t device = 0;
  std::uint64_t inode = 0;
  std::int64_t size = 0;  // bytes
  std::int64_t seconds = 0;
  std::int64_t nanoseconds = 0;
  bool operator==(const FileMark&) const = default;
};

/// None: there is no file, or it may not be looked at.
[[nodiscard]] std::optional<FileMark> mark_of(const std::string& path);

/// At most `limit` bytes and one more. None: it can't be read.
[[nodiscard]] std::optional<std::string> read_jwks_file(const std::string& path,
                                                        std::size_t limit);

struct JwksConf {
  std::string path;                       // of a file; empty: `uri`
  FileMark mark;                          // of it, when it was read last
  std::string uri;                        // of a location
  ngx_http_conf_ctx_t* server = nullptr;  // whose it is
  ngx_msec_t refresh_ms = 300'000;
  ngx_msec_t retry_ms = 10'000;  // at the earliest, whoever asks for it
  ngx_msec_t timeout_ms = 30'000;
  ngx_msec_t max_age_ms = 0;  // so long its keys stay; 0: for ever
  auth::JwksLimits limits;
  std::shared_ptr<auth::KeySource> keys;

  [[nodiscard]] const std::string& place() const {
    return path.empty() ? uri : path;
  }
};

}  // namespace paperboy::nginx
