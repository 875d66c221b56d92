// From a request that may, to a stream of events: the answer's header, and
// then the request is held. nginx keeps it, and with it all that goes for
// requests, access logs and limit_conn included.
#include "dialect/event_id.hpp"
#include "dialect/sse.hpp"
#include "hub/key.hpp"
#include "nginx/access.hpp"
#include "nginx/admission.hpp"
#include "nginx/handlers.hpp"
#include "nginx/request.hpp"
#include "nginx/stream.hpp"
#include "nginx/worker.hpp"

namespace paperboy::nginx {

namespace {

/// EventSource sends the header when it comes back; at first a page can only
/// write into the URL, which stays the same then. Empty: it comes from nowhere.
std::string last_event_id(ngx_http_request_t* r) {
  if (const auto header = header_value(r, "Last-Event-ID")) {
    if (!header->empty()) return std::string(*header);
  }
  for (const Bytes name : {"last_event_id", "lastEventId"}) {
    auto value = argument(r, name);
    if (value && !value->empty()) return *std::move(value);
  }
  return {};
}

void add_positions(ngx_http_request_t* r, session::Admission& admission) {
  const std::string id = last_event_id(r);
  if (id.empty()) return;
  const dialect::EventId told(id);
  for (const std::string& channel : admission.channels) {
    admission.since.push_back(told.in(hub::channel_name(channel)));
  }
}

/// Names that can't be told apart from events of other kinds.
Result<Done> check_names(const LocationConf& conf, const Request& request) {
  if (conf.sse_event == static_cast<ngx_uint_t>(dialect::EventNames::off)) {
    return Done{};
  }
  for (const std::string& name : request.channels) {
    if (dialect::can_name_events(name)) continue;
    return Error{
        ErrorCode::channel_name,
        "events can't be named after this channel (paperboy_sse_event)"};
  }
  return Done{};
}

/// The stream is neither kept nor compressed nor a download.
ngx_int_t send_header(ngx_http_request_t* r) {
  constexpr Bytes kType = "text/event-stream";
  if (!add_header(r, "Cache-Control", "no-store") ||
      !add_header(r, "X-Accel-Buffering", "no")) {
    return NGX_ERROR;
  }
  r->headers_out.status = NGX_HTTP_OK;
  r->headers_out.content_type = borrow(kType);
  r->headers_out.content_type_len = kType.size();
  r->headers_out.content_type_lowcase = nullptr;
  ngx_http_clear_content_length(r);
  ngx_http_clear_accept_ranges(r);
  r->limit_rate = 0;
  r->limit_rate_set = 1;
#if (NGX_HTTP_GZIP)
  r->gzip_tested = 1;
  r->gzip_ok = 0;
#endif
  return ngx_http_send_header(r);
}

ngx_connection_t* socket_of(ngx_http_request_t* r) {
#if (NGX_HTTP_V2)
  if (r->stream != nullptr) return r->stream->connection->connection;
#endif
  return r->connection;
}

/// Such a client answers nothing, so that only TCP can tell that its host has
/// vanished: what it doesn't acknowledge for so long ends it (tcp(7)).
ngx_int_t limit_silence(ngx_connection_t* c, std::uint64_t ms) {
  const auto limit = static_cast<unsigned>(
      std::min<std::uint64_t>(ms, std::numeric_limits<int>::max()));
  const int rc =
      setsockopt(c->fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &limit, sizeof limit);
  return rc == 0 ? NGX_OK : NGX_ERROR;
}

ngx_int_t open(ngx_http_request_t* r, const LocationConf& conf,
               Request& request) {
  const auto named = check_names(conf, request);
  if (!named) return refuse_error(r, request, named.error());
  const auto made = make_admission(r, conf, request);
  if (!made) return refuse_error(r, request, made.error());
  if (ngx_http_discard_request_body(r) != NGX_OK) return NGX_ERROR;
  if (r->method == NGX_HTTP_HEAD) return send_header(r);

  add_positions(r, request.admission);
  request.stream = Stream::make(r, conf);
  if (request.stream == nullptr) return NGX_HTTP_INTERNAL_SERVER_ERROR;
  const ngx_int_t admitted =
      Worker::current()->limits().admit(r, conf, request, *request.stream);
  if (admitted != NGX_OK) return admitted;
  const auto opened = request.stream->open(request.admission);
  if (!opened) return refuse_error(r, request, opened.error());
  if (ngx_tcp_nodelay(socket_of(r)) != NGX_OK ||
      limit_silence(socket_of(r), conf.settings.send_timeout_ms) != NGX_OK) {
    return NGX_ERROR;
  }
  const ngx_int_t sent = send_header(r);
  if (sent == NGX_ERROR || sent > NGX_OK) return sent;
  request.stream->hold();
  return NGX_DONE;
}

}  // namespace

ngx_int_t event_stream_handler(ngx_http_request_t* r) {
  const LocationConf& conf = location_conf(r);
  Request* const request = Request::of(r);
  if (request == nullptr) return NGX_HTTP_INTERNAL_SERVER_ERROR;
  if (r != r->main) {
    return refuse(r, *request, NGX_HTTP_BAD_REQUEST, Counter::refused_handshake,
                  "bad_request", "a subrequest can't become a stream");
  }
  ngx_int_t status = require_access(r, conf, *request);
  if (status == NGX_OK) status = require_worker(r, *request);
  return status == NGX_OK ? open(r, conf, *request) : status;
}

}  // namespace paperboy::nginx
