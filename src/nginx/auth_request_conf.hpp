// paperboy_auth_request: the back end that decides, as the configuration names
// it. It is asked about a client's upgrade by a subrequest of that
// (auth_request.cpp), about its commands by requests of the worker's own, since
// the client's is long gone then.
#pragma once

#include "nginx/ngx.hpp"

#include <memory>
#include <string>

#include "auth/verdict_cache.hpp"
#include "backend/complaints.hpp"
#include "session/judge.hpp"

namespace paperboy::nginx {

/// A parameter that may hold variables.
using Value = ngx_http_complex_value_t*;

class AuthRequestConf final : public session::Judge {
 public:
  ngx_http_conf_ctx_t* server = nullptr;  // in whose locations `uri` is
  std::string uri;
  bool on_connect = true;
  bool on_subscribe = false;
  bool on_publish = false;
  ngx_msec_t cache_ms = 0;  // 0: nothing is remembered
  Value key = nullptr;      // by which the client of an upgrade is known
  std::size_t cache_size = 1024UL * 1024;  // bytes
  ngx_msec_t timeout_ms = 10'000;          // of a command's question
  std::size_t max_size = 16UL * 1024;      // bytes of an answer
  std::size_t waiting = 16;                // questions of one client
  std::size_t together = 128;              // of all of a worker

  /// Questions about commands that aren't answered yet: each takes connections
  /// of the worker's.
  std::shared_ptr<std::size_t> asking = std::make_shared<std::size_t>(0);

  /// Each process has its own; made when the directive has been read.
  std::shared_ptr<auth::VerdictCache> cache;
  std::shared_ptr<backend::Complaints> complaints;  // that it doesn't decide

  [[nodiscard]] bool is_for_commands() const {
    return on_subscribe || on_publish;
  }

  // session::Judge
  [[nodiscard]] bool decides(Matter matter) const override {
    return matter == Matter::subscribe ? on_subscribe : on_publish;
  }
  [[nodiscard]] std::size_t most_waiting() const override { return waiting; }
  void ask(const Question& question, Reply reply) const override;
};

}  // namespace paperboy::nginx
