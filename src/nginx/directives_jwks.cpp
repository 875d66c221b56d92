// paperboy_jwks: a set of keys that an issuer publishes.
#include "nginx/directives.hpp"
#include "nginx/jwks_conf.hpp"

namespace paperboy::nginx {

namespace {

constexpr Bytes kName = "paperboy_jwks";

/// What is wrong with `text`; empty: nothing.
Bytes read_option(Bytes text, JwksConf& jwks) {
  constexpr Bytes kTime = "expected a time above 0";
  if (text == "secrets") {
    jwks.limits.secrets = true;
    return {};
  }
  for (const auto& [prefix, slot] :
       {std::pair<Bytes, ngx_msec_t&>("refresh=", jwks.refresh_ms),
        std::pair<Bytes, ngx_msec_t&>("retry=", jwks.retry_ms),
        std::pair<Bytes, ngx_msec_t&>("timeout=", jwks.timeout_ms)}) {
    const auto given = option(text, prefix);
    if (given && jwks.uri.empty()) return "is for a location, not for a file";
    if (given) return read_time(*given, slot) ? Bytes() : kTime;
  }
  if (const auto given = option(text, "max_age=")) {
    return read_time(*given, jwks.max_age_ms) ? Bytes() : kTime;
  }
  if (const auto given = option(text, "max_size=")) {
    return read_size(*given, 16UL * 1024 * 1024, jwks.limits.size)
               ? Bytes()
               : "expected a size up to 16m";
  }
  if (const auto given = option(text, "max_keys=")) {
    return read_count(*given, 1000, jwks.limits.keys)
               ? Bytes()
               : "expected a number from 1 to 1000";
  }
  return "expected refresh=, retry=, timeout=, max_age=, max_size=, "
         "max_keys= or secrets";
}

/// Null: all is well.
char* read_location(ngx_conf_t* cf, Bytes uri, JwksConf& jwks) {
  auto* const server = static_cast<ngx_http_core_srv_conf_t*>(
      ngx_http_conf_get_module_srv_conf(cf, ngx_http_core_module));
  if (!uri.starts_with('/')) {
    return conf_error(cf, "location=", "expected a URI that begins with /");
  }
  if (server->ctx == nullptr) {
    return conf_error(cf, kName,
                      "location= is one of a server's: write it in a server or "
                      "a location");
  }
  jwks.server = server->ctx;
  jwks.uri = uri;
  return NGX_CONF_OK;
}

char* read_path(ngx_conf_t* cf, Bytes name, JwksConf& jwks) {
  ngx_str_t path = copy(cf->pool, std::string(name).append(1, '\0'));
  if (path.data == nullptr) return static_cast<char*>(NGX_CONF_ERROR);
  --path.len;
  if (name.empty() || ngx_conf_full_name(cf->cycle, &path, 1) != NGX_OK) {
    return conf_error(cf, "file=", "expected a file's path");
  }
  jwks.path = bytes(path);
  jwks.limits.secrets = true;
  return NGX_CONF_OK;
}

/// A file is there from the start.
char* load(ngx_conf_t* cf, JwksConf& jwks) {
  const auto mark = mark_of(jwks.path);
  const auto text = read_jwks_file(jwks.path, jwks.limits.size);
  if (!mark || !text) {
    return conf_error(cf, jwks.path, "the file can't be read");
  }
  auto set = auth::read_jwks(*text, jwks.limits);
  if (!set) return conf_error(cf, jwks.path, set.error());
  const std::string none = auth::why_no_key(*set);
  if (!none.empty()) return conf_error(cf, jwks.path, none);
  for (const std::string& why : set->skipped) {
    const ngx_str_t line = borrow(why);
    const ngx_str_t path = borrow(jwks.path);
    ngx_conf_log_error(NGX_LOG_WARN, cf, 0,
                       "paperboy_jwks \"%V\": passed over: %V", &path, &line);
  }
  jwks.mark = *mark;
  jwks.keys->replace(std::move(set->keys));
  return NGX_CONF_OK;
}

}  // namespace

char* add_jwks(ngx_conf_t* cf, std::span<const ngx_str_t> given,
               auth::KeySet& keys) {
  auto jwks = std::make_shared<JwksConf>();
  const auto file = option(bytes(given[0]), "file=");
  const auto uri = option(bytes(given[0]), "location=");
  if (!file && !uri) {
    return conf_error(cf, bytes(given[0]),
                      "expected file=PATH or location=URI");
  }
  char* bad =
      file ? read_path(cf, *file, *jwks) : read_location(cf, *uri, *jwks);
  if (bad != NGX_CONF_OK) return bad;
  for (const ngx_str_t& one : given.subspan(1)) {
    const Bytes why = read_option(bytes(one), *jwks);
    if (!why.empty()) return conf_error(cf, bytes(one), why);
  }
  if (uri && jwks->max_age_ms != 0 && jwks->max_age_ms <= jwks->refresh_ms) {
    return conf_error(cf, "max_age=",
                      "expected a time above refresh=, after which a good key "
                      "set is read again");
  }
  jwks->keys = std::make_shared<auth::KeySource>(jwks->limits.secrets);
  if (file && (bad = load(cf, *jwks)) != NGX_CONF_OK) return bad;
  MainConf& main = main_conf(cf);
  main.has_public_keys = true;
  keys.remember_in(&main.token_cache);
  keys.add(jwks->keys);
  main.jwks.push_back(std::move(jwks));
  return NGX_CONF_OK;
}

char* set_jwks(ngx_conf_t* cf, ngx_command_t*, void* conf) {
  LocationConf& here = *static_cast<LocationConf*>(conf);
  if (here.issuer_confs) return conf_error(cf, kName, kKeysOrIssuers);
  if (here.keys && here.keys->empty()) {
    return conf_error(cf, kName, "stands beside paperboy_jwt_key off");
  }
  if (!here.keys) here.keys = std::make_shared<auth::KeySet>();
  return add_jwks(cf, parameters(cf), *here.keys);
}

}  // namespace paperboy::nginx
