#include "nginx/stream.hpp"

#include "nginx/request.hpp"
#include "nginx/worker.hpp"

namespace paperboy::nginx {

Stream* Stream::make(ngx_http_request_t* r, const LocationConf& conf) {
  auto* const cleanup = ngx_http_cleanup_add(r, 0);
  if (cleanup == nullptr) return nullptr;
  auto* const stream = make_in_pool<Stream>(r->pool, r, conf);
  if (stream == nullptr) return nullptr;
  cleanup->data = stream;
  cleanup->handler = callback<on_end>;
  return stream;
}

Stream::Stream(ngx_http_request_t* r, const LocationConf& conf)
    : r_(r), flight_(r) {
  events_.emplace(worker().sites().of(conf, conf.settings), *this);
  worker().held().insert(this);
}

Stream::~Stream() = default;

void Stream::hold() {
  capture_log(r_);
  held_ = true;
  r_->read_event_handler = callback<on_read>;
  r_->write_event_handler = callback<on_write>;
  r_->main->count++;
  events_->start();
  queue();
  // The request can't be ended inside its handler: what is sent, and perhaps
  // fails, waits for the next turn.
  worker().wake();
}

// ---- events ----------------------------------------------------------------

void Stream::on_read(ngx_http_request_t* r) {
  const Turn turn(worker());
  // Of a stream nothing is read; this only sees whether the client is there.
  ngx_http_test_reading(r);
}

void Stream::on_write(ngx_http_request_t* r) {
  const Turn turn(worker());
  if (r->connection->error != 0) {
    ngx_http_finalize_request(r, NGX_HTTP_CLIENT_CLOSED_REQUEST);
    return;
  }
  Request::find(r)->stream->on_room();
}

void Stream::on_room() {
  if (backlog() != 0) settle();
}

// ---- out -------------------------------------------------------------------

Outbox::Sent Stream::send() {
  const auto sent = flight_.send(*outbox_);
  // A filter (ssi, addition) may have asked for a subrequest, which nginx runs
  // after an event of the connection. One to write would run the subrequest by
  // itself, and older nginx then runs it a second time.
  if (r_->main->posted_requests != nullptr) {
    ngx_post_event(r_->connection->read, &ngx_posted_events);
  }
  return sent;
}

/// What nginx itself holds back counts as a byte: it has to leave too.
std::size_t Stream::waiting() const {
  const std::size_t ours = flight_.size() + outbox_->size();
  return ours == 0 && flight_.is_held_back() ? 1 : ours;
}

void Stream::keep() {
  outbox_->keep();
  flight_.keep();
}

bool Stream::await_room() {
  const auto* const core = static_cast<ngx_http_core_loc_conf_t*>(
      ngx_http_get_module_loc_conf(r_, ngx_http_core_module));
  return ngx_handle_write_event(r_->connection->write, core->send_lowat) ==
         NGX_OK;
}

// ---- the end ---------------------------------------------------------------

void Stream::shut_down() {
  if (events_) events_->shut_down();
}

void Stream::obey(const hub::Order& order) {
  if (events_) events_->obey(order);
}

void Stream::recheck() {
  if (events_) events_->recheck();
}

void Stream::abort() {
  if (events_ && !closing_) Client::abort();
}

void Stream::end_sending() {
  complete_ = true;
  abort();
}

/// From here on the request is nginx's; `on_end` is called in the midst.
void Stream::close() noexcept {
  closing_ = true;
  if (!held_) return;  // the handler that refuses it ends it
  ngx_connection_t* const c = r_->connection;
  ngx_http_finalize_request(r_, complete_
                                    ? ngx_http_send_special(r_, NGX_HTTP_LAST)
                                    : NGX_HTTP_CLOSE);
  ngx_http_run_posted_requests(c);
}

void Stream::on_end(void* data) { static_cast<Stream*>(data)->end(); }

/// The request is over, for whatever reason.
void Stream::end() {
  if (!events_) return;
  if (dead() && !closing_) worker().unbury(*this);
  closing_ = true;
  // worker_shutdown_timeout has run out: nginx ends everybody.
  if (r_->connection->close != 0) events_->shut_down();
  if (held_) {
    if (!events_->closing()) events_->lost();
    note_end();
  }
  worker().held().erase(this);
  drop_outbox();
  events_.reset();
}

}  // namespace paperboy::nginx
