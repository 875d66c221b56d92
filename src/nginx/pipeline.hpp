// Answers to the requests of a pipeline leave together. nginx writes each by
// itself, and a lone write is what costs most of a publish; so an answer that
// others will follow waits in its socket (TCP_CORK, under TLS as well), with
// what is written after it, until the turn is over. The kernel sends full
// segments meanwhile. What it has when a connection is closed it sends as well,
// but not where something hasn't been read: so it is let go before.
#pragma once

#include "nginx/ngx.hpp"

namespace paperboy::nginx {

/// Before the answer to `r` is sent. Does nothing where no other request has
/// come with this one, and where the location has no tcp_nodelay.
void hold_answer(ngx_http_request_t* r);

/// A handler of the log phase, which each request comes to: where `r` isn't
/// ours, which may end the connection, what is held of it leaves now. NGX_OK.
ngx_int_t release_at_end(ngx_http_request_t* r);

}  // namespace paperboy::nginx
