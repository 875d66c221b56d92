#include "nginx/embedded_zone.hpp"

#include <openssl/rand.h>

#include <array>
#include <charconv>

namespace paperboy::nginx {

namespace {

// nginx's own pages in a zone, and what its allocator wastes.
constexpr std::size_t kSpare = 8;

// Ours alone: the channels' zone has the module's.
char tag;

ngx_slab_pool_t* pool_of(const ngx_shm_zone_t& zone) {
  return reinterpret_cast<ngx_slab_pool_t*>(zone.shm.addr);
}

/// Of a worker that was killed in here the master takes it away.
class Locked {
 public:
  explicit Locked(const EmbeddedConf& conf) : pool_(pool_of(*conf.zone)) {
    ngx_shmtx_lock(&pool_->mutex);
  }
  Locked(const Locked&) = delete;
  Locked& operator=(const Locked&) = delete;
  ~Locked() { ngx_shmtx_unlock(&pool_->mutex); }

 private:
  ngx_slab_pool_t* const pool_;
};

backend::CallbackTable table_of(const EmbeddedConf& conf) {
  return backend::CallbackTable(pool_of(*conf.zone)->data);
}

ngx_int_t init_callback_zone(ngx_shm_zone_t* zone, void* old) {
  if (old != nullptr) return NGX_OK;  // nginx keeps what is in there
  ngx_slab_pool_t* const pool = pool_of(*zone);
  pool->data = ngx_slab_alloc(pool, backend::CallbackTable::size());
  std::uint64_t instance = 0;
  if (pool->data == nullptr ||
      RAND_bytes(reinterpret_cast<unsigned char*>(&instance),
                 sizeof instance) != 1) {
    ngx_log_error(NGX_LOG_EMERG, ngx_cycle->log, 0,
                  "paperboy_embedded: the zone of callbacks can't be made");
    return NGX_ERROR;
  }
  backend::CallbackTable::format(pool->data, instance);
  return NGX_OK;
}

}  // namespace

char* add_callback_zone(ngx_conf_t* cf, EmbeddedConf& conf) {
  ngx_str_t name = ngx_string("paperboy_embedded");
  const std::size_t pages =
      backend::CallbackTable::size() / ngx_pagesize + kSpare;
  conf.zone = ngx_shared_memory_add(cf, &name, pages * ngx_pagesize, &tag);
  if (conf.zone == nullptr) return static_cast<char*>(NGX_CONF_ERROR);
  conf.zone->init = callback<init_callback_zone>;
  conf.zone->data = &conf;
  return NGX_CONF_OK;
}

std::uint64_t ZoneCallbacks::version() const {
  return table_of(conf_).version();
}

std::vector<backend::Registered> ZoneCallbacks::all() const {
  const Locked locked(conf_);
  return table_of(conf_).all();
}

void ZoneCallbacks::remove(std::uint64_t serial) {
  const Locked locked(conf_);
  table_of(conf_).remove(serial);
}

bool ZoneCallbacks::add(const backend::Callback& callback) {
  const Locked locked(conf_);
  return table_of(conf_).add(callback, conf_.max_callbacks);
}

std::string ZoneCallbacks::instance() const {
  std::array<char, 16> text{};
  const auto end =
      std::to_chars(text.begin(), text.end(), table_of(conf_).instance(), 16);
  return {text.begin(), end.ptr};
}

}  // namespace paperboy::nginx
