#include "nginx/connection.hpp"

#include <linux/sockios.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <array>

#include "nginx/worker.hpp"

namespace paperboy::nginx {

namespace {

// One read; shared by all connections of the worker, since none keeps it.
constexpr std::size_t kReadSize = 32UL * 1024;
alignas(64) std::array<char, kReadSize> input_buffer;

// Of a client that may send compressed: a few bytes can inflate to its largest
// message, so that this many are a turn's share.
constexpr std::size_t kCompressedReadSize = 4UL * 1024;

// A client that sends without end gets this many reads a turn.
constexpr int kReadsPerTurn = 8;

// Replies are sent in between, once there are that many bytes of them.
constexpr std::size_t kReplyChunk = 64UL * 1024;

// A worker has them by the hundred thousand: see docs/architecture.md.
static_assert(sizeof(Connection) <= 17 * sizeof(void*));

}  // namespace

Connection::Connection(const Site& site,
                       const std::optional<ws::DeflateParams>& deflate)
    : WebSocket(site, deflate) {}

Connection* Connection::of(const ngx_connection_t& c) {
  const bool ours = c.fd != static_cast<ngx_socket_t>(-1) &&
                    c.read->handler == callback<on_read>;
  return ours ? static_cast<Connection*>(c.data) : nullptr;
}

// ---- taking over -----------------------------------------------------------

void Connection::take_over(ngx_http_request_t* r) {
  capture_log(r);
  c_ = r->connection;
  // What followed the request in its packet are the first frames. It lies in
  // the connection's pool, which goes too.
  std::string input(
      reinterpret_cast<char*>(r->header_in->pos),
      static_cast<std::size_t>(r->header_in->last - r->header_in->pos));
  adopt(r);
  release_pool();
  if (dead()) {
    worker().bury(*this);
    return;
  }
  start();
  if (outbox_) queue();
  if (!input.empty()) feed(input);
  if (dead()) return;
  if (c_->read->ready != 0) {
    read_in_turn();
  } else if (ngx_handle_read_event(c_->read, 0) != NGX_OK) {
    lost();
  }
}

/// As ngx_http_set_keepalive() takes the next request: the request ends, the
/// connection stays.
void Connection::adopt(ngx_http_request_t* r) {
  ngx_http_connection_t* const http = r->http_connection;
  ngx_http_free_request(r, 0);
  c_->destroyed = 0;
  c_->sent = 0;
  c_->data = this;
  c_->log = const_cast<ngx_log_t*>(ngx_cycle->log);
  c_->read->log = c_->write->log = c_->log;
  if (c_->read->timer_set != 0) ngx_del_timer(c_->read);
  if (c_->write->timer_set != 0) ngx_del_timer(c_->write);
  ngx_reusable_connection(c_, 0);
  c_->idle = 0;
  for (ngx_chain_t* chain : {http->free, http->busy}) {
    for (; chain != nullptr; chain = chain->next) {
      ngx_pfree(c_->pool, chain->buf->start);
    }
  }
  if (c_->buffer != nullptr) ngx_pfree(c_->pool, c_->buffer->start);
  http->free = http->busy = nullptr;
  http->nbusy = 0;
  c_->buffer = nullptr;
  c_->read->handler = callback<on_read>;
  c_->write->handler = callback<on_write>;
}

/// An idle connection is worth its slot and us.
void Connection::release_pool() {
  if (c_->ssl != nullptr && !keep_tls()) return;
  ngx_pool_t* const pool = c_->pool;
  c_->pool = nullptr;
  c_->sockaddr = nullptr;
  c_->socklen = 0;
  c_->addr_text = {};
  c_->local_sockaddr = nullptr;
  c_->local_socklen = 0;
  c_->proxy_protocol = nullptr;
  ngx_destroy_pool(pool);
}

/// Takes the TLS session's state out of the pool, in which it lies. False: the
/// pool has to stay, since what else belongs to the session lies in it, or for
/// want of memory.
bool Connection::keep_tls() {
  ngx_ssl_free_buffer(c_);
  // What is left of a write may lie elsewhere when it is tried again.
  SSL_set_mode(c_->ssl->connection, SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                                        SSL_MODE_ENABLE_PARTIAL_WRITE);
  if (c_->ssl->ocsp != nullptr) return false;
  void* const memory = ngx_alloc(sizeof *c_->ssl, c_->log);
  if (memory == nullptr) return false;
  c_->ssl = new (memory) ngx_ssl_connection_t(*c_->ssl);
  c_->ssl->buf = nullptr;  // of the pool's, and for chains, which aren't sent
  return true;
}

/// Tells the other side, and frees it.
void Connection::end_tls() noexcept {
  ngx_ssl_connection_t* const tls = c_->ssl;
  tls->no_wait_shutdown = tls->no_send_shutdown = 1;
  ngx_ssl_shutdown(c_);
  if (c_->pool == nullptr) ngx_free(tls);
}

// ---- in --------------------------------------------------------------------

void Connection::on_read(ngx_event_t* event) {
  auto* const c = static_cast<ngx_connection_t*>(event->data);
  Connection& self = *static_cast<Connection*>(c->data);
  const Turn turn(worker());
  // worker_shutdown_timeout has run out: nginx asks everybody to leave.
  if (c->close != 0) {
    c->close = 0;
    self.shut_down();
  }
  try {
    self.read_in_turn();
  } catch (...) {
    // What it sent is lost in the midst: it can't go on.
    log_exception();
    self.end_now();
  }
}

void Connection::read_in_turn() {
  const bool is_new = messages_received() < Crowd::kNewMessages;
  if (!is_new || worker().crowd().admits(*c_->read)) read();
}

void Connection::read() {
  const bool inflates = this->inflates();
  const int reads = inflates ? 1 : kReadsPerTurn;
  const std::size_t size = inflates ? kCompressedReadSize : kReadSize;
  // A client that doesn't take its answers isn't asked for more.
  for (int i = 0; i < reads && !dead() && backlog() == 0; ++i) {
    const ssize_t n =
        c_->recv(c_, reinterpret_cast<u_char*>(input_buffer.data()), size);
    if (n == NGX_AGAIN) {
      if (ngx_handle_read_event(c_->read, 0) != NGX_OK) lost();
      return;
    }
    if (n <= 0) {
      // Its last words may have been a close frame, and ask for ours.
      if (n == 0) flush();
      lost();
      return;
    }
    feed({input_buffer.data(), static_cast<std::size_t>(n)});
  }
  if (!dead() && backlog() == 0) {
    ngx_post_event(c_->read, &ngx_posted_next_events);
  }
}

void Connection::feed(std::span<char> input) {
  receive(input);
  if (outbox_ && outbox_->size() >= kReplyChunk) flush();
}

// ---- out -------------------------------------------------------------------

void Connection::on_write(ngx_event_t* event) {
  auto* const c = static_cast<ngx_connection_t*>(event->data);
  Connection& self = *static_cast<Connection*>(c->data);
  const Turn turn(worker());
  if (self.backlog() == 0) return;
  self.flush();
  if (self.backlog() == 0) self.read();
}

Outbox::Sent Connection::send() {
  const bool tried = backlog() != 0 && c_->write->ready == 0;
  return tried ? Outbox::Sent{} : outbox_->send(c_);
}

bool Connection::await_room() {
  return ngx_handle_write_event(c_->write, 0) == NGX_OK;
}

/// Its address went with the request.
void Connection::note(Bytes what) {
  ngx_log_t* const log = ngx_cycle->log;
  if (log->log_level < NGX_LOG_INFO) return;
  sockaddr_storage address{};
  socklen_t size = sizeof address;
  std::array<u_char, NGX_SOCKADDR_STRLEN> text{};
  auto* const peer = reinterpret_cast<sockaddr*>(&address);
  ngx_str_t client = borrow("unknown");
  if (c_ != nullptr && ::getpeername(c_->fd, peer, &size) == 0) {
    client = {ngx_sock_ntop(peer, size, text.data(), text.size(), 0),
              text.data()};
  }
  const ngx_str_t line = borrow(what);
  ngx_log_error(NGX_LOG_INFO, log, 0, "paperboy %V, client: %V", &line,
                &client);
}

void Connection::note_refusal(const Error& why) {
  std::string line = "refused a command: ";
  line.append(error_name(why.code)).append(": ").append(why.message);
  note(line);
}

// ---- the end ---------------------------------------------------------------

/// Reading goes on until the client's end arrives: a close with unread bytes
/// would be a reset, and the client might lose our close frame.
void Connection::end_sending() {
  if (half_closed_ || c_ == nullptr) return;
  half_closed_ = true;
  if (c_->ssl != nullptr) {
    SSL_shutdown(c_->ssl->connection);
    ERR_clear_error();
  }
  ::shutdown(c_->fd, SHUT_WR);
}

/// What of all that was sent its client's kernel hasn't acknowledged: over TLS
/// with what that adds.
std::size_t Connection::unreceived() const {
  int bytes = 0;
  if (::ioctl(c_->fd, SIOCOUTQ, &bytes) != 0) bytes = 0;
  return static_cast<std::size_t>(bytes) + (outbox_ ? outbox_->size() : 0);
}

bool Connection::unread() const {
  int bytes = 0;
  return ::ioctl(c_->fd, FIONREAD, &bytes) == 0 && bytes > 0;
}

/// What was noted as unreceived must not be received after all: the kernel
/// would go on sending it. Without memory there is no note.
void Connection::note_departure() noexcept {
  if (!departs()) return;
  try {
    const std::size_t lacks = unreceived();
    if (!depart(lacks) || lacks == 0) return;
    const linger reset{.l_onoff = 1, .l_linger = 0};
    (void)::setsockopt(c_->fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
  } catch (...) {
    log_exception();
  }
}

/// Before the take-over the connection is the request's, which ends us.
void Connection::close() noexcept {
  if (c_ == nullptr) return;
  note_departure();
  Client::note_end();
  ngx_connection_t* const c = c_;
  if (c->ssl != nullptr) end_tls();
  ngx_pool_t* const pool = c->pool;
#if (NGX_STAT_STUB)
  ngx_atomic_fetch_add(ngx_stat_active, -1);
#endif
  c->destroyed = 1;
  ngx_close_connection(c);
  if (pool != nullptr) ngx_destroy_pool(pool);
  delete this;
}

}  // namespace paperboy::nginx
