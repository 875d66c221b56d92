#include "nginx/revocation_desk.hpp"

#include <span>

#include "nginx/directives.hpp"
#include "nginx/order_desk.hpp"
#include "nginx/worker.hpp"

namespace paperboy::nginx {

namespace {

constexpr std::uint64_t kQuietMs = 60'000;  // between two complaints
constexpr std::int64_t kSweepSeconds = 64;

// Ours alone: the channels' zone has the module's.
char tag;

ngx_slab_pool_t* pool_of(const ngx_shm_zone_t* zone) {
  return reinterpret_cast<ngx_slab_pool_t*>(zone->shm.addr);
}

std::size_t table_size(const MainConf& main) {
  const std::size_t size =
      auth::Revocations::size_for(main.revocation_limits.most);
  return (size + ngx_pagesize - 1) / ngx_pagesize * ngx_pagesize;
}

ngx_int_t init_zone(ngx_shm_zone_t* zone, void* old) {
  auto* const pool = pool_of(zone);
  MainConf& main = *static_cast<MainConf*>(zone->data);
  const std::size_t size = table_size(main);
  const auto memory = [&] {
    return std::span(static_cast<std::byte*>(pool->data), size);
  };
  if (old == nullptr) {
    pool->data = ngx_slab_calloc(pool, size);
    if (pool->data == nullptr || !auth::Revocations::format(memory())) {
      ngx_log_error(NGX_LOG_EMERG, ngx_cycle->log, 0,
                    "paperboy_max_revocations: their table can't be made");
      return NGX_ERROR;
    }
  }
  main.revocations->attach(memory());
  return NGX_OK;
}

char* set_limits(ngx_conf_t* cf, MainConf& main) {
  hub::RevocationLimits& limits = main.revocation_limits;
  if (main.revocation_ttl != NGX_CONF_UNSET) {
    constexpr time_t kMost = 10L * 365 * 86'400;
    if (main.revocation_ttl < 1 || main.revocation_ttl > kMost) {
      return conf_error(cf, "paperboy_revocation_ttl",
                        "expected from one second to ten years");
    }
    limits.seconds = static_cast<std::uint32_t>(main.revocation_ttl);
  }
  if (main.max_revocations != NGX_CONF_UNSET) {
    constexpr ngx_int_t kMost = 10'000'000;
    if (main.max_revocations < 1 || main.max_revocations > kMost) {
      return conf_error(cf, "paperboy_max_revocations",
                        "expected from 1 to 10000000");
    }
    limits.most = static_cast<std::uint32_t>(main.max_revocations);
  }
  return NGX_CONF_OK;
}

}  // namespace

RevocationDesk::RevocationDesk(hub::Hub& hub, OrderDesk& desk,
                               const MainConf& main)
    : desk_(desk),
      main_(main),
      revoker_(hub, worker_clock(), main.revocation_limits,
               [this](const Revocation& one) { take(one); }) {}

void RevocationDesk::listen() {
  if (all() == nullptr) return;
  (void)revoker_.listen();
  (void)known();
}

/// Who begins after a reload has what others have read.
bool RevocationDesk::known() {
  if (all() == nullptr || main_.revocations->complete()) return true;
  if (!revoker_.complete()) return false;
  main_.revocations->set_complete();
  return true;
}

void RevocationDesk::look() {
  if (all() == nullptr) return;
  (void)revoker_.look();
  if (std::exchange(any_, false)) desk_.recheck();
}

void RevocationDesk::tick() {
  listen();
  const std::int64_t now = worker_clock().unix_seconds();
  if (all() == nullptr || now % kSweepSeconds != 0) return;
  main_.revocations->sweep(now);
}

/// Each worker of the node takes each; the first changes the table.
void RevocationDesk::take(const Revocation& revocation) {
  const Clock& clock = worker_clock();
  any_ = true;
  if (main_.revocations->covers(revocation)) return;
  if (main_.revocations->add(revocation, clock.unix_seconds())) return;
  if (clock.monotonic_ms() < quiet_until_) return;
  quiet_until_ = clock.monotonic_ms() + kQuietMs;
  ngx_log_error(NGX_LOG_ALERT, ngx_cycle->log, 0,
                "paperboy_max_revocations: a token that another node has "
                "revoked isn't revoked on this one, which remembers as many "
                "as it may");
}

ngx_int_t finish_revocations(ngx_conf_t* cf) {
  MainConf& main = main_conf(cf);
  if (set_limits(cf, main) != NGX_CONF_OK) return NGX_ERROR;
  if (!main.in_use) return NGX_OK;
  ngx_str_t name = ngx_string("paperboy_max_revocations");
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
