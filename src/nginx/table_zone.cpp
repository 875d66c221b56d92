#include "nginx/table_zone.hpp"

#include "nginx/directives.hpp"

namespace paperboy::nginx {

namespace {

// Ours alone: the channels' zone has the module's.
char tag;

/// Lives with its cycle.
struct Named {
  TableZone table;
  MainConf* main;
};

ngx_int_t init_zone(ngx_shm_zone_t* zone, void* old) {
  const auto& [table, main] = *static_cast<const Named*>(zone->data);
  auto* const pool = reinterpret_cast<ngx_slab_pool_t*>(zone->shm.addr);
  if (old == nullptr) pool->data = ngx_slab_alloc(pool, table.size);
  const std::span memory(static_cast<std::byte*>(pool->data), table.size);
  if (old == nullptr &&
      (pool->data == nullptr || !table.format(memory, *main))) {
    ngx_log_error(NGX_LOG_EMERG, ngx_cycle->log, 0,
                  "%V: their table can't be made", &table.name);
    return NGX_ERROR;
  }
  table.attach(memory, *main);
  return NGX_OK;
}

}  // namespace

ngx_int_t add_table_zone(ngx_conf_t* cf, const TableZone& table) {
  auto* const named = make_in_pool<Named>(cf->pool);
  if (named == nullptr) return NGX_ERROR;
  *named = {table, &main_conf(cf)};
  TableZone& made = named->table;
  made.size = (table.size + ngx_pagesize - 1) / ngx_pagesize * ngx_pagesize;
  // nginx has some words a page, and a page more for what is left over.
  const std::size_t size = made.size + made.size / 64 + 8 * ngx_pagesize;
  auto* const zone = ngx_shared_memory_add(cf, &made.name, size, &tag);
  if (zone == nullptr) return NGX_ERROR;
  zone->init = callback<init_zone>;
  zone->data = named;
  return NGX_OK;
}

}  // namespace paperboy::nginx
