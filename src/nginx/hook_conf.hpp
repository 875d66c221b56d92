// paperboy_hook: the application that is told what clients do, as the
// configuration names it. Noted here, told by the worker's HookDesk.
#pragma once

#include "nginx/ngx.hpp"

#include <cstddef>
#include <memory>
#include <string>

#include "backend/hook_queue.hpp"
#include "session/hook.hpp"

namespace paperboy::nginx {

class HookConf final : public session::Hook,
                       public std::enable_shared_from_this<HookConf> {
 public:
  ngx_http_conf_ctx_t* server = nullptr;  // in whose locations `uri` is
  std::string uri;
  unsigned events = 0b1111;  // a bit for each of session::Hook::Event
  backend::HookQueue::Options queue;
  ngx_msec_t timeout_ms = 10'000;  // of a post

  [[nodiscard]] static unsigned bit(Event event) {
    return 1U << static_cast<unsigned>(event);
  }

  // session::Hook
  [[nodiscard]] bool wants(Event event) const override {
    return (events & bit(event)) != 0;
  }
  void tell(const Told& what) const noexcept override;
};

}  // namespace paperboy::nginx
