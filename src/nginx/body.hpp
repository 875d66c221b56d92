// The body of a request, once nginx has read it.
#pragma once

#include "nginx/ngx.hpp"

#include <string>

#include "base/result.hpp"

namespace paperboy::nginx {

/// Whether the request says how long its body is, or will.
bool is_sized(const ngx_http_request_t* r);

/// All of it, from memory or nginx's file. Errors: `too_large` (more than
/// `limit` bytes), internal.
Result<std::string> read_body(const ngx_http_request_t* r, std::size_t limit,
                              const Error& too_large);

}  // namespace paperboy::nginx
