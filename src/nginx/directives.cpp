#include "nginx/directives.hpp"

#include "auth/token_source.hpp"
#include "dialect/dialect.hpp"
#include "nginx/handlers.hpp"
#include "ws/grammar.hpp"

namespace paperboy::nginx {

namespace {

LocationConf& location(void* conf) { return *static_cast<LocationConf*>(conf); }

char* duplicate() {
  static char text[] = "is duplicate";
  return text;
}

/// Each parameter compiled into `values`.
char* compile_all(ngx_conf_t* cf, std::vector<Value>& values) {
  for (const ngx_str_t& text : parameters(cf)) {
    const Value value = compile_value(cf, text);
    if (value == nullptr) return static_cast<char*>(NGX_CONF_ERROR);
    values.push_back(value);
  }
  return NGX_CONF_OK;
}

}  // namespace

char* install(ngx_conf_t* cf, ngx_http_handler_pt handler) {
  auto* const core = static_cast<ngx_http_core_loc_conf_t*>(
      ngx_http_conf_get_module_loc_conf(cf, ngx_http_core_module));
  if (core->handler != nullptr && core->handler != handler) {
    return conf_error(cf, bytes(*static_cast<ngx_str_t*>(cf->args->elts)),
                      "the location already has a handler of its own");
  }
  core->handler = handler;
  return NGX_CONF_OK;
}

char* conf_error(ngx_conf_t* cf, Bytes what, Bytes text) {
  const ngx_str_t subject = borrow(what);
  const ngx_str_t message = borrow(text);
  ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "%V: %V", &subject, &message);
  return static_cast<char*>(NGX_CONF_ERROR);
}

std::optional<Bytes> option(Bytes text, Bytes prefix) {
  if (!text.starts_with(prefix)) return {};
  return text.substr(prefix.size());
}

bool read_time(Bytes text, ngx_msec_t& out) {
  ngx_str_t given = borrow(text);
  const ngx_int_t parsed = ngx_parse_time(&given, 0);
  if (parsed < 1) return false;
  out = static_cast<ngx_msec_t>(parsed);
  return true;
}

bool read_size(Bytes text, std::size_t most, std::size_t& out) {
  ngx_str_t given = borrow(text);
  const ssize_t parsed = ngx_parse_size(&given);
  if (parsed < 1 || static_cast<std::size_t>(parsed) > most) return false;
  out = static_cast<std::size_t>(parsed);
  return true;
}

bool read_count(Bytes text, std::size_t most, std::size_t& out) {
  const ngx_str_t given = borrow(text);
  const ngx_int_t parsed = ngx_atoi(given.data, given.len);
  if (parsed < 1 || static_cast<std::size_t>(parsed) > most) return false;
  out = static_cast<std::size_t>(parsed);
  return true;
}

Value compile_value(ngx_conf_t* cf, const ngx_str_t& text) {
  auto* const value = static_cast<Value>(
      ngx_pcalloc(cf->pool, sizeof(ngx_http_complex_value_t)));
  if (value == nullptr) return nullptr;
  ngx_str_t source = text;
  ngx_http_compile_complex_value_t compile{};
  compile.cf = cf;
  compile.value = &source;
  compile.complex_value = value;
  return ngx_http_compile_complex_value(&compile) == NGX_OK ? value : nullptr;
}

char* set_dialect(ngx_conf_t* cf, ngx_command_t*, void* conf) {
  LocationConf& here = location(conf);
  if (here.dialect != nullptr) return duplicate();
  const auto given = parameters(cf);
  const Bytes name = given.empty() ? Bytes("native") : bytes(given[0]);
  here.dialect = dialect::find(name);
  if (here.dialect == nullptr) {
    return conf_error(
        cf, name,
        "no such dialect; there are native, raw, sse, classic, notiflux and "
        "echo");
  }
  main_conf(cf).in_use = true;
  if (here.dialect->hears_user()) main_conf(cf).classic_in_use = true;
  return install(cf, here.streams_events() ? callback<event_stream_handler>
                                           : callback<upgrade_handler>);
}

char* set_publish(ngx_conf_t* cf, ngx_command_t*, void* conf) {
  LocationConf& here = location(conf);
  if (here.publish) return duplicate();
  here.publish = true;
  if (const auto given = parameters(cf); !given.empty()) {
    if (bytes(given[0]) != "any") {
      return conf_error(cf, bytes(given[0]),
                        "paperboy_publish takes no parameter but \"any\"");
    }
    here.publish_any = true;
  }
  main_conf(cf).in_use = true;
  return install(cf, callback<publish_handler>);
}

char* set_publish_answer(ngx_conf_t* cf, ngx_command_t*, void* conf) {
  LocationConf& here = location(conf);
  if (here.answer_status != 0) return duplicate();
  const auto given = parameters(cf);
  const ngx_int_t status = ngx_atoi(given[0].data, given[0].len);
  if (status < 200 || status > 299) {
    return conf_error(cf, bytes(given[0]), "not a status from 200 to 299");
  }
  here.answer_status = static_cast<ngx_uint_t>(status);
  if (given.size() == 1) return NGX_CONF_OK;
  here.answer_text = compile_value(cf, given[1]);
  return here.answer_text != nullptr ? NGX_CONF_OK
                                     : static_cast<char*>(NGX_CONF_ERROR);
}

char* set_broadcast(ngx_conf_t* cf, ngx_command_t*, void* conf) {
  if (location(conf).broadcast) return duplicate();
  location(conf).broadcast = true;
  main_conf(cf).in_use = true;
  return install(cf, callback<broadcast_handler>);
}

char* set_api(ngx_conf_t* cf, ngx_command_t*, void* conf) {
  LocationConf& here = location(conf);
  if (here.api) return duplicate();
  here.api = true;
  if (const auto given = parameters(cf); !given.empty()) {
    if (bytes(given[0]) != "any") {
      return conf_error(cf, bytes(given[0]),
                        "paperboy_api takes no parameter but \"any\"");
    }
    here.api_any = true;
  }
  main_conf(cf).in_use = true;
  return install(cf, callback<api_handler>);
}

char* set_status(ngx_conf_t* cf, ngx_command_t*, void* conf) {
  location(conf).status = true;
  main_conf(cf).in_use = true;
  return install(cf, callback<status_handler>);
}

char* set_ready(ngx_conf_t* cf, ngx_command_t*, void* conf) {
  location(conf).ready = true;
  main_conf(cf).in_use = true;
  return install(cf, callback<ready_handler>);
}

char* set_channel(ngx_conf_t* cf, ngx_command_t*, void* conf) {
  LocationConf& here = location(conf);
  if (here.channels) return duplicate();
  return compile_all(cf, here.channels.emplace());
}

char* set_subprotocol(ngx_conf_t* cf, ngx_command_t*, void* conf) {
  LocationConf& here = location(conf);
  if (here.subprotocols) return duplicate();
  const auto given = parameters(cf);
  for (const ngx_str_t& name : given) {
    if (!ws::is_token(bytes(name))) {
      return conf_error(cf, bytes(name),
                        "not a subprotocol: expected a token "
                        "as RFC 9110 has it");
    }
    if (!auth::subprotocol_token(bytes(name)).empty()) {
      return conf_error(cf, bytes(name),
                        "a subprotocol that carries a token is never agreed "
                        "on; name one of the application's own");
    }
  }
  here.subprotocols.emplace(given.begin(), given.end());
  return NGX_CONF_OK;
}

char* set_require_tls(ngx_conf_t* cf, ngx_command_t*, void* conf) {
  LocationConf& here = location(conf);
  if (here.require_tls_set) return duplicate();
  here.require_tls_set = true;
  ngx_str_t given = parameters(cf)[0];
  if (bytes(given) == "off") return NGX_CONF_OK;
  if (bytes(given) == "on") {
    ngx_str_set(&given, "$https");
  } else if (bytes(given).find('$') == Bytes::npos) {
    return conf_error(cf, bytes(given), "neither on, off nor a variable");
  }
  here.require_tls = compile_value(cf, given);
  return here.require_tls != nullptr ? NGX_CONF_OK
                                     : static_cast<char*>(NGX_CONF_ERROR);
}

char* set_deflate(ngx_conf_t* cf, ngx_command_t*, void* conf) {
  LocationConf& here = location(conf);
  if (here.deflate_threshold) return duplicate();
  ngx_str_t given = parameters(cf)[0];
  if (bytes(given) == "off") {
    here.deflate_threshold = -1;
  } else if (bytes(given) == "on") {
    here.deflate_threshold =
        static_cast<ssize_t>(session::Settings{}.deflate_threshold);
  } else {
    here.deflate_threshold = ngx_parse_size(&given);
    if (*here.deflate_threshold == NGX_ERROR) {
      return conf_error(cf, bytes(given), "neither on, off nor a size");
    }
  }
  return NGX_CONF_OK;
}

}  // namespace paperboy::nginx
