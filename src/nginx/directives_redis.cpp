// paperboy_redis, and what others have of it: where Redis is and how it is
// used. No message shows a password, nor a URL, which may hold one.
#include <algorithm>
#include <array>
#include <limits>

#include "broker/redis_url.hpp"
#include "nginx/directives.hpp"
#include "nginx/material.hpp"

namespace paperboy::nginx {

namespace {

using broker::redis::Options;
using broker::redis::Server;
using broker::redis::Url;

constexpr ngx_int_t kLeastSize = 4L * 1024;

/// The directive as its parameters come.
struct Parts {
  ngx_conf_t* cf;
  Bytes directive;
  bool plain = false;  // a Redis that is no broker
  Options options{};
  bool kind_set = false;
  std::string user{};  // user=
  std::string password{};
  bool password_set = false;
  bool url_login = false;  // a URL has a user or a password
};

/// Empty, or what is wrong.
using Reader = Bytes (*)(Parts&, Bytes value);

bool is_url(Bytes text) {
  return text.find("://") != Bytes::npos || text.starts_with("unix:");
}

bool same_place(const Url& url, const Options& options) {
  return url.user == options.user && url.password == options.password &&
         url.database == options.database;
}

Bytes add_url(Parts& parts, Bytes text) {
  Options& options = parts.options;
  auto url = broker::redis::parse_url(text);
  if (!url) return url.error().message;
  if (!options.servers.empty() && !same_place(*url, options)) {
    return "all servers have one user, password and database: say the same in "
           "each URL";
  }
  parts.url_login =
      parts.url_login || !url->user.empty() || !url->password.empty();
  options.user = url->user;
  options.password = url->password;
  options.database = url->database;
  options.servers.push_back(std::move(url->server));
  return {};
}

template <std::string Options::*member>
Bytes read_text(Parts& parts, Bytes value) {
  if (value.empty()) return "expected a text";
  parts.options.*member = value;
  return {};
}

Bytes read_user(Parts& parts, Bytes value) {
  if (value.empty()) return "expected a name";
  parts.user = value;
  return {};
}

Bytes read_sentinel(Parts& parts, Bytes value) {
  if (value.empty()) return "expected the name that the Sentinels give it";
  if (std::exchange(parts.kind_set, true)) {
    return "there is one of sentinel= and cluster";
  }
  parts.options.kind = Options::Kind::sentinel;
  parts.options.master = value;
  return {};
}

Bytes read_cluster(Parts& parts) {
  if (std::exchange(parts.kind_set, true)) {
    return "there is one of sentinel= and cluster";
  }
  parts.options.kind = Options::Kind::cluster;
  return {};
}

Bytes open_inbox(Parts& parts) {
  parts.options.inbox = true;
  return {};
}

/// In a key, `{` and `}` say on which server of a cluster it is.
Bytes read_prefix(Parts& parts, Bytes value) {
  if (value.empty() || value.size() > 64 ||
      value.find_first_of("{}") != Bytes::npos) {
    return "expected from 1 to 64 bytes, without braces";
  }
  parts.options.prefix = value;
  return {};
}

Bytes keep_secret(std::string& place, bool& set,
                  const std::optional<std::string>& secret) {
  if (!secret || secret->empty()) {
    return "no password there; expected a file that can be read, or a "
           "variable that is set";
  }
  if (std::exchange(set, true)) return "there is a password already";
  place = *secret;
  return {};
}

Bytes read_password_file(Parts& parts, Bytes value) {
  return keep_secret(parts.password, parts.password_set,
                     read_material_file(parts.cf, value));
}

Bytes read_password_env(Parts& parts, Bytes value) {
  return keep_secret(parts.password, parts.password_set,
                     read_environment(value));
}

Bytes keep_sentinel_secret(Parts& parts,
                           const std::optional<std::string>& secret) {
  bool set = !parts.options.sentinel_password.empty();
  return keep_secret(parts.options.sentinel_password, set, secret);
}

Bytes read_sentinel_file(Parts& parts, Bytes value) {
  return keep_sentinel_secret(parts, read_material_file(parts.cf, value));
}

Bytes read_sentinel_env(Parts& parts, Bytes value) {
  return keep_sentinel_secret(parts, read_environment(value));
}

template <std::uint64_t Options::*member>
Bytes read_time(Parts& parts, Bytes value) {
  ngx_str_t given = borrow(value);
  const ngx_int_t ms = ngx_parse_time(&given, 0);
  if (ms == NGX_ERROR || ms == 0) return "expected a time above 0, such as 2s";
  parts.options.*member = static_cast<std::uint64_t>(ms);
  return {};
}

template <auto member>
Bytes read_size(Parts& parts, Bytes value) {
  ngx_str_t given = borrow(value);
  const off_t size = ngx_parse_offset(&given);
  if (size < kLeastSize) return "expected a size of 4k or more, such as 1m";
  parts.options.*member =
      static_cast<std::remove_reference_t<decltype(parts.options.*member)>>(
          size);
  return {};
}

Bytes read_window(Parts& parts, Bytes value) {
  const ngx_str_t given = borrow(value);
  const ngx_int_t count = ngx_atoi(given.data, given.len);
  if (count < 1 || count > 10'000'000) {
    return "expected a number of messages from 1 to 10000000";
  }
  parts.options.window = static_cast<std::uint32_t>(count);
  return {};
}

struct Parameter {
  Bytes name;  // with its `=`
  Reader read;
};

constexpr std::array kParameters{
    Parameter{"sentinel=", read_sentinel},
    Parameter{"prefix=", read_prefix},
    Parameter{"user=", read_user},
    Parameter{"password_file=", read_password_file},
    Parameter{"password_env=", read_password_env},
    Parameter{"sentinel_user=", read_text<&Options::sentinel_user>},
    Parameter{"sentinel_password_file=", read_sentinel_file},
    Parameter{"sentinel_password_env=", read_sentinel_env},
    Parameter{"timeout=", read_time<&Options::timeout_ms>},
    Parameter{"retry=", read_time<&Options::retry_ms>},
    Parameter{"max_retry=", read_time<&Options::max_retry_ms>},
    Parameter{"queue=", read_size<&Options::max_queue>},
    Parameter{"window=", read_window},
    Parameter{"window_size=", read_size<&Options::window_bytes>},
    Parameter{"window_age=", read_time<&Options::window_ms>},
    Parameter{"idle=", read_time<&Options::idle_ms>},
    Parameter{"linger=", read_time<&Options::linger_ms>},
};

// Those of a Redis that is no broker.
constexpr std::array kPlain{
    Bytes("user="),    Bytes("password_file="), Bytes("password_env="),
    Bytes("timeout="), Bytes("retry="),         Bytes("max_retry="),
    Bytes("queue="),
};

const Parameter* find_parameter(Bytes text) {
  const auto* const found =
      std::ranges::find_if(kParameters, [text](const Parameter& parameter) {
        return text.starts_with(parameter.name);
      });
  return found != kParameters.end() ? found : nullptr;
}

/// Empty, or what is wrong.
Bytes read_parameter(Parts& parts, Bytes text) {
  if (!parts.plain && text == "cluster") return read_cluster(parts);
  if (!parts.plain && text == "inbox") return open_inbox(parts);
  const Parameter* const parameter = find_parameter(text);
  const bool known =
      parameter != nullptr &&
      (!parts.plain ||
       std::ranges::find(kPlain, parameter->name) != kPlain.end());
  if (!known) return "no such parameter of this directive";
  return parameter->read(parts, text.substr(parameter->name.size()));
}

/// Of a parameter that isn't one: it may be a password in the wrong place.
Bytes shown(const Parts& parts, Bytes text) {
  if (find_parameter(text) != nullptr) return text;
  const auto name = text.find('=');
  if (name != Bytes::npos) return text.substr(0, name + 1);
  return text == "cluster" || text == "inbox" ? text : parts.directive;
}

/// What is wrong with all of them together; empty: nothing.
Bytes check_together(const Parts& parts) {
  const Options& options = parts.options;
  const bool sentinel = options.kind == Options::Kind::sentinel;
  if (options.servers.empty()) {
    return "expected a URL, such as redis://127.0.0.1:6379";
  }
  if (options.servers.size() > 1 && options.kind == Options::Kind::single) {
    return "several servers are Sentinels (sentinel=NAME) or a cluster "
           "(cluster)";
  }
  if (parts.url_login && (parts.password_set || !parts.user.empty())) {
    return "user and password stand in the URLs or beside them, not both";
  }
  if (!parts.user.empty() && !parts.password_set) {
    return "user= needs password_file= or password_env=";
  }
  if (!sentinel &&
      !(options.sentinel_user.empty() && options.sentinel_password.empty())) {
    return "sentinel_user= and sentinel_password_*= mean nothing without "
           "sentinel=";
  }
  if (!options.sentinel_user.empty() && options.sentinel_password.empty()) {
    return "sentinel_user= needs sentinel_password_file= or "
           "sentinel_password_env=";
  }
  if (options.kind == Options::Kind::cluster && options.database != 0) {
    return "a cluster has no database but 0";
  }
  if (options.max_retry_ms < options.retry_ms) {
    return "max_retry= is less than retry=";
  }
  if (options.idle_ms < options.window_ms) {
    return "idle= is less than window_age=";
  }
  return {};
}

// ---- at the end -------------------------------------------------------------

bool has_tls(const Options& options) {
  for (const Server& server : options.servers) {
    if (server.tls) return true;
  }
  return false;
}

ngx_int_t failed(ngx_conf_t* cf, Bytes what, Bytes text) {
  conf_error(cf, what, text);
  return NGX_ERROR;
}

/// nginx's own messages name file and reason.
ngx_int_t load_certificates(ngx_conf_t* cf, RedisSlots& slots,
                            const RedisConf& redis) {
  const bool certificate = slots.ssl_certificate.len != 0;
  if (certificate != (slots.ssl_certificate_key.len != 0)) {
    return failed(cf, "paperboy_redis_ssl_certificate",
                  "needs paperboy_redis_ssl_certificate_key, and the other way "
                  "round");
  }
  if (certificate &&
      ngx_ssl_certificate(cf, redis.ssl, &slots.ssl_certificate,
                          &slots.ssl_certificate_key, nullptr) != NGX_OK) {
    return NGX_ERROR;
  }
  if (!redis.ssl_verify) return NGX_OK;
  if (slots.ssl_trusted_certificate.len == 0) {
    return failed(cf, "paperboy_redis rediss:",
                  "needs paperboy_redis_ssl_trusted_certificate, a file with "
                  "the certificates that are to be trusted");
  }
  constexpr ngx_int_t kDepth = 9;
  return ngx_ssl_trusted_certificate(cf, redis.ssl,
                                     &slots.ssl_trusted_certificate, kDepth);
}

ngx_int_t make_tls(ngx_conf_t* cf, RedisSlots& slots, RedisConf& redis) {
  constexpr ngx_uint_t kProtocols = NGX_SSL_TLSv1_2 | NGX_SSL_TLSv1_3;
  redis.ssl_verify = slots.ssl_verify != 0;  // unset: on
  redis.ssl_name = bytes(slots.ssl_name);
  redis.ssl = static_cast<ngx_ssl_t*>(ngx_pcalloc(cf->pool, sizeof(ngx_ssl_t)));
  if (redis.ssl == nullptr) return NGX_ERROR;
  redis.ssl->log = cf->log;
  const ngx_uint_t protocols =
      slots.ssl_protocols != 0 ? slots.ssl_protocols : kProtocols;
  if (ngx_ssl_create(redis.ssl, protocols, nullptr) != NGX_OK) {
    return NGX_ERROR;
  }
  ngx_pool_cleanup_t* const cleanup = ngx_pool_cleanup_add(cf->pool, 0);
  if (cleanup == nullptr) {
    ngx_ssl_cleanup_ctx(redis.ssl);
    return NGX_ERROR;
  }
  cleanup->handler = ngx_ssl_cleanup_ctx;
  cleanup->data = redis.ssl;
  return load_certificates(cf, slots, redis);
}

ngx_int_t resolve_names(ngx_conf_t* cf, RedisConf& redis) {
  for (const Server& server : redis.options.servers) {
    if (server.host.empty() || literal_address(server.host)) continue;
    auto found = look_up(cf, server.host);
    if (found.empty()) {
      return failed(cf, "paperboy_redis",
                    "the system doesn't know the host \"" + server.host +
                        "\"; with a resolver in the http block it is asked for "
                        "when it is needed");
    }
    redis.addresses.insert_or_assign(server.host, std::move(found));
  }
  return NGX_OK;
}

/// One of those that say how TLS is to be; empty: there is none.
Bytes stray_slot(const RedisSlots& slots) {
  if (slots.ssl_verify != NGX_CONF_UNSET) return "paperboy_redis_ssl_verify";
  if (slots.ssl_protocols != 0) return "paperboy_redis_ssl_protocols";
  if (slots.ssl_name.len != 0) return "paperboy_redis_ssl_name";
  if (slots.ssl_trusted_certificate.len != 0) {
    return "paperboy_redis_ssl_trusted_certificate";
  }
  if (slots.ssl_certificate.len + slots.ssl_certificate_key.len != 0) {
    return "paperboy_redis_ssl_certificate";
  }
  return {};
}

/// null: all is well.
char* read_redis(Parts& parts, std::span<const Bytes> given) {
  for (const Bytes text : given) {
    const bool url = is_url(text);
    const Bytes wrong =
        url ? add_url(parts, text) : read_parameter(parts, text);
    if (wrong.empty()) continue;
    return conf_error(parts.cf, url ? parts.directive : shown(parts, text),
                      wrong);
  }
  const Bytes wrong = check_together(parts);
  if (!wrong.empty()) return conf_error(parts.cf, parts.directive, wrong);
  if (!parts.user.empty()) parts.options.user = parts.user;
  if (parts.password_set) parts.options.password = parts.password;
  return NGX_CONF_OK;
}

/// Its addresses and its TLS.
ngx_int_t finish_one(ngx_conf_t* cf, RedisConf& redis) {
  redis.resolver = find_resolver(cf);
  if (redis.resolver == nullptr && resolve_names(cf, redis) != NGX_OK) {
    return NGX_ERROR;
  }
  if (!has_tls(redis.options)) return NGX_OK;
  return make_tls(cf, main_conf(cf).redis_slots, redis);
}

}  // namespace

ngx_resolver_t* find_resolver(ngx_conf_t* cf) {
  const auto* const core = static_cast<ngx_http_core_loc_conf_t*>(
      ngx_http_conf_get_module_loc_conf(cf, ngx_http_core_module));
  const bool there =
      core->resolver != nullptr && core->resolver->connections.nelts != 0;
  return there ? core->resolver : nullptr;
}

char* set_redis(ngx_conf_t* cf, ngx_command_t*, void* conf) {
  MainConf& main = *static_cast<MainConf*>(conf);
  if (main.redis) {
    return conf_error(cf, "paperboy_redis",
                      "is duplicate: one Redis, Sentinels or a cluster carries "
                      "all channels");
  }
  std::vector<Bytes> given;
  for (const ngx_str_t& text : parameters(cf)) given.push_back(bytes(text));
  Parts parts{.cf = cf, .directive = "paperboy_redis"};
  if (char* const bad = read_redis(parts, given)) return bad;
  main.redis = std::make_unique<RedisConf>();
  main.redis->options = std::move(parts.options);
  return NGX_CONF_OK;
}

char* read_plain_redis(ngx_conf_t* cf, Bytes directive,
                       std::span<const Bytes> parameters,
                       broker::redis::Options& options) {
  Parts parts{.cf = cf, .directive = directive, .plain = true};
  if (char* const bad = read_redis(parts, parameters)) return bad;
  options = std::move(parts.options);
  return NGX_CONF_OK;
}

ngx_int_t finish_redis(ngx_conf_t* cf) {
  MainConf& main = main_conf(cf);
  const bool tls = (main.redis && has_tls(main.redis->options)) ||
                   (main.classic && has_tls(main.classic->redis.options));
  const Bytes stray = stray_slot(main.redis_slots);
  if (!tls && !stray.empty()) {
    return failed(cf, stray,
                  "means nothing without a paperboy_redis or "
                  "paperboy_classic_redis with rediss://");
  }
  if (main.redis && main.zone_file.len != 0) {
    return failed(cf, "paperboy_zone file=",
                  "not with paperboy_redis, which keeps what a file would, and "
                  "goes on without this nginx");
  }
  if (main.redis && finish_one(cf, *main.redis) != NGX_OK) return NGX_ERROR;
  return main.classic ? finish_one(cf, main.classic->redis) : NGX_OK;
}

}  // namespace paperboy::nginx
