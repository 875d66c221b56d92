// How locations inherit, and what the merged values become.
#include <algorithm>
#include <limits>

#include "dialect/sse.hpp"
#include "nginx/conf.hpp"
#include "nginx/directives.hpp"
#include "nginx/handlers.hpp"

namespace paperboy::nginx {

namespace {

/// What they are by default depends on the location's dialect: they stay unset.
void inherit_unset(const Slots& parent, Slots& child) {
  for (const auto member :
       {&Slots::ping_interval, &Slots::ping_timeout, &Slots::connect_timeout}) {
    if (child.*member == NGX_CONF_UNSET_MSEC) child.*member = parent.*member;
  }
  if (child.token_expiry == NGX_CONF_UNSET_UINT) {
    child.token_expiry = parent.token_expiry;
  }
  if (child.token_leeway == NGX_CONF_UNSET) {
    child.token_leeway = parent.token_leeway;
  }
  if (child.token_issuer.data == nullptr) {
    child.token_issuer = parent.token_issuer;
  }
  if (child.classic_authorize == NGX_CONF_UNSET_UINT) {
    child.classic_authorize = parent.classic_authorize;
  }
}

void merge_limits(Slots& parent, Slots& child) {
  const session::Settings defaults;
  ngx_conf_merge_value(child.max_commands, parent.max_commands,
                       static_cast<ngx_int_t>(defaults.max_commands));
  ngx_conf_merge_value(child.max_bad_tokens, parent.max_bad_tokens,
                       static_cast<ngx_int_t>(defaults.max_bad_tokens));
  ngx_conf_merge_size_value(child.max_message_size, parent.max_message_size,
                            defaults.max_message_size);
  ngx_conf_merge_size_value(child.send_buffer, parent.send_buffer,
                            defaults.send_buffer);
  ngx_conf_merge_size_value(child.max_api_size, parent.max_api_size,
                            1024UL * 1024);
  ngx_conf_merge_value(child.max_api_commands, parent.max_api_commands, 10'000);
  ngx_conf_merge_value(child.max_channel_length, parent.max_channel_length,
                       static_cast<ngx_int_t>(defaults.max_channel_length));
  ngx_conf_merge_value(child.max_subscriptions, parent.max_subscriptions,
                       static_cast<ngx_int_t>(defaults.max_subscriptions));
  ngx_conf_merge_value(child.max_history, parent.max_history,
                       static_cast<ngx_int_t>(defaults.max_history));
}

void merge_slots(Slots& parent, Slots& child) {
  const session::Settings defaults;
  merge_limits(parent, child);
  ngx_conf_merge_value(child.client_publish, parent.client_publish, 0);
  ngx_conf_merge_value(child.opaque_tokens, parent.opaque_tokens, 0);
  ngx_conf_merge_value(child.deflate_context_takeover,
                       parent.deflate_context_takeover, 0);
  ngx_conf_merge_msec_value(child.send_timeout, parent.send_timeout,
                            defaults.send_timeout_ms);
  ngx_conf_merge_msec_value(child.close_timeout, parent.close_timeout,
                            defaults.close_timeout_ms);
  ngx_conf_merge_msec_value(child.sse_retry, parent.sse_retry,
                            defaults.retry_ms);
  ngx_conf_merge_uint_value(child.sse_event, parent.sse_event,
                            static_cast<ngx_uint_t>(dialect::EventNames::off));
  ngx_conf_merge_msec_value(child.idempotency_window, parent.idempotency_window,
                            Draft{}.idempotency_ms);
  ngx_conf_merge_uint_value(child.auth_request_failure,
                            parent.auth_request_failure,
                            static_cast<ngx_uint_t>(AuthRequestFailure::deny));
  ngx_conf_merge_value(child.token_limits, parent.token_limits, 0);
  ngx_conf_merge_value(child.classic_notify, parent.classic_notify, 0);
  ngx_conf_merge_value(child.classic_return, parent.classic_return, 60);
  ngx_conf_merge_uint_value(
      child.classic_unsubscribe, parent.classic_unsubscribe,
      static_cast<ngx_uint_t>(ClassicUnsubscribe::connection));
  for (const auto member :
       {&Slots::name_space, &Slots::user, &Slots::message,
        &Slots::idempotency_key, &Slots::scheme, &Slots::host}) {
    if (child.*member == nullptr) child.*member = parent.*member;
  }
}

template <typename T>
void inherit(const std::optional<T>& parent, std::optional<T>& child) {
  if (!child) child = parent;
}

/// Rules can't be copied: a level without its own shares its parent's.
void inherit_origins(LocationConf& parent, LocationConf& child) {
  for (LocationConf* conf : {&parent, &child}) {
    if (!conf->own_origins) continue;
    conf->origins = std::make_shared<const std::vector<Origin>>(
        std::move(*conf->own_origins));
    conf->own_origins.reset();
  }
  if (!child.origins) child.origins = parent.origins;
}

/// Keys and issuers are one list, which a level's own replaces.
void inherit_keys(const LocationConf& parent, LocationConf& child) {
  if (!child.keys && !child.issuer_confs) {
    child.keys = parent.keys;
    child.issuer_confs = parent.issuer_confs;
  }
  inherit(parent.claims.user, child.claims.user);
  inherit(parent.claims.channels, child.claims.channels);
  inherit(parent.claims.scope, child.claims.scope);
  inherit(parent.claims.info, child.claims.info);
  inherit(parent.claims.expiry, child.claims.expiry);
  inherit(parent.claims.limits, child.claims.limits);
}

const ngx_http_core_loc_conf_t& core_conf(ngx_conf_t* cf) {
  return *static_cast<ngx_http_core_loc_conf_t*>(
      ngx_http_conf_get_module_loc_conf(cf, ngx_http_core_module));
}

bool is_ours(ngx_http_handler_pt handler) {
  return handler == callback<upgrade_handler> ||
         handler == callback<event_stream_handler> ||
         handler == callback<publish_handler> ||
         handler == callback<broadcast_handler> ||
         handler == callback<embedded_handler> ||
         handler == callback<api_handler> ||
         handler == callback<status_handler> ||
         handler == callback<csrf_token_handler> ||
         handler == callback<ready_handler>;
}

/// `if` and `limit_except` make locations without a name, in which requests
/// of the surrounding one go on.
void inherit_kind(ngx_conf_t* cf, const LocationConf& parent,
                  LocationConf& child) {
  const auto& core = core_conf(cf);
  child.internal = core.internal != 0 || core.named != 0;
  if (core.noname == 0) return;
  child.internal = child.internal || parent.internal;
  // One that answers by itself is none of ours.
  if (core.handler != nullptr && !is_ours(core.handler)) return;
  child.dialect = parent.dialect;
  child.publish = parent.publish;
  child.publish_any = parent.publish_any;
  child.api = parent.api;
  child.api_any = parent.api_any;
  child.broadcast = parent.broadcast;
  child.embedded = parent.embedded;
  child.csrf_token = parent.csrf_token;
  child.answer_status = parent.answer_status;
  child.answer_text = parent.answer_text;
}

/// What would be accepted and then not happen; null: nothing.
char* check_handler(ngx_conf_t* cf, const LocationConf& conf) {
  const auto& core = core_conf(cf);
  const bool ours = conf.dialect != nullptr || conf.posts() || conf.embedded ||
                    conf.status || conf.ready || conf.csrf_token;
  if (ours && core.noname == 0 && !is_ours(core.handler)) {
    return conf_error(cf, "paperboy",
                      "another directive of the location answers its "
                      "requests");
  }
  if (conf.answer_status != 0 && !conf.publish) {
    return conf_error(cf, "paperboy_publish_answer",
                      "nothing is published here: paperboy_publish is missing");
  }
  return NGX_CONF_OK;
}

/// Every site could read with its reader's cookies; null: it can't.
char* check_cors(ngx_conf_t* cf, const LocationConf& conf) {
  const bool any =
      conf.origins && std::ranges::any_of(*conf.origins, [](const Origin& o) {
        return o.rule && o.rule->is_any();
      });
  const bool ours = conf.dialect != nullptr || conf.posts() || conf.csrf_token;
  if (!ours || !any || !conf.cors || !conf.cors->credentials)
    return NGX_CONF_OK;
  return conf_error(cf, "paperboy_cors credentials",
                    "not with paperboy_origin any: name the origins");
}

/// null: its dialect has the channels that it needs.
char* check_channels(ngx_conf_t* cf, const LocationConf& conf) {
  if (conf.dialect == nullptr || conf.channels ||
      conf.dialect->location_channels() !=
          dialect::Dialect::LocationChannels::needed) {
    return NGX_CONF_OK;
  }
  return conf_error(cf, conf.streams_events() ? "paperboy sse" : "paperboy raw",
                    "needs paperboy_channel to say which channels");
}

bool is_notiflux(const LocationConf& conf) {
  return conf.broadcast ||
         (conf.dialect != nullptr && conf.dialect == dialect::find("notiflux"));
}

/// null: who says that its clients show tokens has the keys for them.
char* check_keys(ngx_conf_t* cf, const LocationConf& conf) {
  if (!is_notiflux(conf) || conf.keyed()) return NGX_CONF_OK;
  return conf_error(
      cf, conf.broadcast ? "paperboy_notiflux_broadcast" : "paperboy notiflux",
      "needs paperboy_jwt_key to verify tokens with, or "
      "paperboy_opaque_tokens");
}

std::uint64_t or_default(ngx_msec_t given, std::uint64_t by_default) {
  return given == NGX_CONF_UNSET_MSEC ? by_default : given;
}

dialect::Defaults defaults_of(const LocationConf& conf) {
  if (is_notiflux(conf)) return dialect::find("notiflux")->defaults();
  return conf.dialect != nullptr ? conf.dialect->defaults()
                                 : dialect::Defaults{};
}

/// What depends on the dialect.
void make_times(LocationConf& conf) {
  const dialect::Defaults defaults = defaults_of(conf);
  session::Settings& settings = conf.settings;
  settings.ping_interval_ms =
      or_default(conf.ping_interval, defaults.ping_interval_ms);
  settings.ping_timeout_ms =
      or_default(conf.ping_timeout, defaults.ping_timeout_ms);
  settings.connect_timeout_ms =
      or_default(conf.connect_timeout, defaults.connect_timeout_ms);
  settings.tokens_only_admit =
      conf.token_expiry == NGX_CONF_UNSET_UINT
          ? defaults.tokens_only_admit
          : conf.token_expiry == static_cast<ngx_uint_t>(TokenExpiry::admit);
  conf.token_rules.leeway_seconds = conf.token_leeway == NGX_CONF_UNSET
                                        ? defaults.token_leeway_seconds
                                        : static_cast<int>(conf.token_leeway);
}

void make_settings(LocationConf& conf) {
  session::Settings& settings = conf.settings;
  settings.dialect = conf.dialect;
  if (conf.streams_events()) {
    const auto names = static_cast<dialect::EventNames>(conf.sse_event);
    settings.dialect = &dialect::sse(names);
  }
  settings.retry_ms = conf.sse_retry;
  settings.max_message_size = conf.max_message_size;
  settings.send_buffer = conf.send_buffer;
  settings.max_channel_length =
      static_cast<std::size_t>(conf.max_channel_length);
  settings.max_subscriptions = static_cast<std::size_t>(conf.max_subscriptions);
  settings.max_history = static_cast<std::size_t>(conf.max_history);
  settings.send_timeout_ms = conf.send_timeout;
  settings.close_timeout_ms = conf.close_timeout;
  make_times(conf);
  settings.client_publish = conf.client_publish != 0;
  settings.max_commands = static_cast<std::size_t>(conf.max_commands);
  settings.max_bad_tokens = static_cast<std::size_t>(conf.max_bad_tokens);
  const auto* const judge = conf.auth_request.get();
  settings.judge =
      judge != nullptr && judge->is_for_commands() ? judge : nullptr;
  settings.hook = conf.hook.get();
  settings.csrf =
      conf.csrf && conf.csrf->messages ? &conf.csrf->secret : nullptr;
  settings.admits_unjudged = conf.auth_request_failure ==
                             static_cast<ngx_uint_t>(AuthRequestFailure::allow);
  settings.issuers = conf.keyed() ? &conf.issuers : nullptr;
  settings.opaque = conf.takes_opaque() ? &conf.opaque_rules : nullptr;
  const ssize_t threshold = conf.deflate_threshold.value_or(-1);
  settings.deflate.enabled = threshold >= 0;
  if (threshold >= 0) {
    settings.deflate_threshold = static_cast<std::size_t>(threshold);
  }
  settings.deflate.server_context_takeover = conf.deflate_context_takeover != 0;
  settings.deflate.client_context_takeover = conf.deflate_context_takeover != 0;
}

void make_token_rules(LocationConf& conf) {
  conf.token_rules.issuer = conf.token_issuer.data != nullptr
                                ? bytes(conf.token_issuer)
                                : defaults_of(conf).token_issuer;
  conf.token_rules.audiences =
      conf.audiences.value_or(std::vector<std::string>());
  if (conf.token_limits != 0) conf.token_rules.limits_claim = "limits";
  if (!is_notiflux(conf)) return;
  conf.token_rules.user_claims = {"sub"};
  conf.token_rules.channel_claims = {"topic", "topics"};
  conf.token_rules.expiry_required = true;
  conf.token_rules.user_required = true;
  conf.token_rules.scope_required = true;
  conf.token_rules.exact = true;
}

void rename(const ClaimNames& claims, auth::TokenRules& rules) {
  rules.user_claims = claims.user.value_or(std::move(rules.user_claims));
  rules.channel_claims =
      claims.channels.value_or(std::move(rules.channel_claims));
  rules.scope_claims = claims.scope.value_or(std::move(rules.scope_claims));
  if (claims.info) rules.info_claim = claims.info->front();
  if (claims.expiry) rules.expiry_claim = claims.expiry->front();
  if (claims.limits && !rules.limits_claim.empty()) {
    rules.limits_claim = claims.limits->front();
  }
}

/// What is kept of them is named by us, and says for itself until when.
void make_opaque_rules(ngx_conf_t* cf, LocationConf& conf) {
  conf.opaque_rules.user_claims = {"sub"};
  conf.opaque_rules.channel_claims = {"channel", "channels"};
  conf.opaque_rules.limits_claim = "limits";
  conf.opaque_rules.user_required = conf.token_rules.user_required;
  conf.opaque_rules.scope_required = conf.token_rules.scope_required;
  conf.opaque_rules.exact = conf.token_rules.exact;
  if (conf.takes_opaque() && (conf.dialect != nullptr || conf.posts())) {
    main_conf(cf).takes_opaque = true;
    main_conf(cf).has_limits = true;  // one may have some
  }
}

/// Whom the location believes, when what its dialect asks for is known.
void make_issuers(LocationConf& conf) {
  rename(conf.claims, conf.token_rules);
  if (!conf.issuer_confs) {
    if (conf.keys && !conf.keys->empty())
      conf.issuers = {*conf.keys, conf.token_rules};
    return;
  }
  for (IssuerConf& issuer : *conf.issuer_confs) {
    issuer.rules = conf.token_rules;
    issuer.rules.issuer = issuer.name;
    if (issuer.audiences) issuer.rules.audiences = *issuer.audiences;
    rename(issuer.claims, issuer.rules);
    conf.issuers.add(*issuer.keys, issuer.rules);
  }
}

/// What nobody named, compiled from `text`.
bool default_value(ngx_conf_t* cf, Value& value, Bytes text) {
  if (value == nullptr) value = compile_value(cf, borrow(text));
  return value != nullptr;
}

bool default_sources(ngx_conf_t* cf, LocationConf& conf) {
  if (conf.token_sources) return true;
  conf.token_sources.emplace();
  for (const Bytes text : {"$http_authorization", "$arg_token"}) {
    TokenSource source;
    if (!default_value(cf, source.value, text)) return false;
    conf.token_sources->push_back(source);
  }
  conf.token_sources->push_back({.subprotocol = true, .value = nullptr});
  return true;
}

/// What only locations of ours need.
bool make_defaults(ngx_conf_t* cf, LocationConf& conf) {
  if (conf.dialect == nullptr && !conf.posts() && !conf.csrf_token) {
    return true;
  }
  if (conf.publish && !conf.channels) {
    Value channel = nullptr;
    if (!default_value(cf, channel, "$arg_channel")) return false;
    conf.channels.emplace({channel});
  }
  if ((conf.publish || conf.broadcast) &&
      !default_value(cf, conf.idempotency_key, "$http_idempotency_key")) {
    return false;
  }
  return default_value(cf, conf.scheme, "$scheme") &&
         default_value(cf, conf.host, "$http_host") &&
         default_sources(cf, conf);
}

/// Limits that could not work; null: all is well.
char* check_limits(ngx_conf_t* cf, const LocationConf& conf) {
  if (conf.max_channel_length < 1 || conf.max_channel_length > 512) {
    return conf_error(cf, "paperboy_max_channel_length",
                      "expected from 1 to 512 bytes");
  }
  if (conf.max_subscriptions < 1) {
    return conf_error(cf, "paperboy_max_subscriptions", "expected at least 1");
  }
  if (conf.max_history < 1 || conf.max_history > 1'000'000) {
    return conf_error(cf, "paperboy_max_history", "expected from 1 to 1000000");
  }
  if (conf.classic_return > 600) {
    return conf_error(cf, "paperboy_classic_return", "expected from 0 to 10m");
  }
  if (conf.max_commands < 1) {
    return conf_error(cf, "paperboy_max_commands", "expected at least 1");
  }
  if (conf.max_bad_tokens < 1) {
    return conf_error(cf, "paperboy_max_bad_tokens", "expected at least 1");
  }
  if (conf.token_leeway > std::numeric_limits<int>::max()) {
    return conf_error(cf, "paperboy_token_leeway", "too long");
  }
  if (conf.idempotency_window == 0) {
    return conf_error(cf, "paperboy_idempotency_window",
                      "expected a time above 0");
  }
  if (conf.max_api_size == 0 || conf.max_api_commands < 1) {
    return conf_error(cf, "paperboy_max_api_size, paperboy_max_api_commands",
                      "expected at least 1");
  }
  if (conf.max_message_size == 0 || conf.send_buffer == 0) {
    return conf_error(cf, "paperboy_max_message_size, paperboy_send_buffer",
                      "expected a size above 0");
  }
  // Where clients don't connect by a command, 0 turns it off.
  const bool connects = conf.dialect != nullptr && conf.dialect->connects();
  if (conf.ping_interval == 0 || conf.ping_timeout == 0 ||
      conf.send_timeout == 0 || conf.close_timeout == 0 ||
      (conf.connect_timeout == 0 && connects) || conf.sse_retry == 0) {
    return conf_error(cf,
                      "paperboy_ping_interval, paperboy_ping_timeout, "
                      "paperboy_send_timeout, paperboy_close_timeout, "
                      "paperboy_connect_timeout, paperboy_sse_retry",
                      "expected a time above 0");
  }
  return NGX_CONF_OK;
}

void inherit_all(ngx_conf_t* cf, LocationConf& parent, LocationConf& child) {
  merge_slots(parent, child);
  inherit_unset(parent, child);
  inherit(parent.channels, child.channels);
  inherit(parent.token_sources, child.token_sources);
  inherit(parent.subprotocols, child.subprotocols);
  inherit(parent.audiences, child.audiences);
  inherit(parent.cors, child.cors);
  inherit(parent.deflate_threshold, child.deflate_threshold);
  child.limits.inherit(parent.limits);
  inherit_origins(parent, child);
  inherit_kind(cf, parent, child);
  inherit_keys(parent, child);
  if (!child.api_keys) child.api_keys = parent.api_keys;
  if (!child.auth_request_set) child.auth_request = parent.auth_request;
  if (!child.hook_set) child.hook = parent.hook;
  if (!child.csrf_set) child.csrf = parent.csrf;
  if (!child.require_tls_set) child.require_tls = parent.require_tls;
  if (!child.log_set) child.log = parent.log;
}

}  // namespace

void* create_main_conf(ngx_conf_t* cf) {
  return make_in_pool<MainConf>(cf->pool);
}

void* create_location_conf(ngx_conf_t* cf) {
  return make_in_pool<LocationConf>(cf->pool);
}

char* merge_location_conf(ngx_conf_t* cf, void* parent_conf, void* child_conf) {
  auto& parent = *static_cast<LocationConf*>(parent_conf);
  auto& child = *static_cast<LocationConf*>(child_conf);
  inherit_all(cf, parent, child);
  if (!make_defaults(cf, child)) return static_cast<char*>(NGX_CONF_ERROR);
  if (char* const bad = check_handler(cf, child)) return bad;
  if (char* const bad = check_cors(cf, child)) return bad;
  if (char* const bad = check_limits(cf, child)) return bad;
  if (char* const bad = check_auth_request(cf, child)) return bad;
  if (char* const bad = check_csrf(cf, child)) return bad;
  if (char* const bad = finish_limits(cf, child)) return bad;
  make_settings(child);
  make_token_rules(child);
  default_classic(child);
  make_issuers(child);
  make_opaque_rules(cf, child);
  if (char* const bad = check_classic(cf, child)) return bad;
  if (char* const bad = check_embedded(cf, child)) return bad;
  child.agreed = child.settings;
  if (child.dialect != nullptr && child.settings.dialect->agreed() != nullptr) {
    child.agreed.dialect = child.settings.dialect->agreed();
  }
  note_channel_hook(cf, child);
  if (char* const bad = check_keys(cf, child)) return bad;
  return check_channels(cf, child);
}

}  // namespace paperboy::nginx
