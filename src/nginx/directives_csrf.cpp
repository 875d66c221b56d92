// paperboy_csrf and paperboy_csrf_token: tokens against forged requests.
#include <algorithm>
#include <utility>

#include "nginx/directives.hpp"
#include "nginx/handlers.hpp"

namespace paperboy::nginx {

namespace {

constexpr std::size_t kShort = 32;  // bytes, of the hash

bool is_word(Bytes text) {
  return !text.empty() && std::ranges::all_of(text, [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
           (c >= 'A' && c <= 'Z') || c == '_' || c == '-';
  });
}

/// What is wrong with `text`; empty: nothing.
Bytes read_option(ngx_conf_t* cf, Bytes text, CsrfConf& csrf) {
  if (text == "messages") {
    csrf.messages = true;
    return {};
  }
  if (const auto given = option(text, "user=")) {
    if (given->find('$') == Bytes::npos) return "expected a variable";
    csrf.user = compile_value(cf, borrow(*given));
    return csrf.user != nullptr ? Bytes() : "not a value";
  }
  if (const auto given = option(text, "argument=")) {
    csrf.argument = *given;
    return is_word(*given) ? Bytes() : "expected an argument's name";
  }
  if (const auto given = option(text, "lifetime=")) {
    ngx_str_t time = borrow(*given);
    csrf.lifetime = ngx_parse_time(&time, 1);
    return csrf.lifetime > 0 && csrf.lifetime <= 86'400
               ? Bytes()
               : "expected a time from 1s to 1d";
  }
  return "expected user=, argument=, lifetime= or messages";
}

}  // namespace

char* set_csrf(ngx_conf_t* cf, ngx_command_t*, void* conf) {
  LocationConf& here = *static_cast<LocationConf*>(conf);
  static char text[] = "is duplicate";
  if (std::exchange(here.csrf_set, true)) return text;
  const auto given = parameters(cf);
  if (given.size() == 1 && bytes(given[0]) == "off") return NGX_CONF_OK;
  const auto secret = read_material(cf, given[0]);
  if (!secret || secret->size() < kShort) {
    return conf_error(cf, bytes(given[0]),
                      secret ? Bytes("a secret shorter than 32 bytes may be "
                                     "guessed from a token")
                             : Bytes("no secret there; expected off, file=PATH "
                                     "or env=NAME"));
  }
  auto csrf = std::make_shared<CsrfConf>();
  csrf->secret = auth::CsrfSecret(*secret);
  for (const ngx_str_t& one : given.subspan(1)) {
    const Bytes why = read_option(cf, bytes(one), *csrf);
    if (!why.empty()) return conf_error(cf, bytes(one), why);
  }
  if (csrf->user == nullptr) {
    return conf_error(cf, "paperboy_csrf",
                      "user= is missing: whose tokens they are");
  }
  here.csrf = std::move(csrf);
  return NGX_CONF_OK;
}

char* set_csrf_token(ngx_conf_t* cf, ngx_command_t*, void* conf) {
  static_cast<LocationConf*>(conf)->csrf_token = true;
  main_conf(cf).in_use = true;
  return install(cf, callback<csrf_token_handler>);
}

char* check_csrf(ngx_conf_t* cf, const LocationConf& conf) {
  if (conf.csrf_token && !conf.csrf) {
    return conf_error(cf, "paperboy_csrf_token",
                      "there is no paperboy_csrf that says whose tokens");
  }
  if (conf.dialect == nullptr || !conf.csrf || !conf.csrf->messages ||
      !conf.streams_events()) {
    return NGX_CONF_OK;
  }
  return conf_error(cf, "paperboy_csrf messages",
                    "clients of sse send no messages");
}

}  // namespace paperboy::nginx
