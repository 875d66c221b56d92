// The body of a request, once nginx has read it.
#pragma once

#include "nginx/ngx.hpp"

#include <string>

#include "base/result.hpp"

namespace paperboy::nginx {

/// Whether the request says how long its body is, or will.
bool is_sized(const ngx_http_request_t* r);

/// Appends what a buffer of a body holds, from memory or its file; false: that
/// can't be read.
[[nodiscard]] bool append_buffer(std::string& body, ngx_buf_t& buffer);

/// All of it, from memory or nginx's file. Errors: `too_large` (more than
/// `limit` bytes), internal.
Result<std::string> read_body(const ngx_http_request_t* r, std::size_t limit,
                              const Error& too_large);

/// The same without a copy, good for as long as the request; but in `room`
/// where nginx has it in pieces or in a file.
Result<Bytes> borrow_body(const ngx_http_request_t* r, std::size_t limit,
                          const Error& too_large, std::string& room);

/// The body has arrived. Whatever happens, the request has to end.
template <ngx_int_t then(ngx_http_request_t*)>
void on_body(ngx_http_request_t* r) {
  ngx_int_t status = NGX_HTTP_INTERNAL_SERVER_ERROR;
  try {
    status = then(r);
  } catch (...) {
    log_exception();
  }
  if (status != NGX_DONE) ngx_http_finalize_request(r, status);
}

/// Has the body read and calls `then`, which returns the request's status; for
/// a handler to return.
template <ngx_int_t then(ngx_http_request_t*)>
ngx_int_t when_read(ngx_http_request_t* r) {
  r->request_body_in_single_buf = 1;
  const ngx_int_t status =
      ngx_http_read_client_request_body(r, callback<on_body<then>>);
  return status >= NGX_HTTP_SPECIAL_RESPONSE ? status : NGX_DONE;
}

}  // namespace paperboy::nginx
