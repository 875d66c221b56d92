// paperboy_publish: a request becomes a publication in each channel that the
// location names.
//
// A client POSTs the message. From an internal location also a GET publishes,
// since X-Accel-Redirect and error_page make one of everything: its message is
// paperboy_message, or else the body of the client's request.
#include <charconv>
#include <cstdint>
#include <iterator>

#include "base/json_text.hpp"
#include "base/utf8.hpp"
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

constexpr Bytes kJsonType = "application/json";
constexpr Error kTooLarge{
    ErrorCode::too_large,
    "the message is larger than paperboy_max_message_size"};

/// Of what is answered for a channel, beside its name.
constexpr std::size_t kOutcomeSize = 80;  // bytes

constexpr Error kOpen{ErrorCode::internal, "not answered yet"};

struct Outcome {
  Bytes channel;  // its name; as long as the request
  Result<hub::Published> result;
};

ngx_int_t refuse_publish(ngx_http_request_t* r, Request& request,
                         ngx_int_t status, Bytes error, Bytes message) {
  return refuse(r, request, status, Counter::publish_errors, error, message);
}

ngx_int_t refuse_error(ngx_http_request_t* r, Request& request,
                       const Error& error) {
  return refuse_publish(r, request, http_status(error.code),
                        error_name(error.code), error.message);
}

ngx_int_t method_refused(ngx_http_request_t* r, Request& request) {
  if (!add_header(r, "Allow", "POST")) return NGX_ERROR;
  return refuse(r, request, NGX_HTTP_NOT_ALLOWED, Counter::refused_method,
                "method_not_allowed", "a message is published with POST");
}

/// Method and length, before the body is read.
ngx_int_t check_request(ngx_http_request_t* r, const LocationConf& conf,
                        Request& request) {
  if (is_internal(r)) return NGX_OK;
  if (r->method != NGX_HTTP_POST) return method_refused(r, request);
  if (r == r->main && !is_sized(r) && conf.message == nullptr) {
    return refuse_publish(r, request, NGX_HTTP_LENGTH_REQUIRED,
                          "length_required",
                          "the request names no Content-Length");
  }
  return NGX_OK;
}

/// RFC 9110 section 8.3.1: the case doesn't count, nor do parameters.
bool is_binary(Bytes content_type) {
  const Bytes type = content_type.substr(0, content_type.find(';'));
  return ws::equal_ignoring_case(ws::trim(type), "application/octet-stream");
}

/// The message, perhaps in `room`, and whether it is text.
Result<Bytes> read_message(ngx_http_request_t* r, const LocationConf& conf,
                           Kind& kind, std::string& room) {
  const std::size_t limit = conf.settings.max_message_size;
  if (conf.message != nullptr) {
    const Bytes message = evaluate(r, conf.message);
    if (message.size() > limit) return kTooLarge;
    return message;
  }
  const auto* const type = r->headers_in.content_type;
  if (type != nullptr && is_binary(bytes(type->value))) kind = Kind::binary;
  return borrow_body(r, limit, kTooLarge, room);
}

void append_number(std::string& out, std::uint64_t number, int base = 10) {
  char digits[20];
  const auto end =
      std::to_chars(std::begin(digits), std::end(digits), number, base);
  out.append(std::begin(digits), end.ptr);
}

/// Its epoch as epoch_text has it.
void append_done(std::string& out, const hub::Published& done) {
  out += R"(,"epoch":")";
  append_number(out, done.position.epoch, 16);
  out += R"(","offset":)";
  append_number(out, done.position.offset);
  out += R"(,"subscribers":)";
  append_number(out, done.subscribers);
  if (done.repeated) out += R"(,"repeated":true)";
}

void append_error(std::string& out, const Error& error) {
  out += R"(,"error":)";
  append_json_string(out, error_name(error.code));
  out += R"(,"message":)";
  append_json_string(out, error.message);
}

/// As text: a publish is answered more often than anything else is made.
void append_outcome(std::string& out, const Outcome& outcome) {
  out += R"({"channel":)";
  append_json_string(out, outcome.channel);
  if (outcome.result) {
    append_done(out, *outcome.result);
  } else {
    append_error(out, outcome.result.error());
  }
  out += '}';
}

ngx_int_t answer_outcomes(ngx_http_request_t* r, const LocationConf& conf,
                          const std::vector<Outcome>& outcomes) {
  if (conf.answer_status != 0) {
    return answer(r, conf.answer_status, "text/plain",
                  evaluate(r, conf.answer_text));
  }
  std::string text;
  text.reserve(outcomes.size() * (outcomes[0].channel.size() + kOutcomeSize));
  for (const Outcome& outcome : outcomes) {
    text += text.empty() ? "" : ",";
    append_outcome(text, outcome);
  }
  if (outcomes.size() != 1) text = '[' + text + ']';
  return answer(r, NGX_HTTP_OK, kJsonType, text);
}

/// A request's publications, until each is answered.
struct Publishing : Asked {
  using Asked::Asked;

  std::vector<Outcome> outcomes;  // as the location names the channels
  std::size_t open = 0;
};

ngx_int_t answer_all(ngx_http_request_t* r, const Publishing& all) {
  if (all.outcomes.size() > 1 || all.outcomes[0].result) {
    return answer_outcomes(r, location_conf(r), all.outcomes);
  }
  Request& request = *Request::of(r);
  request.refusal = {};
  return refuse_error(r, request, all.outcomes[0].result.error());
}

void note_outcome(Publishing& all, std::size_t index,
                  const Result<hub::Published>& result) {
  if (Worker* const worker = Worker::current()) {
    // That of a single channel is counted as the request's refusal.
    Counters& counters = worker->context().counters;
    if (result) {
      counters.add(Counter::publications, result->repeated ? 0 : 1);
    } else if (all.outcomes.size() > 1) {
      counters.add(Counter::publish_errors);
    }
  }
  all.outcomes[index].result = result;
  if (--all.open > 0) return;
  all.give([&all](ngx_http_request_t* r) { return answer_all(r, all); });
}

/// Each in turn, whatever channel `draft` is for: what one refuses, others may
/// take.
void publish_to_all(Worker& worker, const std::shared_ptr<Publishing>& all,
                    Bytes name_space, Draft draft) {
  all->open = all->outcomes.size();
  std::string room;
  for (std::size_t i = 0; i < all->outcomes.size(); ++i) {
    draft.channel = hub::join_key(name_space, all->outcomes[i].channel, room);
    worker.context().hub.publish(
        draft, [all, i](const Result<hub::Published>& result) {
          note_outcome(*all, i, result);
        });
  }
}

Result<Done> check_channels(const LocationConf& conf, Bytes name_space,
                            const std::vector<Bytes>& names) {
  if (names.empty()) {
    return Error{ErrorCode::channel_name, "no channel is named"};
  }
  for (const Bytes name : names) {
    auto checked =
        hub::check_key(name_space, name, conf.settings.max_channel_length);
    if (!checked) return checked;
  }
  return Done{};
}

/// With a token those that it was checked for, whatever their variables say by
/// now.
std::vector<Bytes> channels(ngx_http_request_t* r, const LocationConf& conf,
                            const Request& request) {
  if (!request.identity.token) return channel_values(r, conf);
  return {request.channels.begin(), request.channels.end()};
}

ngx_int_t publish(ngx_http_request_t* r) {
  const LocationConf& conf = location_conf(r);
  Request& request = *Request::of(r);
  Worker& worker = *Worker::current();
  const ngx_int_t status =
      check_token_still(r, conf, request, auth::Scope::publish);
  if (status != NGX_OK) return status;
  const auto names = channels(r, conf, request);
  const Bytes name_space = evaluate(r, conf.name_space);
  const auto checked = check_channels(conf, name_space, names);
  if (!checked) return refuse_error(r, request, checked.error());
  Kind kind = Kind::text;
  std::string room;
  const auto message = read_message(r, conf, kind, room);
  if (!message) return refuse_error(r, request, message.error());
  if (kind == Kind::text && !is_utf8(*message)) {
    return refuse_publish(r, request, NGX_HTTP_BAD_REQUEST, "bad_request",
                          "the message is not UTF-8; binary ones are of type "
                          "application/octet-stream");
  }
  const Bytes once = evaluate(r, conf.idempotency_key);
  if (once.size() > Draft::kMaxIdempotencyKey) {
    return refuse_publish(r, request, NGX_HTTP_BAD_REQUEST, "bad_request",
                          "the idempotency key is longer than 256 bytes");
  }
  const auto all = Asked::begin<Publishing>(r);
  if (!all) return NGX_HTTP_INTERNAL_SERVER_ERROR;
  all->outcomes.reserve(names.size());
  for (const Bytes name : names) all->outcomes.push_back({name, kOpen});
  publish_to_all(worker, all, name_space,
                 {.kind = kind,
                  .data = *message,
                  .idempotency_key = once,
                  .idempotency_ms = conf.idempotency_window});
  return all->wait();
}

}  // namespace

ngx_int_t publish_handler(ngx_http_request_t* r) {
  const LocationConf& conf = location_conf(r);
  Request* const request = Request::of(r);
  if (request == nullptr) return NGX_HTTP_INTERNAL_SERVER_ERROR;
  ngx_int_t status = require_publish_access(r, conf, *request);
  if (status == NGX_OK) status = check_request(r, conf, *request);
  if (status != NGX_OK) return status;
  if (Worker::current() == nullptr) {
    return refuse_publish(r, *request, NGX_HTTP_SERVICE_UNAVAILABLE,
                          "unavailable", "this worker has no seat in the zone");
  }
  if (r->headers_in.content_length_n >
          static_cast<off_t>(conf.settings.max_message_size) &&
      conf.message == nullptr) {
    return refuse_error(r, *request, kTooLarge);
  }
  return when_read<publish>(r);
}

}  // namespace paperboy::nginx
