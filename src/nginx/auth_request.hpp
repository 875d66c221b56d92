// What a back end says of an upgrade (paperboy_auth_request), in the access
// phase.
#pragma once

#include "nginx/ngx.hpp"

#include "nginx/conf.hpp"
#include "nginx/request.hpp"

namespace paperboy::nginx {

/// Asks it, unless its answer is remembered. NGX_AGAIN: it has yet to answer;
/// the access phase comes back then, to `hear_back_end`. Else NGX_OK, or the
/// status of the refusal.
ngx_int_t ask_back_end(ngx_http_request_t* r, const LocationConf& conf,
                       Request& request);

/// The same when it was asked. REQUIRES: request.question.
ngx_int_t hear_back_end(ngx_http_request_t* r, const LocationConf& conf,
                        Request& request);

}  // namespace paperboy::nginx
