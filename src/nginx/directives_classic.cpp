// The directives of the classic protocol: where its back ends are, and what
// locations make of them.
#include "broker/redis_options.hpp"
#include "nginx/directives.hpp"

namespace paperboy::nginx {

namespace {

constexpr Bytes kName = "paperboy_classic_redis";
constexpr Bytes kNamespace = "namespace=";
constexpr Bytes kRequests = "requests=";

char* read_namespace(ngx_conf_t* cf, ClassicConf& classic, Bytes value) {
  if (value.empty() || value.size() > 256) {
    return conf_error(cf, "namespace=", "expected from 1 to 256 bytes");
  }
  classic.name_space = value;
  return NGX_CONF_OK;
}

char* read_requests(ngx_conf_t* cf, ClassicConf& classic, Bytes value) {
  const ngx_str_t given = borrow(value);
  const ngx_int_t most = ngx_atoi(given.data, given.len);
  if (most < 1 || most > 10'000'000) {
    return conf_error(
        cf, "requests=", "expected a number of requests from 1 to 10000000");
  }
  classic.requests = static_cast<std::uint64_t>(most);
  return NGX_CONF_OK;
}

bool is_classic(const LocationConf& conf) {
  return conf.dialect != nullptr && conf.dialect->hears_user();
}

}  // namespace

char* set_classic_redis(ngx_conf_t* cf, ngx_command_t*, void* conf) {
  MainConf& main = *static_cast<MainConf*>(conf);
  if (main.classic) {
    return conf_error(cf, kName, "is duplicate: there is one back end's Redis");
  }
  auto classic = std::make_unique<ClassicConf>();
  std::vector<Bytes> rest;
  for (const ngx_str_t& given : parameters(cf)) {
    const Bytes text = bytes(given);
    char* bad = NGX_CONF_OK;
    if (text.starts_with(kNamespace)) {
      bad = read_namespace(cf, *classic, text.substr(kNamespace.size()));
    } else if (text.starts_with(kRequests)) {
      bad = read_requests(cf, *classic, text.substr(kRequests.size()));
    } else {
      rest.push_back(text);
    }
    if (bad != NGX_CONF_OK) return bad;
  }
  broker::redis::Options& options = classic->redis.options;
  if (char* const bad = read_plain_redis(cf, kName, rest, options)) return bad;
  options.scripts = false;
  options.cost =
      "back ends of the classic protocol are neither asked nor heard";
  main.classic = std::move(classic);
  return NGX_CONF_OK;
}

void default_classic(LocationConf& conf) {
  session::Settings& settings = conf.settings;
  using Authorize = session::Settings::Authorize;
  const auto by_default = conf.keyed() ? Authorize::edge : Authorize::back_end;
  settings.authorize = !is_classic(conf) ? Authorize::edge
                       : conf.classic_authorize == NGX_CONF_UNSET_UINT
                           ? by_default
                           : static_cast<Authorize>(conf.classic_authorize);
  settings.notify_back_end = conf.classic_notify == 1;
  settings.unsubscribe_user = conf.classic_unsubscribe ==
                              static_cast<ngx_uint_t>(ClassicUnsubscribe::user);
  if (!is_classic(conf)) return;
  settings.return_seconds = conf.classic_return;
  conf.token_rules.user_claims = {"userId"};
  conf.token_rules.channel_claims = {"channel"};
  conf.token_rules.expiry_required = true;
}

char* check_classic(ngx_conf_t* cf, const LocationConf& conf) {
  if (!is_classic(conf)) return NGX_CONF_OK;
  const bool asks =
      conf.settings.authorize == session::Settings::Authorize::back_end;
  const bool has_back_end = main_conf(cf).has_back_end();
  if (!asks && !conf.keyed()) {
    return conf_error(cf, "paperboy_classic_authorize edge",
                      "needs paperboy_jwt_key to check tokens with");
  }
  if (asks && !has_back_end) {
    return conf_error(cf, "paperboy classic",
                      "needs paperboy_jwt_key to check tokens with, or "
                      "paperboy_classic_redis or paperboy_embedded to ask the "
                      "back end");
  }
  if (conf.settings.notify_back_end && !has_back_end) {
    return conf_error(cf, "paperboy_classic_notify",
                      "needs paperboy_classic_redis or paperboy_embedded to "
                      "tell the back end");
  }
  return NGX_CONF_OK;
}

}  // namespace paperboy::nginx
