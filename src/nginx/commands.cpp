// Every directive in one table: name, contexts, number of parameters, setter,
// where the value goes. docs/directives.md has a row for each.
#include "dialect/sse.hpp"
#include "nginx/conf.hpp"
#include "nginx/directives.hpp"

namespace paperboy::nginx {

namespace {

constexpr ngx_uint_t kAnywhere =
    NGX_HTTP_MAIN_CONF | NGX_HTTP_SRV_CONF | NGX_HTTP_LOC_CONF;

ngx_conf_enum_t token_expiry_values[] = {
    {ngx_string("end"), static_cast<ngx_uint_t>(TokenExpiry::end)},
    {ngx_string("admit"), static_cast<ngx_uint_t>(TokenExpiry::admit)},
    {ngx_null_string, 0},
};

ngx_conf_enum_t auth_request_failure_values[] = {
    {ngx_string("deny"), static_cast<ngx_uint_t>(AuthRequestFailure::deny)},
    {ngx_string("allow"), static_cast<ngx_uint_t>(AuthRequestFailure::allow)},
    {ngx_null_string, 0},
};

ngx_conf_enum_t classic_authorize_values[] = {
    {ngx_string("edge"),
     static_cast<ngx_uint_t>(session::Settings::Authorize::edge)},
    {ngx_string("backend"),
     static_cast<ngx_uint_t>(session::Settings::Authorize::back_end)},
    {ngx_null_string, 0},
};

ngx_conf_enum_t classic_unsubscribe_values[] = {
    {ngx_string("connection"),
     static_cast<ngx_uint_t>(ClassicUnsubscribe::connection)},
    {ngx_string("user"), static_cast<ngx_uint_t>(ClassicUnsubscribe::user)},
    {ngx_null_string, 0},
};

ngx_conf_enum_t sse_event_values[] = {
    {ngx_string("off"), static_cast<ngx_uint_t>(dialect::EventNames::off)},
    {ngx_string("channel"),
     static_cast<ngx_uint_t>(dialect::EventNames::channel)},
    {ngx_null_string, 0},
};

ngx_conf_bitmask_t ssl_protocols[] = {
    {ngx_string("TLSv1"), NGX_SSL_TLSv1},
    {ngx_string("TLSv1.1"), NGX_SSL_TLSv1_1},
    {ngx_string("TLSv1.2"), NGX_SSL_TLSv1_2},
    {ngx_string("TLSv1.3"), NGX_SSL_TLSv1_3},
    {ngx_null_string, 0},
};

using Setter = char* (*)(ngx_conf_t*, ngx_command_t*, void*);

/// A directive whose setter is ours.
constexpr ngx_command_t own(ngx_str_t name, ngx_uint_t type, Setter set,
                            ngx_uint_t offset = 0) {
  return {.name = name,
          .type = type,
          .set = set,
          .conf = NGX_HTTP_LOC_CONF_OFFSET,
          .offset = offset,
          .post = nullptr};
}

/// A directive whose value nginx puts into a slot.
constexpr ngx_command_t slot(ngx_str_t name, Setter set, ngx_uint_t offset,
                             void* post = nullptr) {
  return {.name = name,
          .type = kAnywhere | NGX_CONF_TAKE1,
          .set = set,
          .conf = NGX_HTTP_LOC_CONF_OFFSET,
          .offset = offset,
          .post = post};
}

/// The same in the http block alone.
constexpr ngx_command_t main_only(ngx_str_t name, ngx_uint_t arguments,
                                  Setter set, ngx_uint_t offset = 0,
                                  void* post = nullptr) {
  return {.name = name,
          .type = NGX_HTTP_MAIN_CONF | arguments,
          .set = set,
          .conf = NGX_HTTP_MAIN_CONF_OFFSET,
          .offset = offset,
          .post = post};
}

constexpr ngx_uint_t redis_slot(std::size_t offset) {
  return offsetof(MainSlots, redis_slots) + offset;
}

}  // namespace

ngx_command_t commands[] = {
    // what a location is
    own(ngx_string("paperboy"),
        NGX_HTTP_LOC_CONF | NGX_CONF_NOARGS | NGX_CONF_TAKE1,
        callback<set_dialect>),
    own(ngx_string("paperboy_publish"),
        NGX_HTTP_LOC_CONF | NGX_CONF_NOARGS | NGX_CONF_TAKE1,
        callback<set_publish>),
    own(ngx_string("paperboy_publish_answer"),
        NGX_HTTP_LOC_CONF | NGX_CONF_TAKE12, callback<set_publish_answer>),
    own(ngx_string("paperboy_notiflux_broadcast"),
        NGX_HTTP_LOC_CONF | NGX_CONF_NOARGS, callback<set_broadcast>),
    own(ngx_string("paperboy_api"),
        NGX_HTTP_LOC_CONF | NGX_CONF_NOARGS | NGX_CONF_TAKE1,
        callback<set_api>),
    own(ngx_string("paperboy_status"), NGX_HTTP_LOC_CONF | NGX_CONF_NOARGS,
        callback<set_status>),

    own(ngx_string("paperboy_ready"), NGX_HTTP_LOC_CONF | NGX_CONF_NOARGS,
        callback<set_ready>),

    // channels
    main_only(ngx_string("paperboy_zone"), NGX_CONF_2MORE, callback<set_zone>),
    own(ngx_string("paperboy_channel"), kAnywhere | NGX_CONF_1MORE,
        callback<set_channel>),
    slot(ngx_string("paperboy_namespace"), ngx_http_set_complex_value_slot,
         offsetof(Slots, name_space)),
    slot(ngx_string("paperboy_user"), ngx_http_set_complex_value_slot,
         offsetof(Slots, user)),
    slot(ngx_string("paperboy_message"), ngx_http_set_complex_value_slot,
         offsetof(Slots, message)),
    slot(ngx_string("paperboy_idempotency_key"),
         ngx_http_set_complex_value_slot, offsetof(Slots, idempotency_key)),
    slot(ngx_string("paperboy_idempotency_window"), ngx_conf_set_msec_slot,
         offsetof(Slots, idempotency_window)),
    slot(ngx_string("paperboy_max_channel_length"), ngx_conf_set_num_slot,
         offsetof(Slots, max_channel_length)),
    slot(ngx_string("paperboy_max_subscriptions"), ngx_conf_set_num_slot,
         offsetof(Slots, max_subscriptions)),
    main_only(ngx_string("paperboy_channel_rule"), NGX_CONF_2MORE,
              callback<set_channel_rule>),
    slot(ngx_string("paperboy_max_history"), ngx_conf_set_num_slot,
         offsetof(Slots, max_history)),
    slot(ngx_string("paperboy_client_publish"), ngx_conf_set_flag_slot,
         offsetof(Slots, client_publish)),

    // who may
    own(ngx_string("paperboy_origin"), kAnywhere | NGX_CONF_1MORE,
        callback<set_origin>),
    own(ngx_string("paperboy_cors"), kAnywhere | NGX_CONF_1MORE,
        callback<set_cors>),
    slot(ngx_string("paperboy_scheme"), ngx_http_set_complex_value_slot,
         offsetof(Slots, scheme)),
    slot(ngx_string("paperboy_host"), ngx_http_set_complex_value_slot,
         offsetof(Slots, host)),
    own(ngx_string("paperboy_require_tls"), kAnywhere | NGX_CONF_TAKE1,
        callback<set_require_tls>),
    own(ngx_string("paperboy_jwt_key"), kAnywhere | NGX_CONF_TAKE1234,
        callback<set_jwt_key>),
    own(ngx_string("paperboy_jwks"), kAnywhere | NGX_CONF_1MORE,
        callback<set_jwks>),
    own(ngx_string("paperboy_issuer"),
        kAnywhere | NGX_CONF_BLOCK | NGX_CONF_TAKE1, callback<set_issuer>),
    own(ngx_string("paperboy_token_claim"), kAnywhere | NGX_CONF_2MORE,
        callback<set_token_claim>),
    main_only(ngx_string("paperboy_token_cache"), NGX_CONF_TAKE1,
              callback<set_token_cache>),
    main_only(ngx_string("paperboy_revocation_ttl"), NGX_CONF_TAKE1,
              ngx_conf_set_sec_slot, offsetof(MainSlots, revocation_ttl)),
    main_only(ngx_string("paperboy_max_revocations"), NGX_CONF_TAKE1,
              ngx_conf_set_num_slot, offsetof(MainSlots, max_revocations)),
    slot(ngx_string("paperboy_opaque_tokens"), ngx_conf_set_flag_slot,
         offsetof(Slots, opaque_tokens)),
    main_only(ngx_string("paperboy_max_opaque_tokens"), NGX_CONF_TAKE1,
              ngx_conf_set_num_slot, offsetof(MainSlots, max_opaque_tokens)),
    main_only(ngx_string("paperboy_max_opaque_token_size"), NGX_CONF_TAKE1,
              ngx_conf_set_size_slot,
              offsetof(MainSlots, max_opaque_token_size)),
    own(ngx_string("paperboy_api_key"), kAnywhere | NGX_CONF_TAKE1,
        callback<set_api_key>),
    own(ngx_string("paperboy_token"), kAnywhere | NGX_CONF_1MORE,
        callback<set_token>),
    slot(ngx_string("paperboy_token_issuer"), ngx_conf_set_str_slot,
         offsetof(Slots, token_issuer)),
    own(ngx_string("paperboy_token_audience"), kAnywhere | NGX_CONF_1MORE,
        callback<set_audience>),
    slot(ngx_string("paperboy_token_leeway"), ngx_conf_set_sec_slot,
         offsetof(Slots, token_leeway)),
    own(ngx_string("paperboy_token_limits"), kAnywhere | NGX_CONF_FLAG,
        callback<set_token_limits>, offsetof(Slots, token_limits)),
    slot(ngx_string("paperboy_token_expiry"), ngx_conf_set_enum_slot,
         offsetof(Slots, token_expiry), token_expiry_values),
    own(ngx_string("paperboy_csrf"), kAnywhere | NGX_CONF_1MORE,
        callback<set_csrf>),
    own(ngx_string("paperboy_csrf_token"), NGX_HTTP_LOC_CONF | NGX_CONF_NOARGS,
        callback<set_csrf_token>),
    own(ngx_string("paperboy_auth_request"),
        NGX_HTTP_SRV_CONF | NGX_HTTP_LOC_CONF | NGX_CONF_1MORE,
        callback<set_auth_request>),
    slot(ngx_string("paperboy_auth_request_failure"), ngx_conf_set_enum_slot,
         offsetof(Slots, auth_request_failure), auth_request_failure_values),
    own(ngx_string("paperboy_hook"),
        NGX_HTTP_SRV_CONF | NGX_HTTP_LOC_CONF | NGX_CONF_1MORE,
        callback<set_hook>),
    own(ngx_string("paperboy_subprotocol"), kAnywhere | NGX_CONF_1MORE,
        callback<set_subprotocol>),

    // limits and times of a connection
    slot(ngx_string("paperboy_max_message_size"), ngx_conf_set_size_slot,
         offsetof(Slots, max_message_size)),
    slot(ngx_string("paperboy_max_api_size"), ngx_conf_set_size_slot,
         offsetof(Slots, max_api_size)),
    slot(ngx_string("paperboy_max_api_commands"), ngx_conf_set_num_slot,
         offsetof(Slots, max_api_commands)),
    slot(ngx_string("paperboy_send_buffer"), ngx_conf_set_size_slot,
         offsetof(Slots, send_buffer)),
    slot(ngx_string("paperboy_send_timeout"), ngx_conf_set_msec_slot,
         offsetof(Slots, send_timeout)),
    slot(ngx_string("paperboy_ping_interval"), ngx_conf_set_msec_slot,
         offsetof(Slots, ping_interval)),
    slot(ngx_string("paperboy_ping_timeout"), ngx_conf_set_msec_slot,
         offsetof(Slots, ping_timeout)),
    slot(ngx_string("paperboy_close_timeout"), ngx_conf_set_msec_slot,
         offsetof(Slots, close_timeout)),

    slot(ngx_string("paperboy_connect_timeout"), ngx_conf_set_msec_slot,
         offsetof(Slots, connect_timeout)),
    slot(ngx_string("paperboy_max_commands"), ngx_conf_set_num_slot,
         offsetof(Slots, max_commands)),
    slot(ngx_string("paperboy_max_bad_tokens"), ngx_conf_set_num_slot,
         offsetof(Slots, max_bad_tokens)),
    own(ngx_string("paperboy_limit_connections"), kAnywhere | NGX_CONF_TAKE12,
        callback<set_limit_connections>),
    own(ngx_string("paperboy_limit_upgrades"), kAnywhere | NGX_CONF_TAKE123,
        callback<set_limit_upgrades>),
    own(ngx_string("paperboy_limit_messages"), kAnywhere | NGX_CONF_TAKE123,
        callback<set_limit_messages>),
    own(ngx_string("paperboy_limit_bytes"), kAnywhere | NGX_CONF_TAKE123,
        callback<set_limit_bytes>),
    own(ngx_string("paperboy_limit_bad_tokens"), kAnywhere | NGX_CONF_TAKE123,
        callback<set_limit_bad_tokens>),
    main_only(ngx_string("paperboy_limit_zone"), NGX_CONF_TAKE1,
              callback<set_limit_zone>),
    main_only(ngx_string("paperboy_drain"), NGX_CONF_TAKE1,
              ngx_conf_set_msec_slot, offsetof(MainSlots, drain)),

    // the classic protocol
    main_only(ngx_string("paperboy_classic_redis"), NGX_CONF_1MORE,
              callback<set_classic_redis>),
    own(ngx_string("paperboy_embedded"), NGX_HTTP_LOC_CONF | NGX_CONF_NOARGS,
        callback<set_embedded>),
    main_only(ngx_string("paperboy_embedded_token"), NGX_CONF_TAKE1,
              callback<set_embedded_token>),
    main_only(ngx_string("paperboy_embedded_callbacks"), NGX_CONF_1MORE,
              callback<set_embedded_callbacks>),
    main_only(ngx_string("paperboy_embedded_timeout"), NGX_CONF_TAKE1,
              callback<set_embedded_timeout>),
    main_only(ngx_string("paperboy_embedded_max_callbacks"), NGX_CONF_TAKE1,
              callback<set_embedded_number>),
    main_only(ngx_string("paperboy_embedded_queue"), NGX_CONF_TAKE1,
              callback<set_embedded_number>),
    main_only(ngx_string("paperboy_embedded_namespace"), NGX_CONF_TAKE1,
              callback<set_embedded_namespace>),
    slot(ngx_string("paperboy_classic_authorize"), ngx_conf_set_enum_slot,
         offsetof(Slots, classic_authorize), classic_authorize_values),
    slot(ngx_string("paperboy_classic_notify"), ngx_conf_set_flag_slot,
         offsetof(Slots, classic_notify)),
    slot(ngx_string("paperboy_classic_unsubscribe"), ngx_conf_set_enum_slot,
         offsetof(Slots, classic_unsubscribe), classic_unsubscribe_values),
    slot(ngx_string("paperboy_classic_return"), ngx_conf_set_sec_slot,
         offsetof(Slots, classic_return)),

    // streams of events
    slot(ngx_string("paperboy_sse_event"), ngx_conf_set_enum_slot,
         offsetof(Slots, sse_event), sse_event_values),
    slot(ngx_string("paperboy_sse_retry"), ngx_conf_set_msec_slot,
         offsetof(Slots, sse_retry)),

    // Redis
    main_only(ngx_string("paperboy_redis"), NGX_CONF_1MORE,
              callback<set_redis>),
    main_only(ngx_string("paperboy_redis_wait"), NGX_CONF_TAKE2,
              callback<set_redis_wait>),
    main_only(ngx_string("paperboy_redis_ssl_verify"), NGX_CONF_FLAG,
              ngx_conf_set_flag_slot,
              redis_slot(offsetof(RedisSlots, ssl_verify))),
    main_only(ngx_string("paperboy_redis_ssl_trusted_certificate"),
              NGX_CONF_TAKE1, ngx_conf_set_str_slot,
              redis_slot(offsetof(RedisSlots, ssl_trusted_certificate))),
    main_only(ngx_string("paperboy_redis_ssl_name"), NGX_CONF_TAKE1,
              ngx_conf_set_str_slot,
              redis_slot(offsetof(RedisSlots, ssl_name))),
    main_only(ngx_string("paperboy_redis_ssl_certificate"), NGX_CONF_TAKE1,
              ngx_conf_set_str_slot,
              redis_slot(offsetof(RedisSlots, ssl_certificate))),
    main_only(ngx_string("paperboy_redis_ssl_certificate_key"), NGX_CONF_TAKE1,
              ngx_conf_set_str_slot,
              redis_slot(offsetof(RedisSlots, ssl_certificate_key))),
    main_only(ngx_string("paperboy_redis_ssl_protocols"), NGX_CONF_1MORE,
              ngx_conf_set_bitmask_slot,
              redis_slot(offsetof(RedisSlots, ssl_protocols)), ssl_protocols),

    // compression
    own(ngx_string("paperboy_deflate"), kAnywhere | NGX_CONF_TAKE1,
        callback<set_deflate>),
    slot(ngx_string("paperboy_deflate_context_takeover"),
         ngx_conf_set_flag_slot, offsetof(Slots, deflate_context_takeover)),

    // logs
    own(ngx_string("paperboy_log"), kAnywhere | NGX_CONF_TAKE12,
        callback<set_log>),
    main_only(ngx_string("paperboy_log_format"), NGX_CONF_2MORE,
              callback<set_log_format>),

    ngx_null_command,
};

}  // namespace paperboy::nginx
