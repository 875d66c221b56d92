// The directives of embedded back ends: their token, whom they may have called,
// and how much of it.
#include <algorithm>

#include "nginx/directives.hpp"
#include "nginx/embedded_zone.hpp"
#include "nginx/handlers.hpp"
#include "nginx/material.hpp"

namespace paperboy::nginx {

namespace {

constexpr ngx_int_t kMaxPort = 65'535;
constexpr ngx_int_t kMaxQueue = 1'000'000;
constexpr std::size_t kMaxToken = 1024;  // bytes
constexpr std::size_t kShortToken = 16;
constexpr std::size_t kMaxNamespace = 256;

EmbeddedConf& embedded(void* conf) {
  MainConf& main = *static_cast<MainConf*>(conf);
  if (!main.embedded) {
    main.embedded = std::make_unique<EmbeddedConf>();
    main.embedded->wires.options.timeout_ms = 5000;
  }
  return *main.embedded;
}

char* duplicate() {
  static char text[] = "is duplicate";
  return text;
}

/// The text itself, or what file= or env= names.
std::optional<std::string> read_secret(ngx_conf_t* cf, Bytes given) {
  constexpr Bytes kFile = "file=";
  constexpr Bytes kEnvironment = "env=";
  if (given.starts_with(kFile)) {
    return read_material_file(cf, given.substr(kFile.size()));
  }
  if (given.starts_with(kEnvironment)) {
    return read_environment(given.substr(kEnvironment.size()));
  }
  return std::string(given);
}

/// Visible, so that a header can carry it.
bool is_token(Bytes text) {
  return !text.empty() && text.size() <= kMaxToken &&
         std::ranges::all_of(text, [](char c) { return c > ' ' && c < 0x7F; });
}

// ---- who may be called -----------------------------------------------------

bool is_network(Bytes text, AllowedPeer& peer) {
  ngx_str_t given = borrow(text);
  ngx_cidr_t network{};
  // Addresses that say more than their network does are mistakes.
  if (ngx_ptocidr(&given, &network) != NGX_OK) return false;
  peer.network = network;
  return true;
}

std::string lower(Bytes text) {
  std::string low(text);
  std::ranges::transform(low, low.begin(), [](char c) {
    return static_cast<char>(ngx_tolower(c));
  });
  return low;
}

/// Digits and dots alone were meant as an address.
bool is_name(Bytes text) {
  const auto of_name = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' ||
           c == '-' || c == '_';
  };
  return !text.empty() && text.size() <= backend::Callback::kMaxHost &&
         std::ranges::all_of(text, of_name) &&
         text.find_first_not_of("0123456789.") != Bytes::npos;
}

/// `address:port` or `name:port`: cuts the port off.
bool cut_port(Bytes& text, in_port_t& port) {
  const std::size_t colon = text.rfind(':');
  if (colon == Bytes::npos) return true;
  const ngx_str_t digits = borrow(text.substr(colon + 1));
  const ngx_int_t number = ngx_atoi(digits.data, digits.len);
  if (number < 1 || number > kMaxPort) return false;
  port = static_cast<in_port_t>(number);
  text = text.substr(0, colon);
  return true;
}

std::optional<AllowedPeer> read_peer(Bytes text) {
  AllowedPeer peer;
  if (is_network(text, peer)) return peer;
  if (!cut_port(text, peer.port)) return {};
  if (text.starts_with('[') && text.ends_with(']')) {
    text = text.substr(1, text.size() - 2);
    if (text.find(':') == Bytes::npos) return {};
  }
  if (text.find('/') == Bytes::npos && is_network(text, peer)) return peer;
  peer.name = lower(text);
  if (!is_name(peer.name)) return {};
  return peer;
}

bool is_within(const AllowedPeer& peer, const Address& address) {
  if (!peer.network) return false;
  const in_port_t port =
      ngx_inet_get_port(const_cast<sockaddr*>(&address.at.sockaddr));
  if (peer.port != 0 && peer.port != port) return false;
  ngx_cidr_t network = *peer.network;
  ngx_array_t one{};
  one.elts = &network;
  one.nelts = 1;
  one.size = sizeof network;
  one.nalloc = 1;
  return ngx_cidr_match(const_cast<sockaddr*>(&address.at.sockaddr), &one) ==
         NGX_OK;
}

/// Those that are named, and without a resolver now.
ngx_int_t resolve_names(ngx_conf_t* cf, EmbeddedConf& conf) {
  conf.wires.resolver = find_resolver(cf);
  if (conf.wires.resolver != nullptr) return NGX_OK;
  for (const AllowedPeer& one : conf.callbacks) {
    if (one.network) continue;
    auto found = look_up(cf, one.name);
    if (found.empty()) {
      conf_error(cf, "paperboy_embedded_callbacks",
                 "the system doesn't know the host \"" + one.name +
                     "\"; with a resolver in the http block it is asked for "
                     "when it is needed");
      return NGX_ERROR;
    }
    conf.wires.addresses.insert_or_assign(one.name, std::move(found));
  }
  return NGX_OK;
}

}  // namespace

bool is_named(const AllowedPeer& peer, Bytes host, in_port_t port) {
  return !peer.network && peer.name == host &&
         (peer.port == 0 || peer.port == port);
}

char* set_embedded(ngx_conf_t* cf, ngx_command_t*, void* conf) {
  LocationConf& here = *static_cast<LocationConf*>(conf);
  if (here.embedded) return duplicate();
  auto* const core = static_cast<ngx_http_core_loc_conf_t*>(
      ngx_http_conf_get_module_loc_conf(cf, ngx_http_core_module));
  if (core->handler != nullptr) {
    return conf_error(cf, "paperboy_embedded",
                      "the location already has a handler of its own");
  }
  core->handler = callback<embedded_handler>;
  here.embedded = true;
  main_conf(cf).in_use = true;
  embedded(&main_conf(cf)).in_use = true;
  return NGX_CONF_OK;
}

char* set_embedded_token(ngx_conf_t* cf, ngx_command_t*, void* conf) {
  EmbeddedConf& here = embedded(conf);
  if (!here.token.view().empty()) return duplicate();
  const Bytes given = bytes(parameters(cf)[0]);
  const auto token = read_secret(cf, given);
  constexpr Bytes kName = "paperboy_embedded_token";
  if (!token) {
    return conf_error(cf, kName,
                      "no token there; expected it, file=PATH of a file that "
                      "can be read, or env=NAME of a variable that is set");
  }
  if (!is_token(*token)) {
    return conf_error(cf, kName,
                      "a token is of up to 1024 visible ASCII characters, "
                      "without spaces");
  }
  if (token->size() < kShortToken) {
    ngx_conf_log_error(NGX_LOG_WARN, cf, 0,
                       "the token of paperboy_embedded_token is shorter than "
                       "16 characters and may be guessed");
  }
  here.token = auth::SecretBytes(*token);
  return NGX_CONF_OK;
}

char* set_embedded_callbacks(ngx_conf_t* cf, ngx_command_t*, void* conf) {
  EmbeddedConf& here = embedded(conf);
  if (!here.callbacks.empty()) return duplicate();
  for (const ngx_str_t& given : parameters(cf)) {
    auto peer = read_peer(bytes(given));
    if (!peer) {
      return conf_error(cf, bytes(given),
                        "expected an address or a name, with a port or without "
                        "one, or a network such as 10.0.0.0/8");
    }
    here.callbacks.push_back(std::move(*peer));
  }
  return NGX_CONF_OK;
}

char* set_embedded_timeout(ngx_conf_t* cf, ngx_command_t*, void* conf) {
  ngx_str_t given = parameters(cf)[0];
  const ngx_int_t time = ngx_parse_time(&given, 0);
  if (time == NGX_ERROR || time == 0) {
    return conf_error(cf, "paperboy_embedded_timeout",
                      "expected a time above 0");
  }
  embedded(conf).wires.options.timeout_ms = static_cast<std::uint64_t>(time);
  return NGX_CONF_OK;
}

char* set_embedded_number(ngx_conf_t* cf, ngx_command_t* cmd, void* conf) {
  const ngx_str_t given = parameters(cf)[0];
  const ngx_int_t number = ngx_atoi(given.data, given.len);
  const bool queue = bytes(cmd->name) == "paperboy_embedded_queue";
  const auto most =
      queue ? kMaxQueue : static_cast<ngx_int_t>(backend::CallbackTable::kMost);
  if (number < 1 || number > most) {
    return conf_error(cf, bytes(cmd->name),
                      queue ? "expected a number of posts from 1 to 1000000"
                            : "expected a number of callbacks from 1 to 256");
  }
  EmbeddedConf& here = embedded(conf);
  (queue ? here.queue : here.max_callbacks) = static_cast<std::size_t>(number);
  return NGX_CONF_OK;
}

char* set_embedded_namespace(ngx_conf_t* cf, ngx_command_t*, void* conf) {
  const Bytes given = bytes(parameters(cf)[0]);
  if (given.empty() || given.size() > kMaxNamespace) {
    return conf_error(cf, "paperboy_embedded_namespace",
                      "expected from 1 to 256 bytes");
  }
  embedded(conf).name_space = given;
  return NGX_CONF_OK;
}

char* check_embedded(ngx_conf_t* cf, const LocationConf& conf) {
  if (!conf.embedded) return NGX_CONF_OK;
  const MainConf& main = main_conf(cf);
  constexpr Bytes kName = "paperboy_embedded";
  if (main.embedded->token.view().empty()) {
    return conf_error(cf, kName,
                      "needs paperboy_embedded_token, which back ends show");
  }
  if (main.classic) {
    return conf_error(cf, kName,
                      "not with paperboy_classic_redis: back ends are asked in "
                      "one way");
  }
  const auto* const core = static_cast<ngx_http_core_loc_conf_t*>(
      ngx_http_conf_get_module_loc_conf(cf, ngx_http_core_module));
  bool prefix = core->named == 0 && core->exact_match == 0;
#if (NGX_PCRE)
  prefix = prefix && core->regex == nullptr;
#endif
  if (!prefix && core->noname == 0) {
    return conf_error(cf, kName,
                      "only in a location that is a prefix of paths, behind "
                      "which the calls stand");
  }
  return NGX_CONF_OK;
}

ngx_int_t finish_embedded(ngx_conf_t* cf) {
  MainConf& main = main_conf(cf);
  if (!main.embedded) return NGX_OK;
  EmbeddedConf& conf = *main.embedded;
  if (!conf.in_use) {
    conf_error(cf, "paperboy_embedded_*",
               "means nothing without paperboy_embedded in a location");
    return NGX_ERROR;
  }
  if (resolve_names(cf, conf) != NGX_OK) return NGX_ERROR;
  conf.wires.allows = [&conf](const broker::redis::Server& server,
                              const Address& address) {
    return std::ranges::any_of(conf.callbacks, [&](const AllowedPeer& one) {
      return is_named(one, server.host, server.port) || is_within(one, address);
    });
  };
  return add_callback_zone(cf, conf) == NGX_CONF_OK ? NGX_OK : NGX_ERROR;
}

}  // namespace paperboy::nginx
