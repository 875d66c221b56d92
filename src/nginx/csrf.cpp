// Tokens against forged requests (auth/csrf.hpp): the location that hands them
// out, and the check of an upgrade. That comes in the content handler, since
// another module's variable may tell whose token it has to be, such as one that
// auth_request sets in the access phase.
#include "base/json.hpp"
#include "nginx/access.hpp"
#include "nginx/handlers.hpp"
#include "nginx/origin.hpp"

namespace paperboy::nginx {

namespace {

constexpr Bytes kNoPermission =
    "You do not have permission to access this websocket.";

Bytes text_of(auth::CsrfCheck check) {
  switch (check) {
    case auth::CsrfCheck::missing:
      return "no CSRF token (paperboy_csrf)";
    case auth::CsrfCheck::expired:
      return "the CSRF token has expired (paperboy_csrf)";
    case auth::CsrfCheck::wrong:
    case auth::CsrfCheck::good:
      break;
  }
  return "the CSRF token isn't this user's (paperboy_csrf)";
}

ngx_int_t hand_out(ngx_http_request_t* r, const CsrfConf& csrf, Bytes user) {
  const std::string token = csrf.secret.token(user, ngx_time() + csrf.lifetime);
  Json json = Json::object();
  json.set("token", Json::string(token)).set("code", Json::integer(200));
  if (!add_header(r, "Cache-Control",
                  "private, no-cache, no-store, must-revalidate")) {
    return NGX_ERROR;
  }
  return answer(r, NGX_HTTP_OK, "application/json", json.dump());
}

}  // namespace

ngx_int_t check_csrf(ngx_http_request_t* r, const LocationConf& conf,
                     Request& request) {
  if (!conf.csrf) return NGX_OK;
  const CsrfConf& csrf = *conf.csrf;
  const auto check = csrf.secret.check(
      evaluate(r, csrf.user),
      argument(r, csrf.argument).value_or(std::string()), ngx_time());
  if (check == auth::CsrfCheck::good) return NGX_OK;
  return refuse(r, request, NGX_HTTP_FORBIDDEN, Counter::refused_csrf, "csrf",
                text_of(check));
}

ngx_int_t csrf_token_handler(ngx_http_request_t* r) {
  const LocationConf& conf = location_conf(r);
  Request* const request = Request::of(r);
  if (request == nullptr) return NGX_HTTP_INTERNAL_SERVER_ERROR;
  if (r->method != NGX_HTTP_POST) {
    if (!add_header(r, "Allow", "POST")) return NGX_ERROR;
    return refuse(r, *request, NGX_HTTP_NOT_ALLOWED, Counter::refused_method,
                  "method_not_allowed", "a CSRF token is fetched with POST");
  }
  if (const ngx_int_t status = check_tls(r, conf, *request); status != NGX_OK) {
    return status;
  }
  if (standing(r, conf) == Standing::foreign) {
    return refuse(r, *request, NGX_HTTP_FORBIDDEN, Counter::refused_origin,
                  "origin", "this origin isn't admitted (paperboy_origin)");
  }
  const Bytes user = evaluate(r, conf.csrf->user);
  if (user.empty()) {
    return refuse(r, *request, NGX_HTTP_FORBIDDEN, Counter::refused_csrf,
                  "csrf", kNoPermission);
  }
  return hand_out(r, *conf.csrf, user);
}

}  // namespace paperboy::nginx
