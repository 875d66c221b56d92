// Where a request comes from, and whether its location's paperboy_origin
// admits that.
#pragma once

#include "nginx/ngx.hpp"

#include <cstdint>

#include "nginx/conf.hpp"

namespace paperboy::nginx {

enum class Standing : std::uint8_t {
  foreign,  // no rule admits it, or there are two origins
  missing,  // the request has no origin
  any,      // a rule `any` admits it, and no other
  known,    // it is admitted as what it is
};

/// Of the request's Origin header.
[[nodiscard]] Standing standing(ngx_http_request_t* r,
                                const LocationConf& conf);

/// Whether `any` stands among the location's rules for this request.
[[nodiscard]] bool admits_any(ngx_http_request_t* r, const LocationConf& conf);

/// Of a GET without an origin, which browsers send none with from a page of
/// the same: whether the rules admit that, and nothing says that it comes from
/// another.
[[nodiscard]] bool may_be_own_page(ngx_http_request_t* r,
                                   const LocationConf& conf);

}  // namespace paperboy::nginx
