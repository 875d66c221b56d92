// paperboy_cors on | off [credentials] [max_age=TIME] [headers=NAME,...];
#include "nginx/directives.hpp"
#include "ws/grammar.hpp"

namespace paperboy::nginx {

namespace {

bool set_max_age(Cors& cors, Bytes text) {
  ngx_str_t given = borrow(text);
  const ngx_int_t seconds = ngx_parse_time(&given, 1);
  if (text.empty() || seconds < 0) return false;
  cors.max_age_seconds = seconds;
  return true;
}

/// `names`, which commas separate, as a header has them.
bool set_headers(Cors& cors, Bytes names) {
  cors.headers.clear();
  for (bool last = false; !last;) {
    const auto comma = names.find(',');
    last = comma == Bytes::npos;
    const Bytes name = ws::trim(names.substr(0, comma));
    if (!ws::is_token(name)) return false;
    if (!cors.headers.empty()) cors.headers += ", ";
    cors.headers += name;
    if (!last) names.remove_prefix(comma + 1);
  }
  return true;
}

/// False: there is no such option.
bool set_option(Cors& cors, Bytes text) {
  constexpr Bytes kMaxAge = "max_age=";
  constexpr Bytes kHeaders = "headers=";
  if (text == "credentials") return cors.credentials = true;
  if (text.starts_with(kMaxAge)) {
    return set_max_age(cors, text.substr(kMaxAge.size()));
  }
  return text.starts_with(kHeaders) &&
         set_headers(cors, text.substr(kHeaders.size()));
}

}  // namespace

char* set_cors(ngx_conf_t* cf, ngx_command_t*, void* conf) {
  LocationConf& here = *static_cast<LocationConf*>(conf);
  static char text[] = "is duplicate";
  if (here.cors) return text;
  const auto given = parameters(cf);
  Cors& cors = here.cors.emplace();
  cors.on = bytes(given[0]) == "on";
  if (!cors.on && (bytes(given[0]) != "off" || given.size() > 1)) {
    return conf_error(cf, bytes(given[0]), "expected off, or on with options");
  }
  for (const ngx_str_t& option : given.subspan(1)) {
    if (!set_option(cors, bytes(option))) {
      return conf_error(cf, bytes(option),
                        "expected credentials, max_age=TIME or "
                        "headers=NAME,NAME");
    }
  }
  return NGX_CONF_OK;
}

}  // namespace paperboy::nginx
