// paperboy_ready: whether a load balancer may send clients here.
#include "base/json.hpp"
#include "broker/redis_readiness.hpp"
#include "nginx/handlers.hpp"
#include "nginx/request.hpp"
#include "nginx/worker.hpp"

namespace paperboy::nginx {

namespace {

/// Not a refusal: it is counted and logged nowhere.
ngx_int_t answer_ready(ngx_http_request_t* r,
                       const std::vector<Bytes>& reasons) {
  const bool ready = reasons.empty();
  Json json = Json::object();
  json.set("ready", Json::boolean(ready));
  if (!ready) {
    Json all = Json::array();
    for (const Bytes reason : reasons) all.append(Json::string(reason));
    json.set("reasons", std::move(all));
    if (!add_header(r, "Retry-After", "1")) return NGX_ERROR;
  }
  if (!add_header(r, "Cache-Control", "no-store")) return NGX_ERROR;
  return answer(r, ready ? NGX_HTTP_OK : NGX_HTTP_SERVICE_UNAVAILABLE,
                "application/json", json.dump());
}

}  // namespace

ngx_int_t ready_handler(ngx_http_request_t* r) {
  Request* const request = Request::of(r);
  if (request == nullptr) return NGX_HTTP_INTERNAL_SERVER_ERROR;
  const ngx_int_t status = require_get(r, *request);
  if (status != NGX_OK) return status;
  Worker* const worker = Worker::current();
  return answer_ready(r, worker == nullptr ? std::vector<Bytes>{"no_seat"}
                                           : broker::redis::reasons_not_ready(
                                                 worker->health()));
}

}  // namespace paperboy::nginx
