// A preflight is answered before the access phase, since it carries neither
// token nor password; the fields of all other answers are added when these
// leave, so that refusals have them too.
#include "nginx/cors.hpp"

#include "nginx/access.hpp"
#include "nginx/handlers.hpp"
#include "nginx/origin.hpp"
#include "nginx/request.hpp"

namespace paperboy::nginx {

namespace {

ngx_http_output_header_filter_pt next_header_filter;

/// What a page may send here.
Bytes methods(const LocationConf& conf) {
  if (conf.posts() || conf.csrf_token) return "POST";
  return conf.streams_events() ? "GET" : "";
}

/// Caches have to know that the answer depends on the origin, also where it is
/// the one that gets nothing.
ngx_int_t header_filter(ngx_http_request_t* r) {
  const LocationConf& conf = location_conf(r);
  if (!shares_answers(r, conf)) return next_header_filter(r);
  if (!add_header(r, "Vary", "Origin")) return NGX_ERROR;
  const Standing origin = standing(r, conf);
  if (origin != Standing::known && origin != Standing::any) {
    return next_header_filter(r);
  }
  if (!add_header(r, "Access-Control-Allow-Origin",
                  *header_value(r, "Origin"))) {
    return NGX_ERROR;
  }
  // Whom only `any` admits gets no answers that are meant for a reader.
  if (conf.cors->credentials && origin == Standing::known &&
      !add_header(r, "Access-Control-Allow-Credentials", "true")) {
    return NGX_ERROR;
  }
  return next_header_filter(r);
}

bool is_preflight(ngx_http_request_t* r) {
  return r->method == NGX_HTTP_OPTIONS && header_value(r, "Origin") &&
         header_value(r, "Access-Control-Request-Method");
}

}  // namespace

bool shares_answers(ngx_http_request_t* r, const LocationConf& conf) {
  return r == r->main && conf.cors && conf.cors->on && !methods(conf).empty() &&
         !is_internal(r);
}

ngx_int_t preflight_handler(ngx_http_request_t* r) {
  const LocationConf& conf = location_conf(r);
  if (!is_preflight(r) || !shares_answers(r, conf)) return NGX_DECLINED;
  Request* const request = Request::of(r);
  if (request == nullptr) return NGX_HTTP_INTERNAL_SERVER_ERROR;
  const ngx_int_t status = check_origin(r, conf, *request);
  if (status != NGX_OK) return status;
  const Cors& cors = *conf.cors;
  const bool added =
      add_header(r, "Access-Control-Allow-Methods", methods(conf)) &&
      add_header(r, "Access-Control-Allow-Headers", cors.headers) &&
      add_header(r, "Access-Control-Max-Age",
                 std::to_string(cors.max_age_seconds));
  return added ? NGX_HTTP_NO_CONTENT : NGX_HTTP_INTERNAL_SERVER_ERROR;
}

void install_cors_filter() {
  next_header_filter = ngx_http_top_header_filter;
  ngx_http_top_header_filter = callback<header_filter>;
}

}  // namespace paperboy::nginx
