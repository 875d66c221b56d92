#include "nginx/inner_request.hpp"

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <utility>

namespace paperboy::nginx {

namespace {

constexpr std::size_t kPool = 1024;  // bytes; of the connection

ngx_http_output_header_filter_pt next_header_filter;
ngx_http_output_body_filter_pt next_body_filter;

/// Lives in the main request's pool; as that is destroyed, in whichever way,
/// the handler is called.
struct Asked {
  InnerAnswer answer;
  InnerRequest::Handler handler;
  std::size_t max_size = 0;
  bool last = false;       // the end of the answer has come
  bool succeeded = false;  // and nginx is content with it
  int peer = -1;           // the other end of the connection
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
  static_cast<Asked*>(data)->succeeded = rc == NGX_OK;
  return rc;
}

/// Null: it isn't one of ours.
Asked* asked_of(ngx_http_request_t* r) {
  return r != r->main && r->post_subrequest != nullptr &&
                 r->post_subrequest->handler == callback<on_finished>
             ? static_cast<Asked*>(r->post_subrequest->data)
             : nullptr;
}

ngx_int_t header_filter(ngx_http_request_t* r) {
  if (Asked* const asked = asked_of(r)) {
    asked->answer.status = r->headers_out.status;
  }
  return next_header_filter(r);
}

/// What is in a file is read: the filter that would do it comes later.
bool append(std::string& body, ngx_buf_t& buffer, ngx_log_t* log) {
  if (ngx_buf_in_memory(&buffer)) {
    body.append(reinterpret_cast<char*>(buffer.pos),
                static_cast<std::size_t>(buffer.last - buffer.pos));
    return true;
  }
  if (buffer.in_file == 0) return true;
  const auto size =
      static_cast<std::size_t>(buffer.file_last - buffer.file_pos);
  std::string text(size, '\0');
  buffer.file->log = log;
  if (ngx_read_file(buffer.file, reinterpret_cast<u_char*>(text.data()), size,
                    buffer.file_pos) != static_cast<ssize_t>(size)) {
    return false;
  }
  body += text;
  return true;
}

ngx_int_t body_filter(ngx_http_request_t* r, ngx_chain_t* in) {
  Asked* const asked = asked_of(r);
  if (asked == nullptr) return next_body_filter(r, in);
  for (ngx_chain_t* link = in; link != nullptr; link = link->next) {
    ngx_buf_t& buffer = *link->buf;
    const auto more = static_cast<std::size_t>(ngx_buf_size(&buffer));
    if (asked->answer.body.size() + more > asked->max_size) {
      asked->answer.too_large = true;
      return NGX_ERROR;
    }
    if (!append(asked->answer.body, buffer, r->connection->log)) {
      return NGX_ERROR;
    }
    if (buffer.last_buf != 0 || buffer.last_in_chain != 0) {
      asked->last = true;
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

/// A main request that waits; it is as good as read.
bool prepare(ngx_http_request_t* r, Bytes uri) {
  static u_char get[] = "GET";
  static u_char version[] = "HTTP/1.1";
  const ngx_str_t path = copy(r->pool, uri);
  if (path.data == nullptr ||
      ngx_list_init(&r->headers_in.headers, r->pool, 1,
                    sizeof(ngx_table_elt_t)) != NGX_OK) {
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

bool ask(ngx_http_request_t* r, Asked& asked) {
  ngx_str_t path = r->uri;
  ngx_str_t arguments{};
  ngx_uint_t flags = 0;
  if (ngx_http_parse_unsafe_uri(r, &path, &arguments, &flags) != NGX_OK) {
    return false;
  }
  auto* const after = static_cast<ngx_http_post_subrequest_t*>(
      ngx_palloc(r->pool, sizeof(ngx_http_post_subrequest_t)));
  if (after == nullptr) return false;
  after->handler = callback<on_finished>;
  after->data = &asked;
  ngx_http_request_t* made = nullptr;
  return ngx_http_subrequest(r, &path, &arguments, &made, after, 0) == NGX_OK;
}

}  // namespace

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
  if (!prepare(r, wish.uri) || !ask(r, *asked)) {
    r->logged = 1;
    ngx_http_finalize_request(r, NGX_DONE);
    return;
  }
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
