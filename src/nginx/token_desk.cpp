#include "nginx/token_desk.hpp"

#include <span>

#include "nginx/directives.hpp"
#include "nginx/order_desk.hpp"
#include "nginx/worker.hpp"

namespace paperboy::nginx {

namespace {

constexpr std::uint64_t kQuietMs = 60'000;  // between two complaints

// Ours alone: the channels' zone has the module's.
char tag;

ngx_slab_pool_t* pool_of(const ngx_shm_zone_t* zone) {
  return reinterpret_cast<ngx_slab_pool_t*>(zone->shm.addr);
}

std::size_t table_size(const MainConf& main) {
  const std::size_t size = auth::OpaqueTable::size_for(main.opaque_limits);
  return (size + ngx_pagesize - 1) / ngx_pagesize * ngx_pagesize;
}

ngx_int_t init_zone(ngx_shm_zone_t* zone, void* old) {
  auto* const pool = pool_of(zone);
  const MainConf& main = *static_cast<MainConf*>(zone->data);
  const auto memory = [&] {
    return std::span(static_cast<std::byte*>(pool->data), table_size(main));
  };
  if (old == nullptr) {
    // Not zeroed: most of it is never used.
    pool->data = ngx_slab_alloc(pool, table_size(main));
    if (pool->data == nullptr ||
        !auth::OpaqueTable::format(memory(), main.opaque_limits)) {
      ngx_log_error(NGX_LOG_EMERG, ngx_cycle->log, 0,
                    "paperboy_max_opaque_tokens: their table can't be made");
      return NGX_ERROR;
    }
  }
  main.opaque_table->attach(memory());
  return NGX_OK;
}

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
  ngx_str_t name = ngx_string("paperboy_max_opaque_tokens");
  // nginx has some words a page, and a page more for what is left over.
  const std::size_t table = table_size(main);
  const std::size_t size = table + table / 64 + 8 * ngx_pagesize;
  auto* const zone = ngx_shared_memory_add(cf, &name, size, &tag);
  if (zone == nullptr) return NGX_ERROR;
  zone->init = callback<init_zone>;
  zone->data = &main;
  return NGX_OK;
}

}  // namespace paperboy::nginx
