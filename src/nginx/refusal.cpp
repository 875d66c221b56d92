// The JSON of a refusal, where nginx would have sent its own page: an
// error_page that matched has cleared the request's context by then, and is
// left alone.
#include "base/json.hpp"
#include "nginx/handlers.hpp"
#include "nginx/request.hpp"

namespace paperboy::nginx {

namespace {

ngx_http_output_header_filter_pt next_header_filter;
ngx_http_output_body_filter_pt next_body_filter;

constexpr Bytes kJsonType = "application/json";

/// The refusal that this answer is of; null: it is none.
Request* refused(ngx_http_request_t* r) {
  Request* const request = Request::find(r);
  if (r != r->main || request == nullptr || request->refusal.status == 0 ||
      r->headers_out.status !=
          static_cast<ngx_uint_t>(request->refusal.status)) {
    return nullptr;
  }
  return request;
}

/// client_max_body_size is nginx's to enforce, before any of us is asked.
Request* refused_by_nginx(ngx_http_request_t* r) {
  const LocationConf& conf = location_conf(r);
  if (r != r->main || !(conf.posts() || conf.embedded) ||
      r->headers_out.status != NGX_HTTP_REQUEST_ENTITY_TOO_LARGE) {
    return nullptr;
  }
  Request* const request = Request::of(r);
  if (request != nullptr) {
    request->refusal = {NGX_HTTP_REQUEST_ENTITY_TOO_LARGE, "too_large",
                        "the message is larger than client_max_body_size",
                        Counter::publish_errors};
  }
  return request;
}

ngx_int_t header_filter(ngx_http_request_t* r) {
  Request* request = refused(r);
  if (request == nullptr) request = refused_by_nginx(r);
  if (request == nullptr) return next_header_filter(r);
  note(r, request->refusal);
  request->body = Json::object()
                      .set("error", Json::string(request->refusal.error))
                      .set("message", Json::string(request->refusal.message))
                      .dump();
  r->headers_out.content_type = borrow(kJsonType);
  r->headers_out.content_type_len = kJsonType.size();
  r->headers_out.content_type_lowcase = nullptr;
  ngx_http_clear_content_length(r);
  r->headers_out.content_length_n = static_cast<off_t>(request->body.size());
  return next_header_filter(r);
}

ngx_int_t body_filter(ngx_http_request_t* r, ngx_chain_t* in) {
  Request* const request = in != nullptr ? refused(r) : nullptr;
  if (request == nullptr || request->body.empty()) {
    return next_body_filter(r, in);
  }
  for (ngx_chain_t* link = in; link != nullptr; link = link->next) {
    link->buf->pos = link->buf->last;
    link->buf->file_pos = link->buf->file_last;
  }
  if (request->body_sent) return NGX_OK;
  request->body_sent = true;
  auto* const buffer = static_cast<ngx_buf_t*>(ngx_calloc_buf(r->pool));
  if (buffer == nullptr) return NGX_ERROR;
  const ngx_str_t body = borrow(request->body);
  buffer->pos = buffer->start = body.data;
  buffer->last = buffer->end = body.data + body.len;
  buffer->memory = 1;
  buffer->last_buf = 1;
  buffer->last_in_chain = 1;
  ngx_chain_t chain{buffer, nullptr};
  return next_body_filter(r, &chain);
}

}  // namespace

void install_refusal_filters() {
  next_header_filter = ngx_http_top_header_filter;
  ngx_http_top_header_filter = callback<header_filter>;
  next_body_filter = ngx_http_top_body_filter;
  ngx_http_top_body_filter = callback<body_filter>;
}

}  // namespace paperboy::nginx
