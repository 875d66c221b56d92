// What an admitted request becomes: who is let in, to which channels, and
// with which rights; for all that hold connections open.
#pragma once

#include "nginx/ngx.hpp"

#include "base/result.hpp"
#include "nginx/conf.hpp"
#include "nginx/request.hpp"

namespace paperboy::nginx {

/// Whom its token names, else whom paperboy_user does; empty: nobody.
[[nodiscard]] std::string user_of(ngx_http_request_t* r,
                                  const LocationConf& conf, Bytes by_token);

/// Fills in `request.admission`: the channels' keys, and what the client may.
Result<Done> make_admission(ngx_http_request_t* r, const LocationConf& conf,
                            Request& request);

/// Refuses with what answers `error`; for a handler to return.
ngx_int_t refuse_error(ngx_http_request_t* r, Request& request,
                       const Error& error);

/// Whether this worker takes clients: NGX_OK, or the status of the refusal.
ngx_int_t require_worker(ngx_http_request_t* r, Request& request);

}  // namespace paperboy::nginx
