#include "nginx/inner_request.hpp"

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <utility>

#include "nginx/body.hpp"

namespace paperboy::nginx {

namespace {

constexpr std::size_t kPool = 1024;  // bytes; of the connection

ngx_http_output_header_filter_pt next_header_filter;
ngx_http_output_body_filter_pt next_body_filter;

/// Lives in the main request's pool; as that is destroyed, in whichever way,
/// the handler is called.
struct Asked : Kept {
  InnerRequest::Handler handler;
  int peer = -1;  // the other end of the connection
  ngx_event_t timer{};

  Asked() = default;
  Asked(const Asked&) = delete;
  Asked& operator=(const Asked&) = delete;
  ~Asked();
};

void on_done(Asked& asked) noexcept {
  try {
    asked.answer.complete = asked.last && asked.succeeded;
    asked.handler(std::move(asked.answer));
  } catch (...) {
    log_exception();
  }
}

Asked::~Asked() {
  if (timer.timer_set != 0) ngx_del_timer(&timer);
  if (peer != -1) ::close(peer);
  if (handler) on_done(*this);
}

/// Not the end, where an error_page is to answer.
ngx_int_t on_finished(ngx_http_request_t*, void* data, ngx_int_t rc) {
  Kept& kept = *static_cast<Kept*>(data);
  kept.succeeded = rc == NGX_OK;
  kept.finished = true;
  return rc;
}

/// Null: it isn't one of ours.
Kept* kept_of(ngx_http_request_t* r) {
  return r != r->main && r->post_subrequest != nullptr &&
                 r->post_subrequest->handler == callback<on_finished>
             ? static_cast<Kept*>(r->post_subrequest->data)
             : nullptr;
}

Bytes authenticate_of(ngx_http_request_t* r) {
  const ngx_table_elt_t* field = r->headers_out.www_authenticate;
  if (field == nullptr && r->upstream != nullptr) {
    field = r->upstream->headers_in.www_authenticate;
  }
  return field == nullptr ? Bytes() : bytes(field->value);
}

ngx_int_t header_filter(ngx_http_request_t* r) {
  if (Kept* const kept = kept_of(r)) {
    kept->answer.status = r->headers_out.status;
    kept->answer.authenticate = authenticate_of(r);
  }
  return next_header_filter(r);
}

/// False: it may not, or can't, be kept. What is in a file is read: the filter
/// that would do it comes later.
bool take(Kept& kept, ngx_buf_t& buffer, ngx_log_t* log) {
  const auto more = static_cast<std::size_t>(ngx_buf_size(&buffer));
  if (kept.answer.body.size() + more > kept.max_size) {
    kept.answer.too_large = true;
  }
  if (kept.answer.too_large) return false;
  if (buffer.in_file != 0) buffer.file->log = log;
  return append_buffer(kept.answer.body, buffer);
}

ngx_int_t body_filter(ngx_http_request_t* r, ngx_chain_t* in) {
  Kept* const kept = kept_of(r);
  if (kept == nullptr) return next_body_filter(r, in);
  for (ngx_chain_t* link = in; link != nullptr; link = link->next) {
    ngx_buf_t& buffer = *link->buf;
    if (!take(*kept, buffer, r->connection->log)) {
      if (!kept->drains) return NGX_ERROR;
      kept->answer.too_large = true;
    }
    if (buffer.last_buf != 0 || buffer.last_in_chain != 0) {
      kept->last = true;
    }
    buffer.pos = buffer.last;
    buffer.file_pos = buffer.file_last;
  }
  return NGX_OK;
}

/// The subrequest has ended.
void on_woken(ngx_http_request_t* r) { ngx_http_finalize_request(r, NGX_DONE); }

void on_timeout(ngx_event_t* event) {
  auto* const r = static_cast<ngx_http_request_t*>(event->data);
  ngx_connection_t* const c = r->connection;
  ngx_log_error(NGX_LOG_ERR, c->log, NGX_ETIMEDOUT, "no answer in time");
  ngx_http_finalize_request(static_cast<ngx_http_request_t*>(c->data),
                            NGX_HTTP_REQUEST_TIME_OUT);
  ngx_http_run_posted_requests(c);
}

void on_event(ngx_event_t*) {}

u_char* log_context(ngx_log_t* log, u_char* buffer, std::size_t size) {
  const auto* const context = static_cast<ngx_http_log_ctx_t*>(log->data);
  ngx_http_request_t* const r =
      context != nullptr ? context->current_request : nullptr;
  static ngx_str_t none{};
  return ngx_snprintf(buffer, size, ", a request by itself to \"%V\"",
                      r != nullptr ? &r->uri : &none);
}

/// The log of a connection is its own: requests change its level.
ngx_log_t* make_log(ngx_pool_t* pool) {
  auto* const log =
      static_cast<ngx_log_t*>(ngx_palloc(pool, sizeof(ngx_log_t)));
  auto* const context = static_cast<ngx_http_log_ctx_t*>(
      ngx_pcalloc(pool, sizeof(ngx_http_log_ctx_t)));
  if (log == nullptr || context == nullptr) return nullptr;
  *log = *ngx_cycle->log;
  log->data = context;
  log->handler = callback<log_context>;
  log->action = nullptr;
  return log;
}

/// What a connection has after it was accepted.
bool equip(ngx_connection_t* c, ngx_http_conf_ctx_t* server) {
  static sockaddr nobody{.sa_family = AF_UNIX, .sa_data = {}};
  static u_char unix_text[] = "unix:";
  c->pool = ngx_create_pool(kPool, ngx_cycle->log);
  if (c->pool == nullptr) return false;
  auto* const hc = static_cast<ngx_http_connection_t*>(
      ngx_pcalloc(c->pool, sizeof(ngx_http_connection_t)));
  c->buffer = ngx_create_temp_buf(c->pool, 1);
  c->log = make_log(c->pool);
  if (hc == nullptr || c->buffer == nullptr || c->log == nullptr) return false;
  hc->conf_ctx = server;
  c->data = hc;
  c->pool->log = c->read->log = c->write->log = c->log;
  c->read->handler = c->write->handler = callback<on_event>;
  c->write->ready = 1;
  c->sockaddr = c->local_sockaddr = &nobody;
  c->socklen = c->local_socklen = sizeof nobody.sa_family;
  c->addr_text = {sizeof unix_text - 1, unix_text};
  c->recv = ngx_recv;
  c->send = ngx_send;
  c->recv_chain = ngx_recv_chain;
  c->send_chain = ngx_send_chain;
  c->number = ngx_atomic_fetch_add(ngx_connection_counter, 1);
  c->start_time = ngx_current_msec;
#if (NGX_STAT_STUB)
  (void)ngx_atomic_fetch_add(ngx_stat_active, 1);
#endif
  return true;
}

void drop(ngx_connection_t* c) {
  ngx_pool_t* const pool = c->pool;
  c->log = c->read->log = c->write->log = ngx_cycle->log;
  ngx_close_connection(c);
  if (pool != nullptr) ngx_destroy_pool(pool);
}

/// Null: there is no room for one. `peer`: its other end.
ngx_connection_t* connect(ngx_http_conf_ctx_t* server, int& peer) {
  std::array<int, 2> ends{};
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0,
                   ends.data()) != 0) {
    return nullptr;
  }
  ngx_connection_t* const c = ngx_get_connection(ends[0], ngx_cycle->log);
  if (c == nullptr) {
    ::close(ends[0]);
    ::close(ends[1]);
    return nullptr;
  }
  if (!equip(c, server)) {
    drop(c);
    ::close(ends[1]);
    return nullptr;
  }
  peer = ends[1];
  return c;
}

/// Null: no memory. Both are static.
ngx_table_elt_t* add_field(ngx_http_request_t* r, ngx_str_t name,
                           ngx_str_t lowcase, Bytes value) {
  auto* const field =
      static_cast<ngx_table_elt_t*>(ngx_list_push(&r->headers_in.headers));
  if (field == nullptr) return nullptr;
  *field = {};
  field->key = name;
  field->lowcase_key = lowcase.data;
  field->hash = ngx_hash_key(lowcase.data, lowcase.len);
  field->value = copy(r->pool, value);
  return field->value.data == nullptr ? nullptr : field;
}

/// A text of JSON that the subrequest has as if a client had sent it.
bool add_body(ngx_http_request_t* r, Bytes json) {
  const auto size = static_cast<off_t>(json.size());
  r->headers_in.content_type =
      add_field(r, ngx_string("Content-Type"), ngx_string("content-type"),
                "application/json");
  r->headers_in.content_length =
      add_field(r, ngx_string("Content-Length"), ngx_string("content-length"),
                std::to_string(size));
  r->headers_in.content_length_n = size;
  auto* const body = static_cast<ngx_http_request_body_t*>(
      ngx_pcalloc(r->pool, sizeof(ngx_http_request_body_t)));
  auto* const buffer = static_cast<ngx_buf_t*>(ngx_calloc_buf(r->pool));
  auto* const chain = ngx_alloc_chain_link(r->pool);
  const ngx_str_t text = copy(r->pool, json);
  if (r->headers_in.content_type == nullptr ||
      r->headers_in.content_length == nullptr || body == nullptr ||
      buffer == nullptr || chain == nullptr || text.data == nullptr) {
    return false;
  }
  buffer->start = buffer->pos = text.data;
  buffer->end = buffer->last = text.data + text.len;
  buffer->temporary = 1;
  *chain = {buffer, nullptr};
  body->bufs = chain;
  body->buf = buffer;
  r->request_body = body;
  return true;
}

/// A main request that waits; it is as good as read.
bool prepare(ngx_http_request_t* r, Bytes uri, Bytes json) {
  static u_char get[] = "GET";
  static u_char version[] = "HTTP/1.1";
  const ngx_str_t path = copy(r->pool, uri);
  if (path.data == nullptr ||
      ngx_list_init(&r->headers_in.headers, r->pool, 2,
                    sizeof(ngx_table_elt_t)) != NGX_OK ||
      (!json.empty() && !add_body(r, json))) {
    return false;
  }
  r->method = NGX_HTTP_GET;
  r->method_name = {sizeof get - 1, get};
  r->http_version = NGX_HTTP_VERSION_11;
  r->http_protocol = {sizeof version - 1, version};
  r->uri = r->unparsed_uri = path;
  r->internal = 1;
  r->logged = 1;
  r->write_event_handler = callback<on_woken>;
  return true;
}

void make_post(ngx_http_request_t* r) {
  static u_char post[] = "POST";
  r->method = NGX_HTTP_POST;
  r->method_name = {sizeof post - 1, post};
}

/// Null: no memory, or no URI.
ngx_http_request_t* ask(ngx_http_request_t* r, Bytes uri, Kept& kept,
                        ngx_uint_t flags) {
  ngx_str_t path = copy(r->pool, uri);
  ngx_str_t arguments{};
  ngx_uint_t unsafe = 0;
  if (path.data == nullptr ||
      ngx_http_parse_unsafe_uri(r, &path, &arguments, &unsafe) != NGX_OK) {
    return nullptr;
  }
  auto* const after = static_cast<ngx_http_post_subrequest_t*>(
      ngx_palloc(r->pool, sizeof(ngx_http_post_subrequest_t)));
  if (after == nullptr) return nullptr;
  after->handler = callback<on_finished>;
  after->data = &kept;
  ngx_http_request_t* made = nullptr;
  const ngx_int_t begun =
      ngx_http_subrequest(r, &path, &arguments, &made, after, flags);
  return begun == NGX_OK ? made : nullptr;
}

}  // namespace

bool Kept::complete() const {
  return answer.status == NGX_HTTP_NO_CONTENT || (last && !answer.too_large);
}

/// The client's body isn't for the location that is asked.
bool keep_subrequest(ngx_http_request_t* r, Bytes uri, Kept& kept) {
  auto* const no_body = static_cast<ngx_http_request_body_t*>(
      ngx_pcalloc(r->pool, sizeof(ngx_http_request_body_t)));
  if (no_body == nullptr) return false;
  kept.drains = true;
  ngx_http_request_t* const made =
      ask(r, uri, kept, NGX_HTTP_SUBREQUEST_WAITED);
  if (made == nullptr) return false;
  made->request_body = no_body;
  return true;
}

void InnerRequest::start(const Wish& wish, Handler handler) {
  int peer = -1;
  ngx_connection_t* const c = connect(wish.server, peer);
  if (c == nullptr) return handler({});
  ngx_http_request_t* const r = ngx_http_create_request(c);
  Asked* const asked = r != nullptr ? make_in_pool<Asked>(r->pool) : nullptr;
  if (asked == nullptr) {
    ::close(peer);
    if (r != nullptr) {
      r->logged = 1;
      ngx_http_finalize_request(r, NGX_DONE);
    } else {
      drop(c);
    }
    return handler({});
  }
  c->data = r;
  asked->peer = peer;
  asked->handler = std::move(handler);
  asked->max_size = wish.max_size;
  asked->timer.handler = callback<on_timeout>;
  asked->timer.data = r;
  asked->timer.log = c->log;
  ngx_http_request_t* const made =
      prepare(r, wish.uri, wish.json) ? ask(r, wish.uri, *asked, 0) : nullptr;
  if (made == nullptr) {
    r->logged = 1;
    ngx_http_finalize_request(r, NGX_DONE);
    return;
  }
  if (!wish.json.empty()) make_post(made);
  ngx_add_timer(&asked->timer, wish.timeout);
  ngx_http_run_posted_requests(c);
}

void install_inner_filters() {
  next_header_filter = ngx_http_top_header_filter;
  ngx_http_top_header_filter = callback<header_filter>;
  next_body_filter = ngx_http_top_body_filter;
  ngx_http_top_body_filter = callback<body_filter>;
}

}  // namespace paperboy::nginx
