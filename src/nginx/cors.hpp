// paperboy_cors: which pages of other origins may read answers (the Fetch
// standard's CORS protocol). The origins are those of paperboy_origin.
#pragma once

#include "nginx/ngx.hpp"

#include "nginx/conf.hpp"

namespace paperboy::nginx {

/// Whether the answer to `r` may be read by pages of other origins at all: a
/// client's request to a location whose answers are plain HTTP.
[[nodiscard]] bool shares_answers(ngx_http_request_t* r,
                                  const LocationConf& conf);

}  // namespace paperboy::nginx
