// The content handlers that directives install, and the phase handlers and
// filters that the module registers.
#pragma once

#include "nginx/ngx.hpp"

namespace paperboy::nginx {

/// `paperboy <dialect>;`, over WebSocket (upgrade.cpp)
ngx_int_t upgrade_handler(ngx_http_request_t* r);

/// and as a stream of events (event_stream.cpp)
ngx_int_t event_stream_handler(ngx_http_request_t* r);

/// `paperboy_publish;` (publish.cpp)
ngx_int_t publish_handler(ngx_http_request_t* r);

/// `paperboy_notiflux_broadcast;` (broadcast.cpp)
ngx_int_t broadcast_handler(ngx_http_request_t* r);

/// `paperboy_embedded;` (embedded.cpp)
ngx_int_t embedded_handler(ngx_http_request_t* r);

/// `paperboy_api;` (api.cpp)
ngx_int_t api_handler(ngx_http_request_t* r);

/// `paperboy_csrf_token;` (csrf.cpp)
ngx_int_t csrf_token_handler(ngx_http_request_t* r);

/// `paperboy_status;` (status.cpp)
ngx_int_t status_handler(ngx_http_request_t* r);

/// `paperboy_ready;` (ready.cpp)
ngx_int_t ready_handler(ngx_http_request_t* r);

/// The access phase, for locations of the first kinds (access.cpp).
ngx_int_t access_handler(ngx_http_request_t* r);

/// The phase before it, which answers preflights (cors.cpp).
ngx_int_t preflight_handler(ngx_http_request_t* r);

/// Adds the fields of CORS to answers (cors.cpp).
void install_cors_filter();

/// Puts the filters that dress refusals before the others (refusal.cpp).
void install_refusal_filters();

/// Registers `$paperboy_…` (variables.cpp).
ngx_int_t add_variables(ngx_conf_t* cf);

}  // namespace paperboy::nginx
