// paperboy_auth_request: the back end that decides.
#include <array>
#include <utility>

#include "nginx/directives.hpp"
#include "nginx/worker.hpp"

namespace paperboy::nginx {

namespace {

constexpr Bytes kName = "paperboy_auth_request";

/// False: a word of it is none.
bool read_occasions(Bytes words, AuthRequestConf& asked) {
  asked.on_connect = false;
  for (bool more = true; more;) {
    const std::size_t comma = words.find(',');
    more = comma != Bytes::npos;
    const Bytes word = words.substr(0, comma);
    if (more) words.remove_prefix(comma + 1);
    bool* const on = word == "connect"     ? &asked.on_connect
                     : word == "subscribe" ? &asked.on_subscribe
                     : word == "publish"   ? &asked.on_publish
                                           : nullptr;
    if (on == nullptr || std::exchange(*on, true)) return false;
  }
  return true;
}

/// What is wrong with `text`; empty: nothing.
Bytes read_option(ngx_conf_t* cf, Bytes text, AuthRequestConf& asked) {
  if (const auto words = option(text, "on=")) {
    return read_occasions(*words, asked)
               ? Bytes()
               : "expected connect, subscribe and publish, with commas between";
  }
  for (const auto& [prefix, slot] :
       {std::pair<Bytes, ngx_msec_t&>("cache=", asked.cache_ms),
        std::pair<Bytes, ngx_msec_t&>("timeout=", asked.timeout_ms)}) {
    if (const auto given = option(text, prefix)) {
      return read_time(*given, slot) ? Bytes() : "expected a time above 0";
    }
  }
  for (const auto& [prefix, slot] :
       {std::pair<Bytes, std::size_t&>("cache_size=", asked.cache_size),
        std::pair<Bytes, std::size_t&>("max_size=", asked.max_size)}) {
    if (const auto given = option(text, prefix)) {
      return read_size(*given, 1024UL * 1024 * 1024, slot)
                 ? Bytes()
                 : "expected a size up to 1g";
    }
  }
  for (const auto& [prefix, slot] :
       {std::pair<Bytes, std::size_t&>("waiting=", asked.waiting),
        std::pair<Bytes, std::size_t&>("together=", asked.together)}) {
    if (const auto given = option(text, prefix)) {
      return read_count(*given, 10'000, slot)
                 ? Bytes()
                 : "expected a number from 1 to 10000";
    }
  }
  if (const auto given = option(text, "key=")) {
    if (given->find('$') == Bytes::npos) return "expected a variable";
    asked.key = compile_value(cf, borrow(*given));
    return asked.key != nullptr ? Bytes() : "not a value";
  }
  return "expected on=, cache=, key=, cache_size=, timeout=, max_size=, "
         "waiting= or together=";
}

void log_failure(Bytes line) {
  const ngx_str_t text = borrow(line);
  ngx_log_error(NGX_LOG_ERR, ngx_cycle->log, 0, "paperboy_auth_request: %V",
                &text);
}

}  // namespace

char* set_auth_request(ngx_conf_t* cf, ngx_command_t*, void* conf) {
  LocationConf& here = *static_cast<LocationConf*>(conf);
  static char text[] = "is duplicate";
  if (std::exchange(here.auth_request_set, true)) return text;
  const auto given = parameters(cf);
  if (given.size() == 1 && bytes(given[0]) == "off") return NGX_CONF_OK;
  if (!bytes(given[0]).starts_with('/')) {
    return conf_error(cf, bytes(given[0]),
                      "expected off, or a URI that begins with /");
  }
  auto asked = std::make_shared<AuthRequestConf>();
  asked->uri = bytes(given[0]);
  asked->server =
      static_cast<ngx_http_core_srv_conf_t*>(
          ngx_http_conf_get_module_srv_conf(cf, ngx_http_core_module))
          ->ctx;
  for (const ngx_str_t& one : given.subspan(1)) {
    const Bytes why = read_option(cf, bytes(one), *asked);
    if (!why.empty()) return conf_error(cf, bytes(one), why);
  }
  if ((asked->cache_ms != 0) != (asked->key != nullptr)) {
    return conf_error(cf, kName,
                      "cache= and key= belong together: for how long an answer "
                      "is good, and for whom");
  }
  if (asked->cache_ms != 0) {
    asked->cache = std::make_shared<auth::VerdictCache>(asked->cache_size);
  }
  asked->complaints =
      std::make_shared<backend::Complaints>(worker_clock(), log_failure);
  main_conf(cf).asks = true;
  main_conf(cf).has_limits = true;  // an answer may have some
  here.auth_request = std::move(asked);
  return NGX_CONF_OK;
}

char* check_auth_request(ngx_conf_t* cf, const LocationConf& conf) {
  const bool asked = conf.dialect != nullptr && conf.auth_request &&
                     conf.auth_request->is_for_commands();
  if (!asked || conf.dialect == dialect::find("native")) return NGX_CONF_OK;
  return conf_error(
      cf, "paperboy_auth_request on=subscribe, on=publish",
      "only native clients say what they subscribe and publish to");
}

}  // namespace paperboy::nginx
