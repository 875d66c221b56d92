#include "nginx/token_zone.hpp"

#include <span>

#include "nginx/conf.hpp"

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

ngx_int_t init_token_zone(ngx_shm_zone_t* zone, void* old) {
  auto* const pool = reinterpret_cast<ngx_slab_pool_t*>(zone->shm.addr);
  const std::size_t size = room(zone->shm.size);
  const auto memory = [&] {
    return std::span(static_cast<std::byte*>(pool->data), size);
  };
  if (old == nullptr) {
    pool->data = ngx_slab_calloc(pool, size);
    if (pool->data == nullptr || !auth::SignatureCache::format(memory())) {
      ngx_log_error(NGX_LOG_EMERG, ngx_cycle->log, 0,
                    "paperboy_token_cache: it can't be made");
      return NGX_ERROR;
    }
  }
  static_cast<MainConf*>(zone->data)->token_cache.attach(memory());
  return NGX_OK;
}

}  // namespace

ngx_int_t finish_token_cache(ngx_conf_t* cf) {
  MainConf& main = main_conf(cf);
  const std::size_t size = main.token_cache_size.value_or(kDefaultSize);
  if (!main.has_public_keys || size == 0) return NGX_OK;
  ngx_str_t name = ngx_string("paperboy_token_cache");
  auto* const zone = ngx_shared_memory_add(cf, &name, size, &tag);
  if (zone == nullptr) return NGX_ERROR;
  zone->init = callback<init_token_zone>;
  zone->data = &main;
  return NGX_OK;
}

}  // namespace paperboy::nginx
