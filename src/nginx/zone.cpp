#include "nginx/zone.hpp"

#include <array>
#include <atomic>
#include <cerrno>
#include <new>
#include <optional>

#include <openssl/rand.h>
#include "broker/shm_file.hpp"
#include "broker/shm_zone.hpp"
#include "nginx/kin.hpp"
#include "nginx/worker.hpp"
#include "nginx/zone_node.hpp"

namespace paperboy::nginx {

namespace {

constexpr std::size_t kDefaultSize = 32UL * 1024 * 1024;
constexpr std::size_t kAlignment = 4096;

// Of nginx's zone where ours is in a file.
constexpr std::size_t kPages = 8;

// Both persist over reloads: the module's library stays mapped in the master.
//
// The file is never given up at a process's end: the kernel has to find there
// which locks a dying worker holds.
broker::shm::ZoneFile* the_file = nullptr;
// Of this master's workers: raised with each configuration, and copied by
// fork.
std::uint32_t generation = 0;

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

MainConf& conf_of(const ngx_shm_zone_t& zone) {
  return *static_cast<MainConf*>(zone.data);
}

/// For a line of the log: " in FILE", or nothing.
std::string place_of(const MainConf& main) {
  return main.zone_file.len == 0 ? std::string()
                                 : " in " + std::string(bytes(main.zone_file));
}

/// A second zone beside the one in use would split the node in two.
ngx_int_t refuse_change(const MainConf& now, const MainConf& next) {
  const std::string here = place_of(now);
  const std::string there = place_of(next);
  const ngx_str_t from = borrow(here);
  const ngx_str_t to = borrow(there);
  ngx_log_error(NGX_LOG_EMERG, ngx_cycle->log, 0,
                "paperboy_zone \"%V\" of %uz bytes%V can't take the place of "
                "\"%V\" of %uz bytes%V in a reload: restart nginx for that",
                &next.zone_name, next.zone_size, &to, &now.zone_name,
                now.zone_size, &from);
  return NGX_ERROR;
}

/// Whether the channels of both are the same. Where Redis is may change: it may
/// have moved.
bool same_channels(const MainConf& now, const MainConf& next) {
  if (!now.redis || !next.redis) return !now.redis && !next.redis;
  return now.redis->options.prefix == next.redis->options.prefix &&
         now.redis->options.database == next.redis->options.database;
}

/// The workers of both would give out positions of one channel.
ngx_int_t refuse_other_channels() {
  ngx_log_error(NGX_LOG_EMERG, ngx_cycle->log, 0,
                "paperboy_redis can't be added, removed, or get another prefix "
                "or database in a reload: restart nginx for that");
  return NGX_ERROR;
}

/// Where ours lies; `data` of nginx's pool in its zone. There is one for each
/// master.
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

ngx_int_t refuse_zone(const ngx_shm_zone_t& zone, Bytes why) {
  const ngx_str_t text = borrow(why);
  ngx_log_error(NGX_LOG_EMERG, ngx_cycle->log, 0, "paperboy_zone \"%V\": %V",
                &zone.shm.name, &text);
  return NGX_ERROR;
}

/// `what` with errno, the system's reason.
ngx_int_t refuse_file(const MainConf& main, Bytes what) {
  const ngx_str_t text = borrow(what);
  ngx_log_error(NGX_LOG_EMERG, ngx_cycle->log, errno,
                "paperboy_zone \"%V\": \"%V\" %V", &main.zone_name,
                &main.zone_file, &text);
  return NGX_ERROR;
}

Block* add_block(ngx_shm_zone_t& zone) {
  auto* const pool = reinterpret_cast<ngx_slab_pool_t*>(zone.shm.addr);
  // Full is the pool's normal state: it isn't worth a line.
  pool->log_nomem = 0;
  auto* const block = static_cast<Block*>(ngx_slab_alloc(pool, sizeof(Block)));
  if (block != nullptr) new (block) Block{};
  pool->data = block;
  return block;
}

/// None: there are no random numbers.
std::optional<broker::shm::Options> options_of(const MainConf& main) {
  broker::shm::Options options;
  options.seats = main.seats;
  options.log_size = main.log_size;
  options.history_size = main.history_size;
  if (RAND_bytes(reinterpret_cast<unsigned char*>(options.seed.data()),
                 sizeof options.seed) != 1) {
    return {};
  }
  return options;
}

ngx_int_t format(ngx_shm_zone_t& zone, Block& block,
                 const broker::shm::Options& options) {
  const auto memory =
      take_all(reinterpret_cast<ngx_slab_pool_t*>(zone.shm.addr));
  if (memory.size() < kAlignment) return refuse_zone(zone, "is too small");
  const auto made =
      broker::shm::Zone::format(memory, options, worker_clock(), no_waker());
  if (!made) return refuse_zone(zone, made.error().message);
  block.start = memory.data();
  block.size = memory.size();
  return NGX_OK;
}

/// Nothing at its path is changed before the configuration is accepted, and
/// `nginx -t` only looks.
ngx_int_t open_file(MainConf& main, const broker::shm::Options& options) {
  using broker::shm::ZoneFile;
  const std::string path(bytes(main.zone_file));
  errno = 0;
  if (main.zone_size < ZoneFile::minimum_size(options)) {
    return refuse_file(main,
                       "is too small for its seats, its log and its history");
  }
  if (ngx_test_config != 0) {
    const auto found = ZoneFile::probe(path);
    return found ? NGX_OK : refuse_file(main, found.error().message);
  }
  const int kin = the_file != nullptr ? the_file->fd() : parents_zone();
  auto file =
      ZoneFile::open({path, main.zone_size, options, kin}, worker_clock());
  if (!file) return refuse_file(main, file.error().message);
  main.opened = std::make_unique<ZoneFile>(std::move(file).value());
  return NGX_OK;
}

/// `old`: the configuration whose zone this has been. It changes nothing then:
/// the reload may yet fail.
ngx_int_t init_zone(ngx_shm_zone_t* zone, void* old) {
  MainConf& main = conf_of(*zone);
  const ngx_shm_zone_t* const running = find_zone(*ngx_cycle);
  if (running != nullptr && running->data != nullptr) {
    const MainConf& now = conf_of(*running);
    const bool same = old != nullptr && now.zone_size == main.zone_size &&
                      bytes(now.zone_file) == bytes(main.zone_file);
    if (!same) return refuse_change(now, main);
    return same_channels(now, main) ? NGX_OK : refuse_other_channels();
  }
  Block* const block = add_block(*zone);
  const auto options = options_of(main);
  if (block == nullptr) return refuse_zone(*zone, "is too small");
  if (!options) return refuse_zone(*zone, "there are no random numbers");
  return main.zone_file.len != 0 ? open_file(main, *options)
                                 : format(*zone, *block, *options);
}

/// Null: there is no zone, or it isn't made yet.
Block* block_of(const volatile ngx_cycle_t& cycle) {
  const ngx_shm_zone_t* const zone = find_zone(cycle);
  if (zone == nullptr || zone->shm.addr == nullptr) return nullptr;
  const auto* const pool =
      reinterpret_cast<const ngx_slab_pool_t*>(zone->shm.addr);
  return static_cast<Block*>(pool->data);
}

/// The file that `open_file` has found becomes ours.
ngx_int_t take_file(MainConf& main, Block& block) {
  using broker::shm::ZoneFile;
  ZoneFile& file = *main.opened;
  const auto done = file.commit(worker_clock());
  if (!done) return refuse_file(main, done.error().message);
  if (!file.reason().empty()) {
    const ngx_str_t why = borrow(file.reason());
    ngx_log_error(NGX_LOG_ERR, ngx_cycle->log, 0,
                  "paperboy_zone \"%V\": \"%V\" was begun anew, since %V: "
                  "clients that come back are told of a gap",
                  &main.zone_name, &main.zone_file, &why);
  }
  block.start = file.memory().data();
  block.size = file.memory().size();
  // Paperboy comes back to its own, after a configuration without it.
  const bool again =
      the_file != nullptr && file.state() == ZoneFile::State::joined;
  if (again) the_file->leave(worker_clock());
  delete the_file;
  the_file = main.opened.release();
  return NGX_OK;
}

}  // namespace

char* add_zone(ngx_conf_t* cf, MainConf& main) {
  const std::size_t size =
      main.zone_file.len != 0 ? kPages * ngx_pagesize : main.zone_size;
  auto* const zone = ngx_shared_memory_add(cf, &main.zone_name, size,
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
  if (ngx_test_config != 0) return NGX_OK;
  begin_node();
  ngx_shm_zone_t* const zone = find_zone(*cycle);
  if (zone == nullptr) {
    // Until now the old configuration's zone is mapped here. Should Paperboy
    // come back, it gets another: who stays in this one would hear nothing.
    Block* const block = block_of(*ngx_cycle);
    if (block != nullptr) block->leaving = true;
    settle(false);
    return NGX_OK;
  }
  MainConf& main = conf_of(*zone);
  Block& block = *block_of(*cycle);
  if (main.opened && take_file(main, block) != NGX_OK) return NGX_ERROR;
  settle(the_file != nullptr &&
         the_file->state() == broker::shm::ZoneFile::State::joined);
  block.newest = ++generation;
  block.leaving = false;
  return hand_down(cycle, main.seats,
                   the_file != nullptr ? the_file->fd() : -1);
}

void exit_master(ngx_cycle_t*) {
  if (the_file != nullptr) the_file->leave(worker_clock());
  take_leave();
}

}  // namespace paperboy::nginx
