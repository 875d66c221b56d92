#include <algorithm>

#include "nginx/directives.hpp"
#include "nginx/kin.hpp"
#include "nginx/zone.hpp"

namespace paperboy::nginx {

namespace {

constexpr ssize_t kLeastPart = 64L * 1024;

char* failed() { return static_cast<char*>(NGX_CONF_ERROR); }

/// The size of a part of the zone, behind its `name=`.
char* set_part(ngx_conf_t* cf, const ngx_str_t& text, std::size_t name,
               std::size_t& size) {
  ngx_str_t value = {text.len - name, text.data + name};
  const ssize_t parsed = ngx_parse_size(&value);
  if (parsed < kLeastPart) {
    return conf_error(cf, bytes(text), "expected a size of 64k or more");
  }
  size = static_cast<std::size_t>(parsed);
  return NGX_CONF_OK;
}

/// `seats=N`, `log=SIZE`, `history=SIZE` or `file=PATH`.
char* set_zone_option(ngx_conf_t* cf, MainConf& main, const ngx_str_t& text) {
  const Bytes given = bytes(text);
  if (given.starts_with("seats=")) {
    const ngx_int_t seats = ngx_atoi(text.data + 6, text.len - 6);
    if (seats < 1 || static_cast<std::size_t>(seats) > kMaxSeats) {
      return conf_error(cf, given, "expected from 1 to 512 seats");
    }
    main.seats = static_cast<std::size_t>(seats);
    return NGX_CONF_OK;
  }
  if (given.starts_with("log=")) return set_part(cf, text, 4, main.log_size);
  if (given.starts_with("history=")) {
    return set_part(cf, text, 8, main.history_size);
  }
  if (given.starts_with("file=")) {
    main.zone_file = {text.len - 5, text.data + 5};
    if (main.zone_file.len == 0 ||
        ngx_conf_full_name(cf->cycle, &main.zone_file, 0) != NGX_OK) {
      return conf_error(cf, given, "expected the path of a file");
    }
    return NGX_CONF_OK;
  }
  return conf_error(
      cf, given, "expected seats=NUMBER, log=SIZE, history=SIZE or file=PATH");
}

const LogFormat* find_format(const MainConf& main, Bytes name) {
  const auto& formats = main.log_formats;
  const auto found = std::ranges::find_if(
      formats, [name](const auto& format) { return format->name() == name; });
  return found == formats.end() ? nullptr : found->get();
}

constexpr Bytes kDefaultName = "paperboy";
constexpr Bytes kDefaultFormat =
    "$remote_addr - $paperboy_user [$time_local] \"$uri\" "
    "\"$paperboy_channels\" $paperboy_close_code $paperboy_closed_by "
    "\"$paperboy_close_reason\" $paperboy_duration "
    "$paperboy_messages_received/$paperboy_bytes_received "
    "$paperboy_messages_sent/$paperboy_bytes_sent";

/// The format of that name; the default one is made when first asked for.
const LogFormat* format_for(ngx_conf_t* cf, Bytes name) {
  MainConf& main = main_conf(cf);
  const LogFormat* const found = find_format(main, name);
  if (found != nullptr || name != kDefaultName) return found;
  auto format =
      std::make_unique<LogFormat>(std::string(name), Escape::standard);
  if (!format->add(cf, kDefaultFormat)) return nullptr;
  main.log_formats.push_back(std::move(format));
  return main.log_formats.back().get();
}

std::optional<Escape> escape_by_name(Bytes name) {
  if (name == "escape=default") return Escape::standard;
  if (name == "escape=json") return Escape::json;
  if (name == "escape=none") return Escape::none;
  return {};
}

}  // namespace

char* set_zone(ngx_conf_t* cf, ngx_command_t*, void* conf) {
  MainConf& main = *static_cast<MainConf*>(conf);
  if (main.zone_size != 0) {
    return conf_error(cf, "paperboy_zone", "one zone serves all of nginx");
  }
  const auto given = parameters(cf);
  ngx_str_t size_text = given[1];
  const ssize_t size = ngx_parse_size(&size_text);
  if (size == NGX_ERROR) {
    return conf_error(cf, bytes(given[1]), "not a size, such as 32m");
  }
  // Smaller ones have no room for nginx's own pages in a zone.
  if (size < static_cast<ssize_t>(8 * ngx_pagesize)) {
    return conf_error(cf, bytes(given[1]), "too small; 32m is a good start");
  }
  main.zone_name = given[0];
  main.zone_size = static_cast<std::size_t>(size);
  for (const ngx_str_t& text : given.subspan(2)) {
    if (char* const bad = set_zone_option(cf, main, text)) return bad;
  }
  return add_zone(cf, main);
}

char* set_log_format(ngx_conf_t* cf, ngx_command_t*, void* conf) {
  MainConf& main = *static_cast<MainConf*>(conf);
  auto given = parameters(cf);
  const Bytes name = bytes(given[0]);
  if (find_format(main, name) != nullptr) {
    return conf_error(cf, name, "there is a format of this name");
  }
  given = given.subspan(1);
  auto escape = Escape::standard;
  if (bytes(given[0]).starts_with("escape=")) {
    const auto named = escape_by_name(bytes(given[0]));
    if (!named || given.size() == 1) {
      return conf_error(cf, bytes(given[0]),
                        "expected escape=default, json or none, and a format");
    }
    escape = *named;
    given = given.subspan(1);
  }
  auto format = std::make_unique<LogFormat>(std::string(name), escape);
  for (const ngx_str_t& text : given) {
    if (!format->add(cf, bytes(text))) return failed();
  }
  main.log_formats.push_back(std::move(format));
  return NGX_CONF_OK;
}

char* set_log(ngx_conf_t* cf, ngx_command_t*, void* conf) {
  LocationConf& here = *static_cast<LocationConf*>(conf);
  static char duplicate[] = "is duplicate";
  if (here.log_set) return duplicate;
  here.log_set = true;
  const auto given = parameters(cf);
  if (bytes(given[0]) == "off") return NGX_CONF_OK;
  if (bytes(given[0]).starts_with("syslog:") ||
      bytes(given[0]).find('$') != Bytes::npos) {
    return conf_error(cf, bytes(given[0]),
                      "connections are logged to a file, whose name has no "
                      "variables");
  }
  Log log;
  const Bytes name = given.size() == 2 ? bytes(given[1]) : kDefaultName;
  log.format = format_for(cf, name);
  if (log.format == nullptr) {
    return conf_error(cf, name,
                      "no such format; paperboy_log_format makes "
                      "one, and has to stand before");
  }
  ngx_str_t path = given[0];
  log.file = ngx_conf_open_file(cf->cycle, &path);
  if (log.file == nullptr) return failed();
  here.log = log;
  return NGX_CONF_OK;
}

}  // namespace paperboy::nginx
