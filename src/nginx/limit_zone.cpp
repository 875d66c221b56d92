#include "nginx/limit_zone.hpp"

#include "broker/shm_limits.hpp"

namespace paperboy::nginx {

namespace {

constexpr std::size_t kDefaultSize = 1024UL * 1024;

// Ours alone: the channels' zone has the module's.
char tag;

/// Of a zone of that size; the rest is nginx's, which has some words a page.
std::size_t room(std::size_t size) {
  const std::size_t pages = size / ngx_pagesize;
  return (pages - 2 - pages / 64) * ngx_pagesize;
}

std::span<std::byte> memory_of(const ngx_shm_zone_t& zone) {
  const auto* const pool =
      reinterpret_cast<const ngx_slab_pool_t*>(zone.shm.addr);
  return {static_cast<std::byte*>(pool->data), room(zone.shm.size)};
}

ngx_int_t init_limit_zone(ngx_shm_zone_t* zone, void* old) {
  if (old != nullptr) return NGX_OK;
  auto* const pool = reinterpret_cast<ngx_slab_pool_t*>(zone->shm.addr);
  pool->data = ngx_slab_calloc(pool, room(zone->shm.size));
  if (pool->data != nullptr && broker::shm::Limits::format(memory_of(*zone))) {
    return NGX_OK;
  }
  ngx_log_error(NGX_LOG_EMERG, ngx_cycle->log, 0,
                "paperboy_limit_zone: it can't be made");
  return NGX_ERROR;
}

}  // namespace

ngx_int_t finish_limit_zone(ngx_conf_t* cf) {
  MainConf& main = main_conf(cf);
  if (!main.has_limits) return NGX_OK;
  ngx_str_t name = ngx_string("paperboy_limit_zone");
  const std::size_t size =
      main.limit_zone_size != 0 ? main.limit_zone_size : kDefaultSize;
  main.limit_zone = ngx_shared_memory_add(cf, &name, size, &tag);
  if (main.limit_zone == nullptr) return NGX_ERROR;
  main.limit_zone->init = callback<init_limit_zone>;
  main.limit_zone->data = &main;
  return NGX_OK;
}

std::span<std::byte> limit_memory(const MainConf& main) {
  if (main.limit_zone == nullptr) return {};
  return memory_of(*main.limit_zone);
}

}  // namespace paperboy::nginx
