// paperboy_hook: the application that is told what clients do, as the
// configuration names it. Noted here, told by the worker's HookDesk.
#pragma once

#include "nginx/ngx.hpp"

#include <algorithm>
#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "backend/hook_queue.hpp"
#include "session/hook.hpp"

namespace paperboy::nginx {

class HookConf final : public session::Hook,
                       public std::enable_shared_from_this<HookConf> {
 public:
  ngx_http_conf_ctx_t* server = nullptr;  // in whose locations `uri` is
  std::string uri;
  // Of clients a bit for each of session::Hook::Event, and of channels:
  static constexpr unsigned kFirst = 0b01'0000;
  static constexpr unsigned kLast = 0b10'0000;
  unsigned events = 0b00'1111;
  backend::HookQueue::Options queue;
  ngx_msec_t timeout_ms = 10'000;  // of a post

  [[nodiscard]] static unsigned bit(Event event) {
    return 1U << static_cast<unsigned>(event);
  }

  [[nodiscard]] bool is_for_channels() const {
    return (events & (kFirst | kLast)) != 0;
  }

  /// Of a channel that has got its first subscriber, or else lost its last.
  [[nodiscard]] bool wants_change(bool subscribed) const {
    return (events & (subscribed ? kFirst : kLast)) != 0;
  }

  // session::Hook
  [[nodiscard]] bool wants(Event event) const override {
    return (events & bit(event)) != 0;
  }
  void tell(const Told& what) const noexcept override;
};

/// A hook that is told of channels, and of which: those that clients of its
/// locations can name.
struct ChannelHook {
  std::shared_ptr<const HookConf> hook;
  bool anywhere = false;            // one has a namespace with variables
  std::vector<std::string> spaces;  // of the others; empty: channels in none

  [[nodiscard]] bool covers(Bytes space) const {
    return anywhere || std::ranges::find(spaces, space) != spaces.end();
  }
};

}  // namespace paperboy::nginx
