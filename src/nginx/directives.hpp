// The setters behind the directives whose parameters nginx's own slot
// functions don't read. Each parses, and nothing else; errors name the file
// and line.
#pragma once

#include "nginx/ngx.hpp"

#include <span>

#include "nginx/conf.hpp"

namespace paperboy::nginx {

char* set_dialect(ngx_conf_t* cf, ngx_command_t* cmd, void* conf);
char* set_publish(ngx_conf_t* cf, ngx_command_t* cmd, void* conf);
char* set_publish_answer(ngx_conf_t* cf, ngx_command_t* cmd, void* conf);
char* set_broadcast(ngx_conf_t* cf, ngx_command_t* cmd, void* conf);
char* set_api(ngx_conf_t* cf, ngx_command_t* cmd, void* conf);
char* set_api_key(ngx_conf_t* cf, ngx_command_t* cmd, void* conf);
char* set_status(ngx_conf_t* cf, ngx_command_t* cmd, void* conf);
char* set_zone(ngx_conf_t* cf, ngx_command_t* cmd, void* conf);
char* set_channel_rule(ngx_conf_t* cf, ngx_command_t* cmd, void* conf);
char* set_redis(ngx_conf_t* cf, ngx_command_t* cmd, void* conf);
char* set_redis_wait(ngx_conf_t* cf, ngx_command_t* cmd, void* conf);
char* set_classic_redis(ngx_conf_t* cf, ngx_command_t* cmd, void* conf);
char* set_embedded(ngx_conf_t* cf, ngx_command_t* cmd, void* conf);
char* set_embedded_token(ngx_conf_t* cf, ngx_command_t* cmd, void* conf);
char* set_embedded_callbacks(ngx_conf_t* cf, ngx_command_t* cmd, void* conf);
char* set_embedded_timeout(ngx_conf_t* cf, ngx_command_t* cmd, void* conf);
char* set_embedded_number(ngx_conf_t* cf, ngx_command_t* cmd, void* conf);
char* set_embedded_namespace(ngx_conf_t* cf, ngx_command_t* cmd, void* conf);
char* set_ready(ngx_conf_t* cf, ngx_command_t* cmd, void* conf);
char* set_channel(ngx_conf_t* cf, ngx_command_t* cmd, void* conf);
char* set_origin(ngx_conf_t* cf, ngx_command_t* cmd, void* conf);
char* set_cors(ngx_conf_t* cf, ngx_command_t* cmd, void* conf);
char* set_jwt_key(ngx_conf_t* cf, ngx_command_t* cmd, void* conf);
char* set_jwks(ngx_conf_t* cf, ngx_command_t* cmd, void* conf);
char* set_issuer(ngx_conf_t* cf, ngx_command_t* cmd, void* conf);
char* set_token_claim(ngx_conf_t* cf, ngx_command_t* cmd, void* conf);
char* set_token_cache(ngx_conf_t* cf, ngx_command_t* cmd, void* conf);
char* set_token(ngx_conf_t* cf, ngx_command_t* cmd, void* conf);
char* set_subprotocol(ngx_conf_t* cf, ngx_command_t* cmd, void* conf);
char* set_audience(ngx_conf_t* cf, ngx_command_t* cmd, void* conf);
char* set_require_tls(ngx_conf_t* cf, ngx_command_t* cmd, void* conf);
char* set_auth_request(ngx_conf_t* cf, ngx_command_t* cmd, void* conf);
char* set_hook(ngx_conf_t* cf, ngx_command_t* cmd, void* conf);
char* set_csrf(ngx_conf_t* cf, ngx_command_t* cmd, void* conf);
char* set_csrf_token(ngx_conf_t* cf, ngx_command_t* cmd, void* conf);
char* set_deflate(ngx_conf_t* cf, ngx_command_t* cmd, void* conf);
char* set_limit_connections(ngx_conf_t* cf, ngx_command_t* cmd, void* conf);
char* set_limit_upgrades(ngx_conf_t* cf, ngx_command_t* cmd, void* conf);
char* set_limit_messages(ngx_conf_t* cf, ngx_command_t* cmd, void* conf);
char* set_limit_bytes(ngx_conf_t* cf, ngx_command_t* cmd, void* conf);
char* set_limit_bad_tokens(ngx_conf_t* cf, ngx_command_t* cmd, void* conf);
char* set_token_limits(ngx_conf_t* cf, ngx_command_t* cmd, void* conf);
char* set_limit_zone(ngx_conf_t* cf, ngx_command_t* cmd, void* conf);
char* set_log(ngx_conf_t* cf, ngx_command_t* cmd, void* conf);
char* set_log_format(ngx_conf_t* cf, ngx_command_t* cmd, void* conf);

/// When all directives have been read: what the rules and Redis say together.
ngx_int_t finish_rules(ngx_conf_t* cf);
ngx_int_t finish_redis(ngx_conf_t* cf);

/// The same of embedded back ends, and where their callbacks are kept.
ngx_int_t finish_embedded(ngx_conf_t* cf);

/// Whether it is that name's port.
[[nodiscard]] bool is_named(const AllowedPeer& peer, Bytes host,
                            in_port_t port);

/// Of a location that is for them; null: all is well.
char* check_embedded(ngx_conf_t* cf, const LocationConf& conf);

/// That of the http block; null: it has none.
ngx_resolver_t* find_resolver(ngx_conf_t* cf);

/// A Redis that is no broker, of `directive`'s parameters; null: all is well.
char* read_plain_redis(ngx_conf_t* cf, Bytes directive,
                       std::span<const Bytes> parameters,
                       broker::redis::Options& options);

/// Of a location whose dialect has a back end: what it says, by default too,
/// and what would be accepted and then not happen; null: nothing.
void default_classic(LocationConf& conf);
char* check_classic(ngx_conf_t* cf, const LocationConf& conf);

/// Null: what its directive says can happen here.
char* check_auth_request(ngx_conf_t* cf, const LocationConf& conf);
char* check_csrf(ngx_conf_t* cf, const LocationConf& conf);

/// Makes this directive's handler the location's.
char* install(ngx_conf_t* cf, ngx_http_handler_pt handler);

/// What `file=` or `env=` names; none: there is nothing.
std::optional<std::string> read_material(ngx_conf_t* cf,
                                         const ngx_str_t& place);

/// What the limits of a location become, once others are known; null: all is
/// well.
char* finish_limits(ngx_conf_t* cf, LocationConf& conf);

/// Of a location that is merged: whether its hook is told of channels.
void note_channel_hook(ngx_conf_t* cf, const LocationConf& conf);

/// Reports `text`, which continues `what: `, at the directive; for `return`.
char* conf_error(ngx_conf_t* cf, Bytes what, Bytes text);

/// `prefix=rest`, whose `prefix` has its sign: the rest; none: it isn't that.
[[nodiscard]] std::optional<Bytes> option(Bytes text, Bytes prefix);

// False: it is none, or is 0, or, of sizes and counts, more than `most`.
[[nodiscard]] bool read_time(Bytes text, ngx_msec_t& out);
[[nodiscard]] bool read_size(Bytes text, std::size_t most, std::size_t& out);
[[nodiscard]] bool read_count(Bytes text, std::size_t most, std::size_t& out);

/// `text` as a value with variables; null: already reported.
Value compile_value(ngx_conf_t* cf, const ngx_str_t& text);

inline constexpr Bytes kKeysOrIssuers =
    "a level has paperboy_issuer, or paperboy_jwt_key and paperboy_jwks, not "
    "both: put the keys into a paperboy_issuer";

/// Adds the key that the directive's parameters describe to `keys`.
char* add_key(ngx_conf_t* cf, auth::KeySet& keys);

/// And the key set that `given` describes.
char* add_jwks(ngx_conf_t* cf, std::span<const ngx_str_t> given,
               auth::KeySet& keys);

/// The directive's parameters, without its name.
inline std::span<ngx_str_t> parameters(ngx_conf_t* cf) {
  auto* const all = static_cast<ngx_str_t*>(cf->args->elts);
  return {all + 1, cf->args->nelts - 1};
}

}  // namespace paperboy::nginx
