// From a request that may, to a connection of ours: the 101, and the posted
// event after it in which the request ends and the connection stays. Inside
// the handler the request can't be freed: its callers still use it.
#include <algorithm>

#include "nginx/access.hpp"
#include "nginx/admission.hpp"
#include "nginx/connection.hpp"
#include "nginx/handlers.hpp"
#include "nginx/request.hpp"
#include "nginx/worker.hpp"
#include "ws/handshake.hpp"
#include "ws/negotiation.hpp"

namespace paperboy::nginx {

namespace {

/// The subprotocol to agree on: the first offered that is the dialect's, or
/// configured.
Bytes choose_subprotocol(const LocationConf& conf,
                         const std::vector<Bytes>& offered) {
  const Bytes own = conf.settings.dialect->subprotocol();
  for (const Bytes name : offered) {
    if (name == own) return name;
    if (!conf.subprotocols) continue;
    for (const ngx_str_t& known : *conf.subprotocols) {
      if (bytes(known) == name) return name;
    }
  }
  return {};
}

/// A client that offers nothing but a form that isn't spoken here would take
/// our first message for garbage.
bool speaks_another(const LocationConf& conf,
                    const std::vector<Bytes>& offered) {
  const Bytes foreign = conf.settings.dialect->foreign_subprotocol();
  return !foreign.empty() &&
         std::ranges::find(offered, foreign) != offered.end() &&
         choose_subprotocol(conf, offered).empty();
}

const session::Settings& choose_settings(const LocationConf& conf,
                                         const std::vector<Bytes>& offered) {
  const Bytes own = conf.settings.dialect->subprotocol();
  const bool agreed = !own.empty() && choose_subprotocol(conf, offered) == own;
  return agreed ? conf.agreed : conf.settings;
}

/// `?since=`: where it was in the channels of a plain dialect, in their order,
/// with commas between; nothing, where it wasn't there. In dialects in which
/// clients converse their commands say so.
Result<Done> add_positions(ngx_http_request_t* r, const LocationConf& conf,
                           session::Admission& admission) {
  constexpr Error kMalformed{
      ErrorCode::bad_request,
      "since is not <epoch>:<offset>, one for each channel"};
  if (conf.settings.dialect->converses() || admission.channels.empty()) {
    return Done{};
  }
  const std::string since = argument(r, "since").value_or(std::string());
  if (since.empty()) return Done{};
  Bytes rest = since;
  for (bool more = true; more;) {
    const std::size_t comma = rest.find(',');
    more = comma != Bytes::npos;
    const Bytes one = rest.substr(0, comma);
    const auto position = parse_position(one);
    if (!position && !one.empty()) return kMalformed;
    admission.since.push_back(position.value_or(Position{}));
    if (more) rest.remove_prefix(comma + 1);
  }
  if (admission.since.size() != admission.channels.size()) return kMalformed;
  return Done{};
}

/// Past the body filters, of which some would keep it: a 101 has no body.
ngx_int_t flush(ngx_http_request_t* r) {
  auto* const buffer = static_cast<ngx_buf_t*>(ngx_calloc_buf(r->pool));
  if (buffer == nullptr) return NGX_ERROR;
  buffer->flush = 1;
  ngx_chain_t chain{buffer, nullptr};
  return ngx_http_write_filter(r, &chain) == NGX_ERROR ? NGX_ERROR : NGX_OK;
}

/// Status line and fields of the 101; sends them.
ngx_int_t send_101(ngx_http_request_t* r, const ws::Upgrade& upgrade,
                   const LocationConf& conf,
                   const std::optional<ws::DeflateParams>& deflate) {
  const auto accept = ws::accept_value(upgrade.key);
  const Bytes subprotocol = choose_subprotocol(conf, upgrade.protocols);
  bool added =
      add_header(r, "Upgrade", "websocket") &&
      add_header(r, "Sec-WebSocket-Accept", {accept.data(), accept.size()});
  if (!subprotocol.empty()) {
    added = added && add_header(r, "Sec-WebSocket-Protocol", subprotocol);
  }
  if (deflate) {
    added = added &&
            add_header(r, "Sec-WebSocket-Extensions", ws::answer(*deflate));
  }
  if (!added) return NGX_ERROR;
  r->headers_out.status = NGX_HTTP_SWITCHING_PROTOCOLS;
  ngx_str_set(&r->headers_out.status_line, "101 Switching Protocols");
  r->headers_out.content_length_n = -1;
  r->headers_out.content_type.len = 0;
  r->keepalive = 0;
  // Neither the 101 nor what follows it is a download.
  r->limit_rate = 0;
  r->limit_rate_set = 1;
  ngx_http_clear_accept_ranges(r);
  ngx_http_clear_last_modified(r);
  const ngx_int_t sent = ngx_http_send_header(r);
  if (sent == NGX_ERROR || sent > NGX_OK) return NGX_ERROR;
  return flush(r);
}

/// The answers to earlier, pipelined requests may still fill the socket.
bool is_sent(ngx_http_request_t* r) {
  return r->out == nullptr && r->connection->buffered == 0;
}

/// As nginx waits for a client to take its answer.
ngx_int_t await_socket(ngx_http_request_t* r) {
  const auto* const core = static_cast<ngx_http_core_loc_conf_t*>(
      ngx_http_get_module_loc_conf(r, ngx_http_core_module));
  ngx_event_t* const write = r->connection->write;
  if (write->timer_set == 0) ngx_add_timer(write, core->send_timeout);
  return ngx_handle_write_event(write, core->send_lowat);
}

void give_up(ngx_http_request_t* r) {
  ngx_connection_t* const c = r->connection;
  ngx_http_finalize_request(r, NGX_HTTP_CLOSE);
  ngx_http_run_posted_requests(c);
}

void detach(ngx_event_t* event) {
  auto* const c = static_cast<ngx_connection_t*>(event->data);
  auto* const r = static_cast<ngx_http_request_t*>(c->data);
  Worker& worker = *Worker::current();
  const Turn turn(worker);
  if (!is_sent(r)) {
    if (event->timedout != 0 || c->error != 0 || c->close != 0 ||
        ngx_http_write_filter(r, nullptr) == NGX_ERROR) {
      give_up(r);
      return;
    }
    if (!is_sent(r)) {
      if (await_socket(r) != NGX_OK) give_up(r);
      return;
    }
  }
  Request& request = *Request::find(r);
  Connection* const connection = std::exchange(request.connection, nullptr);
  worker.held().erase(connection);
  connection->take_over(r);
}

/// The request died before the take-over.
void on_request_end(void* data) {
  Connection* const connection =
      std::exchange(static_cast<Request*>(data)->connection, nullptr);
  if (Worker* const worker = Worker::current()) {
    worker->held().erase(connection);
  }
  delete connection;
}

/// From here the request is ended by `detach` alone.
ngx_int_t hand_over(ngx_http_request_t* r) {
  ngx_connection_t* const c = r->connection;
  r->main->count++;
  c->read->handler = callback<detach>;
  c->write->handler = callback<detach>;
  ngx_post_event(c->read, &ngx_posted_events);
  return NGX_DONE;
}

ngx_int_t open(ngx_http_request_t* r, const LocationConf& conf,
               Request& request, Worker& worker) {
  auto made = make_admission(r, conf, request);
  if (made) made = add_positions(r, conf, request.admission);
  if (!made) return refuse_error(r, request, made.error());

  const ws::Upgrade& upgrade = *request.upgrade;
  if (speaks_another(conf, upgrade.protocols)) {
    return refuse(r, request, NGX_HTTP_BAD_REQUEST, Counter::refused_handshake,
                  "bad_handshake",
                  "the protobuf form isn't spoken here: offer "
                  "centrifuge-json, or no subprotocol");
  }
  const auto deflate = ws::negotiate(upgrade.extensions, conf.settings.deflate);

  ngx_http_cleanup_t* const cleanup = ngx_http_cleanup_add(r, 0);
  if (cleanup == nullptr) return NGX_HTTP_INTERNAL_SERVER_ERROR;
  const Site& site =
      worker.sites().of(conf, choose_settings(conf, upgrade.protocols));
  request.connection = new Connection(site, deflate);
  cleanup->data = &request;
  cleanup->handler = on_request_end;
  const ngx_int_t admitted =
      worker.limits().admit(r, conf, request, *request.connection);
  if (admitted != NGX_OK) return admitted;
  const auto opened = request.connection->open(request.admission);
  if (!opened) return refuse_error(r, request, opened.error());
  // It is subscribed, and the socket may not take the 101 for long: until the
  // take-over nginx's table doesn't tell of it.
  worker.held().insert(request.connection);
  worker.context().counters.add(Counter::upgrades);
  if (ngx_tcp_nodelay(r->connection) != NGX_OK ||
      send_101(r, upgrade, conf, deflate) != NGX_OK) {
    return NGX_ERROR;
  }
  return hand_over(r);
}

}  // namespace

ngx_int_t upgrade_handler(ngx_http_request_t* r) {
  const LocationConf& conf = location_conf(r);
  Request* const request = Request::of(r);
  if (request == nullptr) return NGX_HTTP_INTERNAL_SERVER_ERROR;
  if (r != r->main) {
    return refuse(r, *request, NGX_HTTP_BAD_REQUEST, Counter::refused_handshake,
                  "bad_handshake", "a subrequest can't become a WebSocket");
  }
  ngx_int_t status = require_access(r, conf, *request);
  if (status == NGX_OK) status = require_worker(r, *request);
  if (status != NGX_OK) return status;
  return open(r, conf, *request, *Worker::current());
}

}  // namespace paperboy::nginx
