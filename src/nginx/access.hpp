// Who may: the checks that come before an upgrade or a publish, in the order
// that docs/architecture.md gives.
#pragma once

#include "nginx/ngx.hpp"

#include <vector>

#include "nginx/conf.hpp"
#include "nginx/request.hpp"

namespace paperboy::nginx {

/// NGX_OK: it came over TLS, or needn't; else the status of the refusal.
ngx_int_t check_tls(ngx_http_request_t* r, const LocationConf& conf,
                    Request& request);

/// Scheme and origin. NGX_OK, or the status of the refusal.
ngx_int_t check_origin(ngx_http_request_t* r, const LocationConf& conf,
                       Request& request);

/// Whether this location's dialect subscribes to the channels that it names.
bool subscribes(const LocationConf& conf);

/// Is it an upgrade to WebSocket that we can take? NGX_OK, or the status.
ngx_int_t check_handshake(ngx_http_request_t* r, Request& request);

/// The token, where keys are configured, and its grants for `scope` in each
/// of `request.channels`. NGX_OK, or the status of the refusal.
ngx_int_t check_token(ngx_http_request_t* r, const LocationConf& conf,
                      Request& request, auth::Scope scope);

/// Whether what a token or a back end granted covers `scope` in each of
/// `request.channels`. NGX_OK, or the status of the refusal.
ngx_int_t check_grants(ngx_http_request_t* r, Request& request,
                       auth::Scope scope);

/// The same of a token that is there. REQUIRES: conf.keyed().
ngx_int_t check_shown_token(ngx_http_request_t* r, const LocationConf& conf,
                            Request& request, Bytes token, auth::Scope scope);

/// Whether a token that let the request in is as good as it was then: since,
/// a back end may have been asked, or a body may have come. NGX_OK, or the
/// status of the refusal.
ngx_int_t check_token_still(ngx_http_request_t* r, const LocationConf& conf,
                            Request& request, auth::Scope scope);

/// The key of the HTTP API, where any are configured (api_key.cpp). NGX_OK, or
/// the status of the refusal.
ngx_int_t check_api_key(ngx_http_request_t* r, const LocationConf& conf,
                        Request& request);

/// The token against forged requests, where one is asked for (csrf.cpp).
/// NGX_OK, or the status of the refusal.
ngx_int_t check_csrf(ngx_http_request_t* r, const LocationConf& conf,
                     Request& request);

/// What those checks amount to, for the content handler: the access phase may
/// have been skipped in favour of another module (`satisfy any`), and the
/// origin never is. NGX_OK, or the status of the refusal.
ngx_int_t require_access(ngx_http_request_t* r, const LocationConf& conf,
                         Request& request);

/// The same for a publish or the API, whose access phase may also have been
/// skipped because it is a subrequest. An internal location needs no checks.
ngx_int_t require_publish_access(ngx_http_request_t* r,
                                 const LocationConf& conf, Request& request);

/// The address has shown a token, or a key, that nobody has issued.
void note_bad_token(ngx_http_request_t* r, const LocationConf& conf);

/// Whether nginx itself sees to it that no client reaches this location.
bool is_internal(ngx_http_request_t* r);

}  // namespace paperboy::nginx
