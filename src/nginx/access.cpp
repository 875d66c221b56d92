#include "nginx/access.hpp"

#include <utility>

#include "auth/token_source.hpp"
#include "hub/key.hpp"
#include "nginx/admission.hpp"
#include "nginx/auth_request.hpp"
#include "nginx/handlers.hpp"
#include "nginx/origin.hpp"
#include "nginx/worker.hpp"
#include "ws/handshake.hpp"

namespace paperboy::nginx {

namespace {

/// A request without an origin. That of a publisher is no page's: its token or
/// the location's owner says whether it may.
bool admits_no_page(ngx_http_request_t* r, const LocationConf& conf) {
  return conf.posts() || conf.keyed() || admits_any(r, conf) ||
         (conf.streams_events() && may_be_own_page(r, conf));
}

bool has_body(ngx_http_request_t* r) {
  return r->headers_in.content_length_n > 0 || r->headers_in.chunked != 0;
}

/// The first place that has anything decides.
std::string find_token(ngx_http_request_t* r, const LocationConf& conf) {
  if (!conf.token_sources) return {};
  for (const TokenSource& source : *conf.token_sources) {
    if (!source.subprotocol) {
      const Bytes token = auth::token_from_header(evaluate(r, source.value));
      if (!token.empty()) return std::string(token);
      continue;
    }
    for (const Bytes offered : header_values(r, "Sec-WebSocket-Protocol")) {
      const Bytes token = auth::subprotocol_token(offered);
      if (!token.empty()) return std::string(token);
    }
  }
  return {};
}

ngx_int_t unauthorized(ngx_http_request_t* r, const LocationConf& conf,
                       Request& request, auth::TokenError error) {
  if (auth::is_undecided(error)) {
    return refuse(r, request, NGX_HTTP_SERVICE_UNAVAILABLE,
                  Counter::refused_capacity, "unavailable",
                  auth::token_error_text(error));
  }
  const bool missing = error == auth::TokenError::missing;
  if (auth::is_invented(error)) note_bad_token(r, conf);
  auto* const field =
      static_cast<ngx_table_elt_t*>(ngx_list_push(&r->headers_out.headers));
  if (field == nullptr) return NGX_HTTP_INTERNAL_SERVER_ERROR;
  *field = {};
  field->hash = 1;
  ngx_str_set(&field->key, "WWW-Authenticate");
  // RFC 6750 section 3.1: no error code where no token was shown.
  if (missing) {
    ngx_str_set(&field->value, "Bearer");
  } else {
    ngx_str_set(&field->value, "Bearer error=\"invalid_token\"");
  }
  r->headers_out.www_authenticate = field;
  return refuse(r, request, NGX_HTTP_UNAUTHORIZED, Counter::refused_token,
                "unauthorized", auth::token_error_text(error));
}

/// What is revoked; null: nothing is.
const auth::Revocations* revocations() {
  Worker* const worker = Worker::current();
  return worker != nullptr ? worker->context().revocations : nullptr;
}

/// Of a channel's key; none: as a whole.
bool is_revoked(ngx_http_request_t* r, const LocationConf& conf,
                const Identity& identity, Bytes key = {}) {
  const auth::Revocations* const all = revocations();
  if (all == nullptr || all->empty()) return false;
  const std::uint64_t space = all->number(evaluate(r, conf.name_space));
  const std::uint64_t user = all->number(identity.user);
  return key.empty() ? all->revokes(space, user, identity.mark, ngx_time())
                     : all->revokes(space, user, identity.mark,
                                    all->number(key), ngx_time());
}

/// Before any token opens anything: one that was revoked before this node began
/// would be let in.
ngx_int_t check_revocations_known(ngx_http_request_t* r, Request& request) {
  Worker* const worker = Worker::current();
  if (worker == nullptr || worker->revocations().known()) return NGX_OK;
  return refuse(r, request, NGX_HTTP_SERVICE_UNAVAILABLE,
                Counter::refused_capacity, "unavailable",
                "which tokens are revoked isn't known yet: try again");
}

/// Null: no location takes opaque tokens, or the worker has no seat.
auth::TokenStore* opaque_tokens() {
  Worker* const worker = Worker::current();
  return worker != nullptr ? worker->context().tokens : nullptr;
}

/// What it begins with says of which kind it is.
Result<auth::Token, auth::TokenError> verify(ngx_http_request_t* r,
                                             const LocationConf& conf,
                                             Bytes token) {
  if (!conf.takes_opaque() || !auth::is_opaque(token)) {
    return auth::verify(token, conf.issuers, ngx_time());
  }
  auth::TokenStore* const store = opaque_tokens();
  if (store == nullptr) return auth::TokenError::unknown_so_far;
  return store->find(evaluate(r, conf.name_space), token, conf.opaque_rules);
}

/// What a token that was good isn't any more; none: it still is.
std::optional<auth::TokenError> lapse(ngx_http_request_t* r,
                                      const LocationConf& conf,
                                      const Identity& identity) {
  using Standing = auth::OpaqueTable::Standing;
  auth::TokenStore* const store =
      identity.mark.opaque ? opaque_tokens() : nullptr;
  const Standing standing =
      store != nullptr ? store->keep(identity.mark.id) : Standing::good;
  if (standing == Standing::ended || is_revoked(r, conf, identity)) {
    return auth::TokenError::revoked;
  }
  if (identity.expires != 0 && identity.expires <= ngx_time()) {
    return auth::TokenError::expired;
  }
  if (standing == Standing::good || conf.settings.tokens_only_admit) return {};
  return auth::TokenError::unknown;
}

bool allows(const auth::Grants& grants, auth::Scope scope, Bytes channel) {
  return grants.names_channels() ? grants.allows(scope, channel)
                                 : grants.has(scope);
}

const hub::RuleSet& rules(ngx_http_request_t* r) {
  return static_cast<MainConf*>(
             ngx_http_get_module_main_conf(r, ngx_http_paperboy_module))
      ->rules;
}

/// Once a request, also where the access phase has refused it and another
/// module lets it in. A worker without a seat refuses everybody anyway.
ngx_int_t check_limits(ngx_http_request_t* r, const LocationConf& conf,
                       Request& request) {
  if (std::exchange(request.limited, true)) return NGX_OK;
  Worker* const worker = Worker::current();
  return worker == nullptr ? NGX_OK : worker->limits().check(r, conf, request);
}

/// Whether the channel is taken from the token.
bool is_taken(ngx_http_request_t* r, const LocationConf& conf,
              const Identity& identity, Bytes channel) {
  const auth::Revocations* const all = revocations();
  if (all == nullptr || all->empty()) return false;
  const auto key = hub::channel_key(evaluate(r, conf.name_space), channel,
                                    conf.settings.max_channel_length);
  return key && is_revoked(r, conf, identity, *key);
}

/// Is it a request that we can answer with a stream?
ngx_int_t check_stream_request(ngx_http_request_t* r, Request& request) {
  if ((r->method & (NGX_HTTP_GET | NGX_HTTP_HEAD)) == 0) {
    if (!add_header(r, "Allow", "GET, HEAD")) {
      return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }
    return refuse(r, request, NGX_HTTP_NOT_ALLOWED, Counter::refused_method,
                  "method_not_allowed", "a stream of events is read with GET");
  }
  if (!has_body(r)) return NGX_OK;
  return refuse(r, request, NGX_HTTP_BAD_REQUEST, Counter::refused_handshake,
                "bad_request", "this request has no body");
}

ngx_int_t check_form(ngx_http_request_t* r, const LocationConf& conf,
                     Request& request) {
  return conf.streams_events() ? check_stream_request(r, request)
                               : check_handshake(r, request);
}

/// Of a client that is to stay, in order; a back end comes last, and what it
/// says is heard when the phase is entered again.
ngx_int_t check_client_access(ngx_http_request_t* r, const LocationConf& conf,
                              Request& request) {
  if (request.question != nullptr) return hear_back_end(r, conf, request);
  ngx_int_t status = check_form(r, conf, request);
  if (status == NGX_OK) status = check_tls(r, conf, request);
  if (status == NGX_OK) status = check_limits(r, conf, request);
  if (status == NGX_OK) status = check_origin(r, conf, request);
  if (status != NGX_OK) return status;
  if (subscribes(conf)) request.channels = named_channels(r, conf);
  status = check_token(r, conf, request, auth::Scope::subscribe);
  return status == NGX_OK && conf.auth_request ? ask_back_end(r, conf, request)
                                               : status;
}

/// A page of a foreign origin may not publish with its reader's cookies.
/// `satisfied`: another module's word stands in for the token.
ngx_int_t check_publish_access(ngx_http_request_t* r, const LocationConf& conf,
                               Request& request, bool satisfied) {
  ngx_int_t status = check_tls(r, conf, request);
  if (status == NGX_OK) status = check_origin(r, conf, request);
  if (status != NGX_OK || conf.publish_any || satisfied) return status;
  request.channels = named_channels(r, conf);
  return check_token(r, conf, request, auth::Scope::publish);
}

/// The same of the API, whose key stands for a token.
ngx_int_t check_api_access(ngx_http_request_t* r, const LocationConf& conf,
                           Request& request, bool satisfied) {
  ngx_int_t status = check_tls(r, conf, request);
  if (status == NGX_OK) status = check_origin(r, conf, request);
  if (status != NGX_OK || conf.api_any || satisfied) return status;
  return check_api_key(r, conf, request);
}

/// And of a broadcast, whose token stands in its body.
ngx_int_t check_broadcast_access(ngx_http_request_t* r,
                                 const LocationConf& conf, Request& request) {
  const ngx_int_t status = check_tls(r, conf, request);
  return status == NGX_OK ? check_origin(r, conf, request) : status;
}

ngx_int_t check_post_access(ngx_http_request_t* r, const LocationConf& conf,
                            Request& request, bool satisfied) {
  const ngx_int_t status = check_limits(r, conf, request);
  if (status != NGX_OK) return status;
  if (conf.broadcast) return check_broadcast_access(r, conf, request);
  return conf.api ? check_api_access(r, conf, request, satisfied)
                  : check_publish_access(r, conf, request, satisfied);
}

}  // namespace

void note_bad_token(ngx_http_request_t* r, const LocationConf& conf) {
  if (Worker* const worker = Worker::current()) {
    worker->limits().note_bad_token(r, conf);
  }
}

ngx_int_t check_grants(ngx_http_request_t* r, Request& request,
                       auth::Scope scope) {
  for (const std::string& channel : request.channels) {
    const hub::Rule& rule = rules(r).find(channel);
    const bool open =
        scope == auth::Scope::subscribe &&
        opens(rule, rule.subscribe, channel, request.identity.user);
    const bool allowed = allows(request.identity.grants, scope, channel);
    const bool taken = allowed && !request.identity.granted &&
                       is_taken(r, location_conf(r), request.identity, channel);
    if (open || (allowed && !taken)) continue;
    if (taken) {
      return unauthorized(r, location_conf(r), request,
                          auth::TokenError::revoked);
    }
    return refuse(r, request, NGX_HTTP_FORBIDDEN, Counter::refused_channel,
                  "forbidden",
                  request.identity.granted
                      ? "the back end doesn't allow subscribing to this channel"
                  : scope == auth::Scope::publish
                      ? "the token doesn't allow publishing to this channel"
                      : "the token doesn't allow subscribing to this channel");
  }
  return NGX_OK;
}

ngx_int_t check_tls(ngx_http_request_t* r, const LocationConf& conf,
                    Request& request) {
  if (conf.require_tls == nullptr) return NGX_OK;
  const Bytes value = evaluate(r, conf.require_tls);
  if (value == "on" || value == "https" || value == "wss") return NGX_OK;
  return refuse(r, request, NGX_HTTP_FORBIDDEN, Counter::refused_tls,
                "tls_required", "this location is reached over TLS alone");
}

bool subscribes(const LocationConf& conf) {
  return conf.settings.dialect->location_channels() !=
         dialect::Dialect::LocationChannels::unused;
}

bool is_internal(ngx_http_request_t* r) {
  return r->internal != 0 && location_conf(r).internal;
}

ngx_int_t check_handshake(ngx_http_request_t* r, Request& request) {
  if (r->method == NGX_HTTP_GET && r->http_version > NGX_HTTP_VERSION_11) {
    return refuse(r, request, NGX_HTTP_VERSION_NOT_SUPPORTED,
                  Counter::refused_handshake, "bad_handshake",
                  "a WebSocket is opened over HTTP/1.1");
  }
  const auto headers = all_headers(r);
  auto upgrade =
      ws::check_upgrade({.method = bytes(r->method_name),
                         .http_major = static_cast<int>(r->http_version / 1000),
                         .http_minor = static_cast<int>(r->http_version % 1000),
                         .headers = headers});
  if (!upgrade) {
    const auto& why = upgrade.error();
    const bool method = why.status == NGX_HTTP_NOT_ALLOWED;
    if (why.status == 426 && !add_header(r, "Sec-WebSocket-Version", "13")) {
      return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }
    if (method && !add_header(r, "Allow", "GET")) {
      return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }
    return refuse(r, request, why.status,
                  method ? Counter::refused_method : Counter::refused_handshake,
                  method ? "method_not_allowed" : "bad_handshake", why.reason);
  }
  request.upgrade = std::move(*upgrade);
  if (!has_body(r)) return NGX_OK;
  return refuse(r, request, NGX_HTTP_BAD_REQUEST, Counter::refused_handshake,
                "bad_handshake", "an upgrade has no body");
}

ngx_int_t check_origin(ngx_http_request_t* r, const LocationConf& conf,
                       Request& request) {
  const Standing origin = standing(r, conf);
  const bool missing = origin == Standing::missing;
  if (missing ? admits_no_page(r, conf) : origin != Standing::foreign) {
    return NGX_OK;
  }
  return refuse(r, request, NGX_HTTP_FORBIDDEN, Counter::refused_origin,
                "origin",
                missing ? "requests without an origin aren't admitted here "
                          "(paperboy_origin)"
                        : "this origin isn't admitted (paperboy_origin)");
}

ngx_int_t check_token(ngx_http_request_t* r, const LocationConf& conf,
                      Request& request, auth::Scope scope) {
  if (!conf.keyed()) {
    if (scope == auth::Scope::subscribe) return NGX_OK;
    return refuse(r, request, NGX_HTTP_FORBIDDEN, Counter::refused_token,
                  "forbidden",
                  "no paperboy_jwt_key is configured, and the location is "
                  "neither internal nor \"paperboy_publish any\"");
  }
  const ngx_int_t known = check_revocations_known(r, request);
  if (known != NGX_OK) return known;
  const auto* const dialect = conf.settings.dialect;
  // Each subscription shows its own; until then nothing is open.
  if (scope == auth::Scope::subscribe && dialect->converses() &&
      !dialect->connects()) {
    return NGX_OK;
  }
  const std::string token = find_token(r, conf);
  if (token.empty()) {
    // The first command may bring it; until then nothing is open to it. Under
    // `satisfy any` somebody has to say yes or no now.
    const auto* const core = static_cast<ngx_http_core_loc_conf_t*>(
        ngx_http_get_module_loc_conf(r, ngx_http_core_module));
    const bool later = scope == auth::Scope::subscribe &&
                       dialect->converses() &&
                       core->satisfy != NGX_HTTP_SATISFY_ANY;
    if (later) return NGX_OK;
    return unauthorized(r, conf, request, auth::TokenError::missing);
  }
  return check_shown_token(r, conf, request, token, scope);
}

ngx_int_t check_shown_token(ngx_http_request_t* r, const LocationConf& conf,
                            Request& request, Bytes token, auth::Scope scope) {
  const auto verified = verify(r, conf, token);
  if (!verified) return unauthorized(r, conf, request, verified.error());
  const ngx_int_t known = check_revocations_known(r, request);
  if (known != NGX_OK) return known;
  Identity& identity = request.identity;
  identity.token = true;
  identity.user = user_of(r, conf, verified->user);
  identity.mark = auth::mark_of(revocations(), *verified);
  identity.limits = verified->limits;
  identity.info = verified->info;
  identity.grants = verified->grants;
  identity.subscriptions = verified->subscriptions;
  identity.expires =
      conf.settings.tokens_only_admit ? 0 : verified->expires.value_or(0);
  if (is_revoked(r, conf, identity)) {
    identity = {};
    return unauthorized(r, conf, request, auth::TokenError::revoked);
  }
  if (verified->opaque != 0) (void)opaque_tokens()->keep(verified->opaque);
  return check_grants(r, request, scope);
}

ngx_int_t check_token_still(ngx_http_request_t* r, const LocationConf& conf,
                            Request& request, auth::Scope scope) {
  if (!request.identity.token) return NGX_OK;
  const auto why = lapse(r, conf, request.identity);
  if (why) return unauthorized(r, conf, request, *why);
  const auth::Revocations* const all = revocations();
  const bool taken = all != nullptr && !all->empty();
  return taken ? check_grants(r, request, scope) : NGX_OK;
}

ngx_int_t require_access(ngx_http_request_t* r, const LocationConf& conf,
                         Request& request) {
  if (request.checked) {
    const ngx_int_t status =
        check_token_still(r, conf, request, auth::Scope::subscribe);
    return status == NGX_OK ? check_csrf(r, conf, request) : status;
  }
  const auto* const core = static_cast<ngx_http_core_loc_conf_t*>(
      ngx_http_get_module_loc_conf(r, ngx_http_core_module));
  if ((conf.keyed() || conf.auth_request) &&
      core->satisfy != NGX_HTTP_SATISFY_ANY) {
    return refuse(r, request, NGX_HTTP_FORBIDDEN, Counter::refused_token,
                  "forbidden", "the access phase didn't check this request");
  }
  request.refusal = {};
  ngx_int_t status = check_form(r, conf, request);
  if (status == NGX_OK) status = check_tls(r, conf, request);
  if (status == NGX_OK) status = check_limits(r, conf, request);
  if (status == NGX_OK) status = check_origin(r, conf, request);
  if (status == NGX_OK) status = check_csrf(r, conf, request);
  // Another module answers for who this is: no user, and no grants.
  request.identity = {};
  if (subscribes(conf)) request.channels = named_channels(r, conf);
  return status;
}

ngx_int_t require_publish_access(ngx_http_request_t* r,
                                 const LocationConf& conf, Request& request) {
  if (request.checked || is_internal(r)) return NGX_OK;
  const auto* const core = static_cast<ngx_http_core_loc_conf_t*>(
      ngx_http_get_module_loc_conf(r, ngx_http_core_module));
  request.refusal = {};
  request.identity = {};
  const bool satisfied = r == r->main &&
                         core->satisfy == NGX_HTTP_SATISFY_ANY &&
                         (conf.api ? conf.api_keys != nullptr : conf.keyed());
  return check_post_access(r, conf, request, satisfied);
}

ngx_int_t access_handler(ngx_http_request_t* r) {
  const LocationConf& conf = location_conf(r);
  const bool posts = conf.posts() && !is_internal(r);
  if (conf.dialect == nullptr && !posts) return NGX_DECLINED;
  Request* const request = Request::of(r);
  if (request == nullptr) return NGX_HTTP_INTERNAL_SERVER_ERROR;
  request->checked = false;
  const ngx_int_t status = posts ? check_post_access(r, conf, *request, false)
                                 : check_client_access(r, conf, *request);
  if (status != NGX_OK) return status;
  request->checked = true;
  // Without a key there is no opinion: under `satisfy any` an OK from here
  // would let in whom others keep out.
  const bool keyed = posts && conf.api && conf.api_keys && !conf.api_any;
  const Identity& who = request->identity;
  return who.token || who.answered || keyed ? NGX_OK : NGX_DECLINED;
}

}  // namespace paperboy::nginx
