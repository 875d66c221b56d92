#include "nginx/access.hpp"
#include "ws/grammar.hpp"

namespace paperboy::nginx {

namespace {

/// `X-API-Key: KEY`, or `Authorization: apikey KEY`. Not the URL's argument: it
/// would stand in logs.
Bytes shown_key(ngx_http_request_t* r) {
  constexpr Bytes kScheme = "apikey ";
  if (const auto key = header_value(r, "X-API-Key")) return *key;
  const Bytes value = header_value(r, "Authorization").value_or(Bytes());
  if (!ws::equal_ignoring_case(value.substr(0, kScheme.size()), kScheme)) {
    return {};
  }
  return ws::trim(value.substr(kScheme.size()));
}

/// All are compared, so that the time doesn't tell which it was.
bool is_good(const std::vector<auth::SecretBytes>& keys, Bytes shown) {
  bool good = false;
  for (const auth::SecretBytes& key : keys) {
    if (auth::equal_secrets(key.view(), shown)) good = true;
  }
  return good;
}

}  // namespace

ngx_int_t check_api_key(ngx_http_request_t* r, const LocationConf& conf,
                        Request& request) {
  if (!conf.api_keys) {
    return refuse(r, request, NGX_HTTP_FORBIDDEN, Counter::refused_token,
                  "forbidden",
                  "no paperboy_api_key is configured, and the location is "
                  "neither internal nor \"paperboy_api any\"");
  }
  const Bytes shown = shown_key(r);
  if (is_good(*conf.api_keys, shown)) return NGX_OK;
  if (!shown.empty()) note_bad_token(r, conf);
  if (!add_header(r, "WWW-Authenticate", "apikey")) return NGX_ERROR;
  return refuse(r, request, NGX_HTTP_UNAUTHORIZED, Counter::refused_token,
                "unauthorized",
                shown.empty() ? "the request shows no key: X-API-Key"
                              : "the key is none of paperboy_api_key");
}

}  // namespace paperboy::nginx
