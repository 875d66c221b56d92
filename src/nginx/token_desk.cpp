#include "nginx/token_desk.hpp"

#include <span>

#include "nginx/directives.hpp"
#include "nginx/order_desk.hpp"
#include "nginx/table_zone.hpp"
#include "nginx/worker.hpp"

namespace paperboy::nginx {

namespace {

constexpr std::uint64_t kQuietMs = 60'000;  // between two complaints

char* set_limits(ngx_conf_t* cf, MainConf& main) {
  auth::OpaqueTable::Limits& limits = main.opaque_limits;
  if (main.max_opaque_tokens != NGX_CONF_UNSET) {
    constexpr ngx_int_t kMost = 250'000;
    if (main.max_opaque_tokens < 1 || main.max_opaque_tokens > kMost) {
      return conf_error(cf, "paperboy_max_opaque_tokens",
                        "expected from 1 to 250000");
    }
    limits.most = static_cast<std::uint32_t>(main.max_opaque_tokens);
  }
  if (main.max_opaque_token_size != NGX_CONF_UNSET_SIZE) {
    constexpr std::size_t kLeast = 64;
    if (main.max_opaque_token_size < kLeast ||
        main.max_opaque_token_size > auth::kMaxTokenSize) {
      return conf_error(cf, "paperboy_max_opaque_token_size",
                        "expected from 64 bytes to 8k");
    }
    limits.size = static_cast<std::uint32_t>(main.max_opaque_token_size);
  }
  return NGX_CONF_OK;
}

}  // namespace

TokenDesk::TokenDesk(hub::Hub& hub, OrderDesk& desk, const MainConf& main)
    : desk_(desk) {
  if (!main.opaque_table->attached()) return;
  keeper_ = std::make_unique<session::TokenKeeper>(
      hub, worker_clock(), *main.opaque_table, main.opaque_limits.most,
      [this] { complain(); });
}

void TokenDesk::listen() {
  if (keeper_) (void)keeper_->listen();
}

void TokenDesk::look() {
  if (keeper_ && keeper_->look()) desk_.recheck();
}

void TokenDesk::tick() {
  if (keeper_ && keeper_->tick()) desk_.recheck();
}

void TokenDesk::complain() {
  const std::uint64_t now = worker_clock().monotonic_ms();
  if (now < quiet_until_) return;
  quiet_until_ = now + kQuietMs;
  ngx_log_error(NGX_LOG_ALERT, ngx_cycle->log, 0,
                "paperboy_max_opaque_tokens: a token that was made isn't known "
                "on this node, which has no room for it");
}

ngx_int_t finish_opaque_tokens(ngx_conf_t* cf) {
  MainConf& main = main_conf(cf);
  if (set_limits(cf, main) != NGX_CONF_OK) return NGX_ERROR;
  if (!main.takes_opaque) return NGX_OK;
  return add_table_zone(
      cf, {.name = ngx_string("paperboy_max_opaque_tokens"),
           .size = auth::OpaqueTable::size_for(main.opaque_limits),
           // Not zeroed: most of it is never used.
           .format =
               [](std::span<std::byte> memory, const MainConf& all) {
                 return auth::OpaqueTable::format(memory, all.opaque_limits);
               },
           .attach = [](std::span<std::byte> memory,
                        MainConf& all) { all.opaque_table->attach(memory); }});
}

}  // namespace paperboy::nginx
