// paperboy_notiflux_broadcast: a POST of {"topic","message","token"} becomes a
// publication in the topic's channel.
#include "api/broadcast.hpp"
#include "hub/key.hpp"
#include "nginx/access.hpp"
#include "nginx/asked.hpp"
#include "nginx/body.hpp"
#include "nginx/handlers.hpp"
#include "nginx/request.hpp"
#include "nginx/worker.hpp"
#include "ws/grammar.hpp"

namespace paperboy::nginx {

namespace {

constexpr Error kBodyTooLarge{ErrorCode::too_large,
                              "the body is larger than paperboy_max_api_size"};
constexpr Error kMessageTooLarge{
    ErrorCode::too_large,
    "the message is larger than paperboy_max_message_size"};
constexpr Error kKeyTooLong{ErrorCode::bad_request,
                            "the idempotency key is longer than 256 bytes"};

ngx_int_t refuse_broadcast(ngx_http_request_t* r, Request& request,
                           const Error& error) {
  return refuse(r, request, http_status(error.code), Counter::publish_errors,
                error_name(error.code), error.message);
}

/// RFC 9110 section 8.3.1: the case doesn't count, nor do parameters.
bool is_json_type(const ngx_http_request_t* r) {
  const auto* const field = r->headers_in.content_type;
  if (field == nullptr) return false;
  const Bytes all = bytes(field->value);
  return ws::equal_ignoring_case(ws::trim(all.substr(0, all.find(';'))),
                                 "application/json");
}

/// Method, type and length, before the body is read.
ngx_int_t check_request(ngx_http_request_t* r, const LocationConf& conf,
                        Request& request) {
  if (r->method != NGX_HTTP_POST) {
    if (!add_header(r, "Allow", "POST")) return NGX_ERROR;
    return refuse(r, request, NGX_HTTP_NOT_ALLOWED, Counter::refused_method,
                  "method_not_allowed", "a message is broadcast with POST");
  }
  if (!is_json_type(r)) {
    return refuse(r, request, NGX_HTTP_UNSUPPORTED_MEDIA_TYPE,
                  Counter::publish_errors, "unsupported_media_type",
                  "a broadcast is of type application/json");
  }
  if (r == r->main && !is_sized(r)) {
    return refuse(r, request, NGX_HTTP_LENGTH_REQUIRED, Counter::publish_errors,
                  "length_required", "the request names no Content-Length");
  }
  if (r->headers_in.content_length_n > static_cast<off_t>(conf.max_api_size)) {
    return refuse_broadcast(r, request, kBodyTooLarge);
  }
  return NGX_OK;
}

/// A broadcast until it is answered: what its draft borrows from.
struct Broadcasting {
  std::shared_ptr<Asked> asked;
  std::string channel;
  std::string message;
  std::string once;
};

ngx_int_t answer_outcome(ngx_http_request_t* r,
                         const Result<hub::Published>& outcome) {
  if (outcome) return answer(r, NGX_HTTP_OK, {}, {});
  Request& request = *Request::of(r);
  request.refusal = {};
  return refuse_broadcast(r, request, outcome.error());
}

ngx_int_t publish(const LocationConf& conf,
                  const std::shared_ptr<Broadcasting>& one) {
  const auto reply = [one](const Result<hub::Published>& outcome) {
    Worker* const worker = Worker::current();
    if (worker != nullptr && outcome && !outcome->repeated) {
      worker->context().counters.add(Counter::publications);
    }
    one->asked->give([&outcome](ngx_http_request_t* r) {
      return answer_outcome(r, outcome);
    });
  };
  Worker::current()->context().hub.publish(
      {.channel = one->channel,
       .data = one->message,
       .idempotency_key = one->once,
       .idempotency_ms = conf.idempotency_window},
      reply);
  return one->asked->wait();
}

ngx_int_t broadcast(ngx_http_request_t* r) {
  const LocationConf& conf = location_conf(r);
  Request& request = *Request::of(r);
  const auto body = read_body(r, conf.max_api_size, kBodyTooLarge);
  if (!body) return refuse_broadcast(r, request, body.error());
  auto read = api::read_broadcast(*body);
  if (!read) return refuse_broadcast(r, request, read.error());
  if (read->message.size() > conf.settings.max_message_size) {
    return refuse_broadcast(r, request, kMessageTooLarge);
  }
  const auto channel =
      hub::channel_key(evaluate(r, conf.name_space), read->topic,
                       conf.settings.max_channel_length);
  if (!channel) return refuse_broadcast(r, request, channel.error());
  const Bytes once = evaluate(r, conf.idempotency_key);
  if (once.size() > Draft::kMaxIdempotencyKey) {
    return refuse_broadcast(r, request, kKeyTooLong);
  }
  request.channels = {read->topic};
  const ngx_int_t status =
      check_shown_token(r, conf, request, read->token, auth::Scope::publish);
  if (status != NGX_OK) return status;
  const auto one = std::make_shared<Broadcasting>(Broadcasting{
      Asked::begin(r), *channel, std::move(read->message), std::string(once)});
  return one->asked ? publish(conf, one) : NGX_HTTP_INTERNAL_SERVER_ERROR;
}

}  // namespace

ngx_int_t broadcast_handler(ngx_http_request_t* r) {
  const LocationConf& conf = location_conf(r);
  Request* const request = Request::of(r);
  if (request == nullptr) return NGX_HTTP_INTERNAL_SERVER_ERROR;
  ngx_int_t status = require_publish_access(r, conf, *request);
  if (status == NGX_OK) status = check_request(r, conf, *request);
  if (status != NGX_OK) return status;
  if (Worker::current() == nullptr) {
    return refuse(r, *request, NGX_HTTP_SERVICE_UNAVAILABLE,
                  Counter::publish_errors, "unavailable",
                  "this worker has no seat in the zone");
  }
  return when_read<broadcast>(r);
}

}  // namespace paperboy::nginx
