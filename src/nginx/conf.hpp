// What the directives say, as the handlers read it. Lives with its cycle; set
// up by directives.cpp, inherited by merge.cpp, and never changed after.
#pragma once

#include "nginx/ngx.hpp"

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "auth/csrf.hpp"
#include "auth/jwt.hpp"
#include "auth/opaque_table.hpp"
#include "auth/origin.hpp"
#include "auth/revocations.hpp"
#include "auth/secret.hpp"
#include "auth/signature_cache.hpp"
#include "broker/shm_file.hpp"
#include "hub/revoker.hpp"
#include "hub/rule.hpp"
#include "nginx/auth_request_conf.hpp"
#include "nginx/hook_conf.hpp"
#include "nginx/jwks_conf.hpp"
#include "nginx/limit_conf.hpp"
#include "nginx/log_format.hpp"
#include "nginx/redis_conf.hpp"
#include "session/settings.hpp"

namespace paperboy::nginx {

/// As `Slots`, for the http block.
struct MainSlots {
  ngx_msec_t drain = NGX_CONF_UNSET_MSEC;
  time_t revocation_ttl = NGX_CONF_UNSET;
  ngx_int_t max_revocations = NGX_CONF_UNSET;
  ngx_int_t max_opaque_tokens = NGX_CONF_UNSET;
  std::size_t max_opaque_token_size = NGX_CONF_UNSET_SIZE;
  RedisSlots redis_slots;
};

/// paperboy_redis_wait: how many replicas have to have a message.
struct RedisWait {
  std::uint32_t replicas;
  std::uint64_t ms;
};

/// paperboy_classic_redis.
struct ClassicConf {
  RedisConf redis;
  std::string name_space;           // of the channels that back ends speak of
  std::uint64_t requests = 10'000;  // that may wait for a back end
};

/// Whom embedded back ends may have called.
struct AllowedPeer {
  std::optional<ngx_cidr_t> network;  // none: `name`
  std::string name{};                 // in lower case
  in_port_t port = 0;                 // 0: any
};

/// paperboy_embedded_*.
struct EmbeddedConf {
  RedisConf wires;  // to callbacks
  auth::SecretBytes token;
  std::string name_space;  // of the channels that back ends speak of
  std::vector<AllowedPeer> callbacks;
  std::size_t max_callbacks = 64;
  std::size_t queue = 1000;        // posts that wait for a callback
  ngx_shm_zone_t* zone = nullptr;  // of the callbacks
  bool in_use = false;             // some location is for back ends
};

/// A rule as its directive says it.
struct RuleConf {
  std::string pattern;
  hub::Rule rule;
  bool replicas_set = false;
  Bytes needs_redis;  // a parameter that means nothing without; static
};

struct MainConf : MainSlots {
  ngx_str_t zone_name{};
  ngx_shm_zone_t* zone = nullptr;
  std::size_t zone_size = 0;  // bytes; 0: not configured
  std::size_t seats = 256;
  std::size_t log_size = 0;      // bytes; 0: a quarter of the zone
  std::size_t history_size = 0;  // bytes; 0: three quarters of the rest
  ngx_str_t zone_file{};         // empty: in memory
  bool in_use = false;           // some location needs the zone
  bool asks = false;             // some location is asked by us
  std::vector<std::unique_ptr<LogFormat>> log_formats;
  // Until the configuration is accepted; closed with it if it isn't.
  std::unique_ptr<broker::shm::ZoneFile> opened;
  std::vector<RuleConf> rule_confs;
  hub::RuleSet rules;                // made of them at the end
  std::unique_ptr<RedisConf> redis;  // null: there is none
  std::optional<RedisWait> redis_wait;
  std::unique_ptr<ClassicConf> classic;    // null: no back end is asked
  bool classic_in_use = false;             // some location speaks the protocol
  std::unique_ptr<EmbeddedConf> embedded;  // null: nothing is said of it
  std::vector<ChannelHook> channel_hooks;
  std::optional<std::size_t> token_cache_size;  // bytes; 0: off; none: not set
  std::vector<std::shared_ptr<const JwksConf>> jwks;
  bool has_public_keys = false;     // some location verifies with them
  std::size_t limit_zone_size = 0;  // bytes; 0: not set
  bool has_limits = false;          // some location limits something
  ngx_shm_zone_t* limit_zone = nullptr;
  auth::SignatureCache token_cache{};  // attached when the zones are made
  hub::RevocationLimits revocation_limits;
  // Attached when the zones are made; workers write to it.
  std::unique_ptr<auth::Revocations> revocations =
      std::make_unique<auth::Revocations>();

  bool takes_opaque = false;  // some location takes opaque tokens
  auth::OpaqueTable::Limits opaque_limits;
  // Attached when the zones are made, where some location does.
  std::unique_ptr<auth::OpaqueTable> opaque_table =
      std::make_unique<auth::OpaqueTable>();

  [[nodiscard]] bool has_back_end() const {
    return classic != nullptr || (embedded != nullptr && embedded->in_use);
  }
};

/// paperboy_csrf.
struct CsrfConf {
  auth::CsrfSecret secret;
  Value user = nullptr;           // whose tokens they are
  std::string argument = "csrf";  // of the URL of an upgrade
  time_t lifetime = 60;           // seconds, of tokens handed out
  bool messages = false;          // each shows one, too
};

/// A rule that is known, or a variable to read it from at each request.
struct Origin {
  std::optional<auth::OriginRule> rule;
  Value value = nullptr;
};

/// One place in a request where a token may stand.
struct TokenSource {
  bool subprotocol = false;  // an offered `bearer.<token>`
  Value value = nullptr;
};

/// Which pages of other origins may read what is answered.
struct Cors {
  bool on = false;
  bool credentials = false;  // cookies and passwords come along
  std::string headers =
      "Authorization, Content-Type, Idempotency-Key, Last-Event-ID, X-API-Key";
  time_t max_age_seconds = 600;  // of a preflight's answer
};

/// Which claims of a token are which; none: as by default.
struct ClaimNames {
  using Names = std::optional<std::vector<std::string>>;
  Names user;
  Names channels;
  Names scope;
  Names info;    // one
  Names expiry;  // one
  Names limits;  // one
};

/// paperboy_issuer.
struct IssuerConf {
  std::string name;
  std::shared_ptr<auth::KeySet> keys;
  std::optional<std::vector<std::string>> audiences;  // none: the location's
  ClaimNames claims;
  auth::TokenRules rules;  // made of the above and the location's
};

enum class TokenExpiry : ngx_uint_t { end, admit };
enum class AuthRequestFailure : ngx_uint_t { deny, allow };
enum class ClassicUnsubscribe : ngx_uint_t { connection, user };

/// The part that nginx's own slot functions fill in: standard layout.
struct Slots {
  ngx_flag_t client_publish = NGX_CONF_UNSET;
  ngx_flag_t opaque_tokens = NGX_CONF_UNSET;
  ngx_flag_t deflate_context_takeover = NGX_CONF_UNSET;
  ngx_flag_t classic_notify = NGX_CONF_UNSET;
  ngx_flag_t token_limits = NGX_CONF_UNSET;
  time_t classic_return = NGX_CONF_UNSET;
  ngx_uint_t classic_authorize = NGX_CONF_UNSET_UINT;
  ngx_uint_t classic_unsubscribe = NGX_CONF_UNSET_UINT;
  ngx_uint_t token_expiry = NGX_CONF_UNSET_UINT;
  ngx_uint_t auth_request_failure = NGX_CONF_UNSET_UINT;
  ngx_msec_t ping_interval = NGX_CONF_UNSET_MSEC;
  ngx_msec_t ping_timeout = NGX_CONF_UNSET_MSEC;
  ngx_msec_t send_timeout = NGX_CONF_UNSET_MSEC;
  ngx_msec_t close_timeout = NGX_CONF_UNSET_MSEC;
  ngx_msec_t connect_timeout = NGX_CONF_UNSET_MSEC;
  ngx_msec_t idempotency_window = NGX_CONF_UNSET_MSEC;
  ngx_msec_t sse_retry = NGX_CONF_UNSET_MSEC;
  ngx_uint_t sse_event = NGX_CONF_UNSET_UINT;
  time_t token_leeway = NGX_CONF_UNSET;
  std::size_t max_message_size = NGX_CONF_UNSET_SIZE;
  std::size_t send_buffer = NGX_CONF_UNSET_SIZE;
  std::size_t max_api_size = NGX_CONF_UNSET_SIZE;
  ngx_int_t max_api_commands = NGX_CONF_UNSET;
  ngx_int_t max_channel_length = NGX_CONF_UNSET;
  ngx_int_t max_subscriptions = NGX_CONF_UNSET;
  ngx_int_t max_history = NGX_CONF_UNSET;
  ngx_int_t max_commands = NGX_CONF_UNSET;
  ngx_int_t max_bad_tokens = NGX_CONF_UNSET;
  ngx_str_t token_issuer{};
  Value name_space = nullptr;
  Value user = nullptr;
  Value message = nullptr;
  Value idempotency_key = nullptr;
  Value scheme = nullptr;
  Value host = nullptr;
  Value require_tls = nullptr;
};

struct LocationConf : Slots {
  // What the location is. Not inherited.
  const dialect::Dialect* dialect = nullptr;
  bool publish = false;
  bool publish_any = false;
  bool api = false;
  bool api_any = false;
  bool broadcast = false;  // notiflux's
  bool embedded = false;   // back ends of the classic protocol
  bool status = false;
  bool ready = false;
  bool csrf_token = false;       // hands tokens out
  bool internal = false;         // nginx lets no client's request in
  ngx_uint_t answer_status = 0;  // of a publish; 0: the JSON answer
  Value answer_text = nullptr;

  // Lists are inherited as a whole, where a level has none of its own.
  std::optional<std::vector<Value>> channels;
  std::optional<std::vector<TokenSource>> token_sources;
  std::optional<std::vector<ngx_str_t>> subprotocols;
  std::optional<std::vector<std::string>> audiences;
  std::optional<std::vector<Origin>> own_origins;      // as set here
  std::shared_ptr<const std::vector<Origin>> origins;  // null: `same`
  std::shared_ptr<auth::KeySet> keys;  // null: not set here; empty: `off`
  std::optional<std::vector<IssuerConf>> issuer_confs;  // in place of keys
  ClaimNames claims;
  std::shared_ptr<std::vector<auth::SecretBytes>> api_keys;  // null: none
  std::shared_ptr<const AuthRequestConf> auth_request;  // null: nobody decides
  bool auth_request_set = false;
  std::shared_ptr<const HookConf> hook;  // null: nobody is told
  bool hook_set = false;
  std::shared_ptr<const CsrfConf> csrf;  // null: none is asked for
  bool csrf_set = false;
  std::optional<Cors> cors;
  bool require_tls_set = false;
  std::optional<ssize_t> deflate_threshold;  // bytes; -1: off

  LimitsConf limits;

  std::optional<Log> log;  // where connections are logged; none: `off`
  bool log_set = false;

  // Made of the above when the levels have been merged.
  auth::TokenRules token_rules;
  auth::TokenRules opaque_rules;
  auth::Issuers issuers;
  session::Settings settings;
  session::Settings agreed;  // where the dialect's subprotocol was agreed on

  [[nodiscard]] bool streams_events() const {
    return dialect != nullptr &&
           dialect->carrier() == dialect::Dialect::Carrier::event_stream;
  }
  /// A token is asked for.
  [[nodiscard]] bool keyed() const {
    return issuer_confs || (keys && !keys->empty()) || takes_opaque();
  }
  [[nodiscard]] bool takes_opaque() const { return opaque_tokens == 1; }

  /// Requests to it post something.
  [[nodiscard]] bool posts() const { return publish || api || broadcast; }
};

inline MainConf& main_conf(ngx_conf_t* cf) {
  return *static_cast<MainConf*>(
      ngx_http_conf_get_module_main_conf(cf, ngx_http_paperboy_module));
}

inline const LocationConf& location_conf(ngx_http_request_t* r) {
  return *static_cast<LocationConf*>(
      ngx_http_get_module_loc_conf(r, ngx_http_paperboy_module));
}

/// For the module's table.
void* create_main_conf(ngx_conf_t* cf);
void* create_location_conf(ngx_conf_t* cf);
char* merge_location_conf(ngx_conf_t* cf, void* parent, void* child);

extern ngx_command_t commands[];

}  // namespace paperboy::nginx
