#include "nginx/pipeline.hpp"

#include <algorithm>
#include <vector>

#include "nginx/request.hpp"

namespace paperboy::nginx {

namespace {

/// By its number too: until the turn is over another may have its place.
struct Held {
  ngx_connection_t* connection;
  ngx_atomic_uint_t number;

  friend bool operator==(const Held&, const Held&) = default;
};

// Of this turn.
std::vector<Held> all_held;

void release_all(ngx_event_t*) {
  for (const Held& held : all_held) {
    const ngx_connection_t& c = *held.connection;
    const bool same =
        c.fd != static_cast<ngx_socket_t>(-1) && c.number == held.number;
    if (same) ngx_tcp_push(c.fd);
  }
  all_held.clear();
}

/// Before what is published in this turn goes out, which may take long: the
/// publisher has its next ones ready by then, so that they leave together.
void post_first(ngx_event_t& event) {
  if (event.posted != 0) return;
  event.posted = 1;
  ngx_queue_insert_head(&ngx_posted_next_events, &event.queue);
}

void release_answers(ngx_http_request_t* r) {
  const ngx_connection_t& c = *r->connection;
  const auto held = std::ranges::find(all_held, Held{r->connection, c.number});
  if (held == all_held.end()) return;
  all_held.erase(held);
  ngx_tcp_push(c.fd);
}

/// Others come with it, over HTTP/1.
bool is_followed(const ngx_http_request_t* r) {
  return r == r->main && r->http_version <= NGX_HTTP_VERSION_11 &&
         r->header_in->pos < r->header_in->last;
}

}  // namespace

void hold_answer(ngx_http_request_t* r) {
  static ngx_event_t end;
  if (r->keepalive == 0) return release_answers(r);
  if (!is_followed(r)) return;
  ngx_connection_t* const c = r->connection;
  const Held held{c, c->number};
  if (std::ranges::find(all_held, held) != all_held.end()) return;
  const auto* const core = static_cast<ngx_http_core_loc_conf_t*>(
      ngx_http_get_module_loc_conf(r, ngx_http_core_module));
  const bool tcp = c->tcp_nodelay != NGX_TCP_NODELAY_DISABLED;
  // Without it what is let go would wait for the client's acknowledgement.
  if (core->tcp_nodelay == 0 || !tcp || ngx_tcp_nodelay(c) != NGX_OK) return;
  all_held.push_back(held);
  ngx_tcp_nopush(c->fd);
  end.handler = callback<release_all>;
  end.log = ngx_cycle->log;
  post_first(end);
}

/// By now `keepalive` says no more whether the connection stays.
ngx_int_t release_at_end(ngx_http_request_t* r) {
  if (!all_held.empty() && Request::find(r) == nullptr) release_answers(r);
  return NGX_OK;
}

}  // namespace paperboy::nginx
