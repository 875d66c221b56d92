// paperboy_status: what all workers have counted, and how full the zone is.
#include "base/json.hpp"
#include "base/version.hpp"
#include "nginx/handlers.hpp"
#include "nginx/request.hpp"
#include "nginx/token_desk.hpp"
#include "nginx/worker.hpp"

namespace paperboy::nginx {

namespace {

void set_range(Json& json, const broker::shm::Zone& zone, Counter first,
               Counter last) {
  for (auto i = static_cast<std::size_t>(first);
       i <= static_cast<std::size_t>(last); ++i) {
    const auto counter = static_cast<Counter>(i);
    json.set(counter_name(counter), Json::integer(zone.sum(counter)));
  }
}

Json zone_json(const broker::shm::Stats& stats) {
  Json json = Json::object();
  json.set("size", Json::integer(stats.size))
      .set("channel_memory", Json::integer(stats.arena_size))
      .set("channel_memory_used", Json::integer(stats.arena_used))
      .set("log_size", Json::integer(stats.log_size))
      .set("log_used", Json::integer(stats.log_used))
      .set("history_size", Json::integer(stats.history_size))
      .set("history_used", Json::integer(stats.history_used))
      .set("history_messages", Json::integer(stats.history_messages))
      .set("history_evictions", Json::integer(stats.history_evictions))
      .set("members", Json::integer(stats.members))
      .set("keys", Json::integer(stats.keys))
      .set("seats", Json::integer(stats.seats))
      .set("seats_taken", Json::integer(stats.seats_taken))
      .set("evictions", Json::integer(stats.evictions))
      .set("lock_waits", Json::integer(stats.lock_waits))
      .set("rollbacks", Json::integer(stats.rollbacks))
      .set("overruns", Json::integer(stats.overruns));
  return json;
}

Json token_cache_json(const auth::SignatureCache::Stats& stats) {
  Json json = Json::object();
  json.set("tokens", Json::integer(stats.tokens))
      .set("hits", Json::integer(stats.hits))
      .set("misses", Json::integer(stats.misses));
  return json;
}

std::string status_json(Worker& worker, const MainConf& main) {
  const broker::shm::Zone& zone = worker.zone();
  const auto stats = zone.stats();
  Json json = Json::object();
  json.set("version", Json::string(kVersion));
  json.set("workers", Json::integer(stats.seats_taken));
  json.set("channels", Json::integer(worker.zone().channel_count()));
  set_range(json, zone, Counter::connections, Counter::revoked_subscriptions);
  json.set("revocations",
           Json::integer(main.revocations->stats(ngx_time()).entries));
  json.set("opaque_tokens", Json::integer(main.opaque_table->count()));
  Json refused = Json::object();
  set_range(refused, zone, Counter::refused_method, Counter::refused_capacity);
  json.set("refused", std::move(refused));
  Json closed = Json::object();
  set_range(closed, zone, Counter::closed_1000, Counter::closed_other);
  json.set("closed", std::move(closed));
  json.set("zone", zone_json(stats));
  json.set("token_cache", token_cache_json(main.token_cache.stats()));
  return json.dump();
}

}  // namespace

ngx_int_t status_handler(ngx_http_request_t* r) {
  Request* const request = Request::of(r);
  if (request == nullptr) return NGX_HTTP_INTERNAL_SERVER_ERROR;
  const ngx_int_t status = require_get(r, *request);
  if (status != NGX_OK) return status;
  Worker* const worker = Worker::current();
  if (worker == nullptr) {
    return refuse(r, *request, NGX_HTTP_SERVICE_UNAVAILABLE,
                  Counter::refused_capacity, "unavailable",
                  "there is no zone, or no seat in it for this worker");
  }
  if (!add_header(r, "Cache-Control", "no-store")) return NGX_ERROR;
  const auto& main = *static_cast<MainConf*>(
      ngx_http_get_module_main_conf(r, ngx_http_paperboy_module));
  return answer(r, NGX_HTTP_OK, "application/json", status_json(*worker, main));
}

}  // namespace paperboy::nginx
