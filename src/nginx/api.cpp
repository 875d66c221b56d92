// paperboy_api: the HTTP API of back ends. The method is the last part of the
// URL, or, at the location's own URL, stands in the body.
#include "api/job.hpp"
#include "nginx/access.hpp"
#include "nginx/asked.hpp"
#include "nginx/body.hpp"
#include "nginx/handlers.hpp"
#include "nginx/request.hpp"
#include "nginx/worker.hpp"

namespace paperboy::nginx {

namespace {

constexpr Error kTooLarge{ErrorCode::too_large,
                          "the body is larger than paperboy_max_api_size"};

ngx_int_t refuse_api(ngx_http_request_t* r, Request& request, ngx_int_t status,
                     Bytes error, Bytes message) {
  return refuse(r, request, status, Counter::refused_method, error, message);
}

/// The method in the URL; empty: the body names it. Nothing: it is none.
std::optional<Bytes> find_method(ngx_http_request_t* r) {
  const auto* const core = static_cast<ngx_http_core_loc_conf_t*>(
      ngx_http_get_module_loc_conf(r, ngx_http_core_module));
  const Bytes uri = bytes(r->uri);
  const Bytes last = uri.substr(uri.rfind('/') + 1);
  if (api::is_method(last)) return last;
  Bytes own = bytes(core->name);
  const bool itself = uri == own || last.empty() || r->internal != 0;
  if (itself) return Bytes();
  return {};
}

/// Method and length, before the body is read.
ngx_int_t check_request(ngx_http_request_t* r, const LocationConf& conf,
                        Request& request) {
  if (r->method != NGX_HTTP_POST) {
    if (!add_header(r, "Allow", "POST")) return NGX_ERROR;
    return refuse_api(r, request, NGX_HTTP_NOT_ALLOWED, "method_not_allowed",
                      "the API is asked with POST");
  }
  if (!find_method(r)) {
    return refuse_api(r, request, NGX_HTTP_NOT_FOUND, "not_found",
                      "the API has no such method");
  }
  if (r == r->main && !is_sized(r)) {
    return refuse_api(r, request, NGX_HTTP_LENGTH_REQUIRED, "length_required",
                      "the request names no Content-Length");
  }
  if (r->headers_in.content_length_n > static_cast<off_t>(conf.max_api_size)) {
    return refuse_api(r, request, NGX_HTTP_REQUEST_ENTITY_TOO_LARGE,
                      error_name(kTooLarge.code), kTooLarge.message);
  }
  return NGX_OK;
}

/// NGX_DONE: it goes on.
ngx_int_t start(ngx_http_request_t* r) {
  const LocationConf& conf = location_conf(r);
  Request& request = *Request::of(r);
  Worker& worker = *Worker::current();
  auto body = read_body(r, conf.max_api_size, kTooLarge);
  if (!body) {
    return refuse_api(r, request, http_status(body.error().code),
                      error_name(body.error().code), body.error().message);
  }
  // The request borrows from it, and so it must not move from here on.
  const auto text = std::make_shared<const std::string>(std::move(*body));
  auto asked_for = api::read_request(*find_method(r), *text);
  if (!asked_for) {
    return refuse_api(r, request, NGX_HTTP_BAD_REQUEST, "bad_request",
                      asked_for.error().why);
  }
  if (asked_for->weight() > static_cast<std::size_t>(conf.max_api_commands)) {
    return refuse_api(r, request, NGX_HTTP_REQUEST_ENTITY_TOO_LARGE,
                      "too_large",
                      "more commands and channels than "
                      "paperboy_max_api_commands");
  }
  const auto asked = Asked::begin(r);
  if (!asked) return NGX_HTTP_INTERNAL_SERVER_ERROR;
  const auto job = std::make_shared<api::Job>(
      api::Services{worker.context().hub, worker.desk().orders(),
                    worker.revocations().revoker(), worker.tokens().keeper(),
                    worker.node(), worker.context().counters},
      api::Scope{std::string(evaluate(r, conf.name_space)),
                 conf.settings.max_channel_length,
                 static_cast<std::uint32_t>(conf.settings.max_history),
                 conf.settings.send_buffer},
      std::move(*asked_for), [asked, text](const std::string& json) {
        asked->give([&json](ngx_http_request_t* r) {
          return answer(r, NGX_HTTP_OK, "application/json", json);
        });
      });
  job->run();
  return asked->wait();
}

}  // namespace

ngx_int_t api_handler(ngx_http_request_t* r) {
  const LocationConf& conf = location_conf(r);
  Request* const request = Request::of(r);
  if (request == nullptr) return NGX_HTTP_INTERNAL_SERVER_ERROR;
  ngx_int_t status = require_publish_access(r, conf, *request);
  if (status == NGX_OK) status = check_request(r, conf, *request);
  if (status != NGX_OK) return status;
  if (Worker::current() == nullptr) {
    return refuse(r, *request, NGX_HTTP_SERVICE_UNAVAILABLE,
                  Counter::refused_capacity, "unavailable",
                  "this worker has no seat in the zone");
  }
  return when_read<start>(r);
}

}  // namespace paperboy::nginx
