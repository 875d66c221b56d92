#include "nginx/zone.hpp"

#include <sys/eventfd.h>

#include <array>
#include <atomic>
#include <new>

#include <openssl/rand.h>
#include "broker/shm_zone.hpp"
#include "nginx/worker.hpp"

namespace paperboy::nginx {

namespace {

constexpr std::size_t kDefaultSize = 32UL * 1024 * 1024;
constexpr std::size_t kAlignment = 4096;

// Persists over reloads: the module's library stays mapped in the master.
std::array<int, kMaxSeats> wakeups = [] {
  std::array<int, kMaxSeats> none{};
  none.fill(-1);
  return none;
}();

ngx_shm_zone_t* find_zone(const volatile ngx_cycle_t& cycle) {
  auto* part = const_cast<ngx_list_part_t*>(&cycle.shared_memory.part);
  for (; part != nullptr; part = part->next) {
    auto* const zones = static_cast<ngx_shm_zone_t*>(part->elts);
    for (ngx_uint_t i = 0; i < part->nelts; ++i) {
      if (zones[i].tag == &ngx_http_paperboy_module) return &zones[i];
    }
  }
  return nullptr;
}

/// A second zone beside the one in use would split the node in two.
bool replaces_another(const ngx_shm_zone_t& zone) {
  const ngx_shm_zone_t* const running = find_zone(*ngx_cycle);
  if (running == nullptr || running->data == nullptr) return false;
  ngx_log_error(NGX_LOG_EMERG, ngx_cycle->log, 0,
                "paperboy_zone \"%V\" of %uz bytes can't take the place of "
                "\"%V\" of %uz bytes in a reload: restart nginx for that",
                &zone.shm.name, zone.shm.size, &running->shm.name,
                running->shm.size);
  return true;
}

// Of this master's workers: raised with each configuration, and copied by
// fork.
std::uint32_t generation = 0;

/// Where ours lies in nginx's pool of the zone; the pool's `data`. There is
/// one for each master.
struct Block {
  std::byte* start;
  std::size_t size;
  std::atomic<std::uint32_t> newest;  // generation
  std::atomic<bool> leaving;          // the master, or Paperboy
};

/// The one large block inside nginx's pool.
std::span<std::byte> take_all(ngx_slab_pool_t* pool) {
  const std::size_t pages = pool->pfree > 1 ? pool->pfree - 1 : 0;
  for (std::size_t n = pages; n > 0; --n) {
    void* const block = ngx_slab_alloc(pool, n * ngx_pagesize);
    if (block != nullptr) {
      return {static_cast<std::byte*>(block), n * ngx_pagesize};
    }
  }
  return {};
}

ngx_int_t refuse_size(const ngx_shm_zone_t& zone, Bytes why) {
  const ngx_str_t text = borrow(why);
  ngx_log_error(NGX_LOG_EMERG, ngx_cycle->log, 0, "paperboy_zone \"%V\": %V",
                &zone.shm.name, &text);
  return NGX_ERROR;
}

ngx_int_t format(ngx_shm_zone_t& zone) {
  auto* const pool = reinterpret_cast<ngx_slab_pool_t*>(zone.shm.addr);
  // Full is the pool's normal state: it isn't worth a line.
  pool->log_nomem = 0;
  auto* const block = static_cast<Block*>(ngx_slab_alloc(pool, sizeof(Block)));
  const auto memory = take_all(pool);
  if (block == nullptr || memory.size() < kAlignment) {
    return refuse_size(zone, "is too small");
  }
  new (block) Block{memory.data(), memory.size(), 0, false};
  const auto& main = *static_cast<MainConf*>(zone.data);
  broker::shm::Options options;
  options.seats = main.seats;
  options.log_size = main.log_size;
  options.history_size = main.history_size;
  if (RAND_bytes(reinterpret_cast<unsigned char*>(options.seed.data()),
                 sizeof options.seed) != 1) {
    return refuse_size(zone, "there are no random numbers");
  }
  const auto made =
      broker::shm::Zone::format(memory, options, worker_clock(), no_waker());
  if (!made) return refuse_size(zone, made.error().message);
  pool->data = block;
  return NGX_OK;
}

/// `old`: that of the same zone before a reload. It changes nothing then:
/// the reload may yet fail.
ngx_int_t init_zone(ngx_shm_zone_t* zone, void* old) {
  if (old != nullptr || zone->shm.exists != 0) return NGX_OK;
  if (replaces_another(*zone)) return NGX_ERROR;
  return format(*zone);
}

/// Null: there is no zone, or it isn't made yet.
Block* block_of(const volatile ngx_cycle_t& cycle) {
  const ngx_shm_zone_t* const zone = find_zone(cycle);
  if (zone == nullptr || zone->shm.addr == nullptr) return nullptr;
  const auto* const pool =
      reinterpret_cast<const ngx_slab_pool_t*>(zone->shm.addr);
  return static_cast<Block*>(pool->data);
}

}  // namespace

char* add_zone(ngx_conf_t* cf, MainConf& main) {
  auto* const zone = ngx_shared_memory_add(cf, &main.zone_name, main.zone_size,
                                           &ngx_http_paperboy_module);
  if (zone == nullptr) return static_cast<char*>(NGX_CONF_ERROR);
  zone->init = callback<init_zone>;
  zone->data = &main;
  main.zone = zone;
  return NGX_CONF_OK;
}

ngx_int_t default_zone(ngx_conf_t* cf) {
  MainConf& main = main_conf(cf);
  if (!main.in_use || main.zone != nullptr) return NGX_OK;
  ngx_str_set(&main.zone_name, "paperboy");
  main.zone_size = kDefaultSize;
  return add_zone(cf, main) == NGX_CONF_OK ? NGX_OK : NGX_ERROR;
}

std::span<std::byte> zone_memory() {
  const Block* const block = block_of(*ngx_cycle);
  if (block == nullptr) return {};
  return {block->start, block->size};
}

bool master_leaves() {
  Block* const block = block_of(*ngx_cycle);
  if (block == nullptr) return true;
  // Nobody younger has taken over. Those who were told to go long ago are not
  // told again: they see it here.
  if (block->newest.load() == generation) block->leaving = true;
  return block->leaving.load();
}

void stay() {
  Block* const block = block_of(*ngx_cycle);
  if (block != nullptr) block->leaving = false;
}

ngx_int_t init_module(ngx_cycle_t* cycle) {
  const ngx_shm_zone_t* const zone = find_zone(*cycle);
  if (zone == nullptr) {
    // Until now the old configuration's zone is mapped here. Should Paperboy
    // come back, it gets another: who stays in this one would hear nothing.
    Block* const block = block_of(*ngx_cycle);
    if (block != nullptr) block->leaving = true;
    return NGX_OK;
  }
  Block& block = *block_of(*cycle);
  block.newest = ++generation;
  block.leaving = false;
  const std::size_t seats = static_cast<const MainConf*>(zone->data)->seats;
  for (int& fd : std::span(wakeups).first(seats)) {
    if (fd != -1) continue;
    fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (fd == -1) {
      ngx_log_error(NGX_LOG_EMERG, cycle->log, ngx_errno, "eventfd() failed");
      return NGX_ERROR;
    }
  }
  return NGX_OK;
}

int wakeup(std::size_t seat) {
  return seat < wakeups.size() ? wakeups[seat] : -1;
}

}  // namespace paperboy::nginx
