// paperboy_embedded: the calls of back ends of the classic protocol that have
// no broker. Behind the location's prefix:
//
//   GET  instance              who we are; without a token, as connectors ask
//   POST subscribeTopic/TOPIC  registers where requests are to be posted
//   POST pushMessage/TOPIC     a message of a back end
#include <array>

#include <openssl/evp.h>
#include "auth/secret.hpp"
#include "nginx/asked.hpp"
#include "nginx/body.hpp"
#include "nginx/directives.hpp"
#include "nginx/embedded_desk.hpp"
#include "nginx/handlers.hpp"
#include "nginx/request.hpp"
#include "nginx/worker.hpp"

namespace paperboy::nginx {

namespace {

constexpr Bytes kTokenHeader = "PaperboyEmbeddedBackendToken";
constexpr Bytes kTextType = "text/plain";
constexpr std::size_t kMaxCallbackBody = 4096;

constexpr Error kCallbackTooLarge{ErrorCode::too_large,
                                  "the callback is larger than 4 KiB"};
constexpr Error kMessageTooLarge{
    ErrorCode::too_large,
    "the message is larger than paperboy_max_message_size"};
constexpr Error kNoCall{
    ErrorCode::not_found,
    "no such call; there are instance, subscribeTopic/TOPIC and "
    "pushMessage/TOPIC"};
constexpr Error kNoTopic{ErrorCode::not_found, "no such topic"};
constexpr Error kNoToken{
    ErrorCode::unauthorized,
    "no PaperboyEmbeddedBackendToken is shown, or another than that of "
    "paperboy_embedded_token"};
constexpr Error kForbidden{
    ErrorCode::forbidden,
    "the callback's address is none of paperboy_embedded_callbacks"};
constexpr Error kUnknownName{
    ErrorCode::forbidden,
    "the callback's name is none of paperboy_embedded_callbacks, and there is "
    "no resolver to ask for its address"};
constexpr Error kTooMany{
    ErrorCode::unavailable,
    "there are as many callbacks as paperboy_embedded_max_callbacks says"};
constexpr Error kNoSeat{ErrorCode::unavailable,
                        "this worker has no seat in the zone"};
constexpr Error kKeyTooLong{ErrorCode::bad_request,
                            "the idempotency key is longer than 256 bytes"};

enum class Verb : std::uint8_t { none, instance, subscribe, push };

struct Call {
  Verb verb = Verb::none;
  Bytes topic{};
};

ngx_int_t refuse_call(ngx_http_request_t* r, const Error& error) {
  const Counter counter = error.code == ErrorCode::unauthorized
                              ? Counter::refused_token
                              : Counter::publish_errors;
  return refuse(r, *Request::of(r), http_status(error.code), counter,
                error_name(error.code), error.message);
}

/// What stands behind the location's prefix.
Call read_call(ngx_http_request_t* r) {
  const auto* const core = static_cast<ngx_http_core_loc_conf_t*>(
      ngx_http_get_module_loc_conf(r, ngx_http_core_module));
  const Bytes prefix = bytes(core->name);
  Bytes rest = bytes(r->uri);
  if (!rest.starts_with(prefix)) return {};
  rest.remove_prefix(prefix.size());
  if (!prefix.ends_with('/')) {
    if (!rest.starts_with('/')) return {};
    rest.remove_prefix(1);
  }
  if (rest == "instance") return {.verb = Verb::instance};
  constexpr Bytes kSubscribe = "subscribeTopic/";
  constexpr Bytes kPush = "pushMessage/";
  if (rest.starts_with(kSubscribe)) {
    return {Verb::subscribe, rest.substr(kSubscribe.size())};
  }
  if (rest.starts_with(kPush)) return {Verb::push, rest.substr(kPush.size())};
  return {};
}

const EmbeddedConf& embedded_conf(ngx_http_request_t* r) {
  return *static_cast<MainConf*>(
              ngx_http_get_module_main_conf(r, ngx_http_paperboy_module))
              ->embedded;
}

bool shows_token(ngx_http_request_t* r) {
  const auto shown = header_value(r, kTokenHeader);
  return shown && auth::equal_secrets(*shown, embedded_conf(r).token.view());
}

ngx_int_t answer_done(ngx_http_request_t* r) {
  return answer(r, NGX_HTTP_OK, kTextType, "done");
}

// ---- subscribeTopic --------------------------------------------------------

/// Of a name that isn't listed the addresses are looked at when it is called.
Result<Done> check_callback(const EmbeddedConf& conf,
                            const backend::Callback& callback) {
  const broker::redis::Server server{.host = callback.host,
                                     .port = callback.port};
  if (const auto literal = literal_address(callback.host)) {
    const Address address = literal->with_port(callback.port);
    if (conf.wires.allows(server, address)) return Done{};
    return kForbidden;
  }
  for (const AllowedPeer& one : conf.callbacks) {
    if (is_named(one, callback.host, callback.port)) return Done{};
  }
  if (conf.wires.resolver == nullptr) return kUnknownName;
  if (conf.callbacks.empty()) return kForbidden;
  return Done{};
}

ngx_int_t subscribe(ngx_http_request_t* r) {
  const EmbeddedConf& conf = embedded_conf(r);
  const auto topic = backend::topic_number(read_call(r).topic);
  if (!topic) return refuse_call(r, kNoTopic);
  const auto body = read_body(r, kMaxCallbackBody, kCallbackTooLarge);
  if (!body) return refuse_call(r, body.error());
  const auto read = backend::read_callback(*topic, *body);
  if (!read) return refuse_call(r, read.error());
  const auto allowed = check_callback(conf, *read);
  if (!allowed) {
    const Error& error = allowed.error();
    const std::string why =
        std::string(error.message) + ": " + backend::url_of(*read);
    return refuse_call(r, {error.code, why});
  }
  if (!ZoneCallbacks(conf).add(*read)) return refuse_call(r, kTooMany);
  return answer_done(r);
}

// ---- pushMessage -----------------------------------------------------------

std::string digest_of(Bytes topic, Bytes text) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned int size = 0;
  const std::string all = std::string(topic).append(1, '\0').append(text);
  if (EVP_Digest(all.data(), all.size(), digest.data(), &size, EVP_sha256(),
                 nullptr) != 1) {
    return {};
  }
  return {reinterpret_cast<const char*>(digest.data()), size};
}

/// A connector writes to all nodes. Where they share a Redis, what has the same
/// time and text is the same message. Topics have keys of their own.
std::string key_of(ngx_http_request_t* r, Bytes given, Bytes topic,
                   Bytes text) {
  if (!given.empty()) return digest_of(topic, given);
  const auto& main = *static_cast<MainConf*>(
      ngx_http_get_module_main_conf(r, ngx_http_paperboy_module));
  if (!main.redis) return {};
  const auto known = backend::topic_of(topic);
  const bool timed =
      known && backend::read_body(*known, text) && backend::is_timed(text);
  return timed ? digest_of(topic, text) : std::string();
}

ngx_int_t push(ngx_http_request_t* r) {
  Worker& worker = *Worker::current();
  const LocationConf& conf = location_conf(r);
  const Bytes name = read_call(r).topic;
  const auto topic = backend::topic_number(name);
  if (!topic) return refuse_call(r, kNoTopic);
  auto text = read_body(r, conf.settings.max_message_size, kMessageTooLarge);
  if (!text) return refuse_call(r, text.error());
  const Bytes given = header_value(r, "Idempotency-Key").value_or(Bytes());
  if (given.size() > Draft::kMaxIdempotencyKey) {
    return refuse_call(r, kKeyTooLong);
  }
  std::string key = key_of(r, given, name, *text);
  const auto asked = Asked::begin(r);
  if (!asked) return NGX_HTTP_INTERNAL_SERVER_ERROR;
  worker.embedded()->push(*topic, std::move(*text), std::move(key),
                          [asked](const Result<Done>& outcome) {
                            asked->give([&outcome](ngx_http_request_t* r) {
                              return outcome ? answer_done(r)
                                             : refuse_call(r, outcome.error());
                            });
                          });
  return asked->wait();
}

/// What can be said before the body is read.
ngx_int_t check_post(ngx_http_request_t* r, const Call& call) {
  if (r->method != NGX_HTTP_POST) {
    if (!add_header(r, "Allow", "POST")) return NGX_ERROR;
    return refuse(r, *Request::of(r), NGX_HTTP_NOT_ALLOWED,
                  Counter::refused_method, "method_not_allowed",
                  "this is called with POST");
  }
  if (!shows_token(r)) return refuse_call(r, kNoToken);
  if (!backend::topic_number(call.topic)) return refuse_call(r, kNoTopic);
  Worker* const worker = Worker::current();
  if (worker == nullptr || worker->embedded() == nullptr) {
    return refuse_call(r, kNoSeat);
  }
  if (!is_sized(r)) {
    return refuse(r, *Request::of(r), NGX_HTTP_LENGTH_REQUIRED,
                  Counter::publish_errors, "length_required",
                  "the request names no Content-Length");
  }
  const bool pushes = call.verb == Verb::push;
  const std::size_t limit =
      pushes ? location_conf(r).settings.max_message_size : kMaxCallbackBody;
  if (r->headers_in.content_length_n > static_cast<off_t>(limit)) {
    return refuse_call(r, pushes ? kMessageTooLarge : kCallbackTooLarge);
  }
  return NGX_OK;
}

}  // namespace

ngx_int_t embedded_handler(ngx_http_request_t* r) {
  Request* const request = Request::of(r);
  if (request == nullptr) return NGX_HTTP_INTERNAL_SERVER_ERROR;
  const Call call = read_call(r);
  if (call.verb == Verb::none) return refuse_call(r, kNoCall);
  if (call.verb == Verb::instance) {
    const ngx_int_t status = require_get(r, *request);
    if (status != NGX_OK) return status;
    return answer(r, NGX_HTTP_OK, kTextType,
                  ZoneCallbacks(embedded_conf(r)).instance());
  }
  const ngx_int_t status = check_post(r, call);
  if (status != NGX_OK) return status;
  return call.verb == Verb::push ? when_read<push>(r) : when_read<subscribe>(r);
}

}  // namespace paperboy::nginx
