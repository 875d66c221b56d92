#include "nginx/auth_request.hpp"

#include <algorithm>

#include "base/base64.hpp"
#include "base/json.hpp"
#include "base/packing.hpp"
#include "nginx/access.hpp"
#include "nginx/auth_request_conf.hpp"
#include "nginx/worker.hpp"

namespace paperboy::nginx {

namespace {

bool is_refusal(ngx_uint_t status) {
  return status == NGX_HTTP_UNAUTHORIZED || status == NGX_HTTP_FORBIDDEN;
}

bool is_yes(ngx_uint_t status) { return status >= 200 && status < 300; }

/// None, or that of a server that couldn't say. A redirection to where one
/// signs in, or a wrong address, is none: it would let everybody in.
bool is_failure(ngx_uint_t status) { return status == 0 || status >= 500; }

/// A worker without a seat refuses everybody anyway.
void count(Counter counter) {
  if (Worker* const worker = Worker::current()) {
    worker->context().counters.add(counter);
  }
}

/// Of an upgrade; empty: it isn't to be remembered. Locations that inherit the
/// directive share what is remembered, and none hears what is said of another.
std::string key_of(ngx_http_request_t* r, const AuthRequestConf& conf,
                   const Request& request) {
  if (conf.cache == nullptr) return {};
  const Bytes who = evaluate(r, conf.key);
  if (who.empty()) return {};
  const LocationConf& here = location_conf(r);
  std::string key;
  put(key, Bytes("connect"));
  put(key, std::uint64_t{reinterpret_cast<std::uintptr_t>(&here)});
  put(key, evaluate(r, here.name_space));
  put(key, who);
  put(key, Bytes(request.identity.user));
  for (const std::string& channel : request.channels) put(key, Bytes(channel));
  return key;
}

ngx_int_t refuse_yes(ngx_http_request_t* r, Request& request, Bytes why) {
  count(Counter::auth_requests_failed);
  return refuse(r, request, NGX_HTTP_SERVICE_UNAVAILABLE,
                Counter::refused_token, "unavailable",
                "the back end's answer can't be used: " + std::string(why));
}

ngx_int_t refuse_no(ngx_http_request_t* r, Request& request, int status,
                    Bytes authenticate) {
  if (status == NGX_HTTP_UNAUTHORIZED &&
      !add_header(r, "WWW-Authenticate",
                  authenticate.empty() ? Bytes("Bearer") : authenticate)) {
    return NGX_HTTP_INTERNAL_SERVER_ERROR;
  }
  return refuse(r, request, status, Counter::refused_token,
                status == NGX_HTTP_UNAUTHORIZED ? "unauthorized" : "forbidden",
                "the back end doesn't let it in");
}

/// The earlier of both counts.
void limit_time(Identity& identity, std::int64_t end) {
  identity.expires =
      identity.expires == 0 ? end : std::min(identity.expires, end);
}

ngx_int_t let_in(ngx_http_request_t* r, const LocationConf& conf,
                 Request& request, const auth::Decision& decision) {
  if (decision.expires && *decision.expires <= ngx_time()) {
    return refuse_no(r, request, NGX_HTTP_FORBIDDEN, {});
  }
  Identity& identity = request.identity;
  identity.answered = true;
  if (!decision.user.empty()) identity.user = decision.user;
  if (!decision.info.empty()) identity.info = decision.info;
  const bool ends = decision.expires && !conf.settings.tokens_only_admit;
  if (ends) limit_time(identity, *decision.expires);
  identity.ruling = {.user = decision.user,
                     .info = decision.info,
                     .expires = ends ? *decision.expires : 0,
                     .grants = decision.grants,
                     .subscriptions = decision.subscriptions,
                     .limits = decision.limits};
  identity.limits = stricter(identity.limits, decision.limits);
  if (!decision.grants) return NGX_OK;
  identity.granted = true;
  identity.grants = *decision.grants;
  identity.subscriptions = decision.subscriptions;
  if (subscribes(conf) && !conf.settings.dialect->converses()) {
    for (const auto& one : decision.subscriptions) {
      const auto& known = request.channels;
      if (std::ranges::find(known, one.channel) == known.end()) {
        request.channels.push_back(one.channel);
      }
    }
  }
  return check_grants(r, request, auth::Scope::subscribe);
}

ngx_int_t obey(ngx_http_request_t* r, const LocationConf& conf,
               Request& request, const auth::Verdict& verdict,
               Bytes authenticate) {
  return verdict.allows() ? let_in(r, conf, request, verdict.decision)
                          : refuse_no(r, request, verdict.status, authenticate);
}

void remember(ngx_http_request_t* r, const LocationConf& conf,
              const Request& request,
              const std::shared_ptr<const auth::Verdict>& verdict) {
  const AuthRequestConf& asked = *conf.auth_request;
  const std::string key = key_of(r, asked, request);
  if (key.empty()) return;
  asked.cache->put(key, verdict,
                   worker_clock().monotonic_ms() + asked.cache_ms);
}

std::string why_none(const InnerAnswer& answer) {
  return answer.status == 0
             ? "the back end doesn't answer"
             : "the back end answers " + std::to_string(answer.status);
}

/// Whether somebody may for whom nobody could be asked.
ngx_int_t without_answer(ngx_http_request_t* r, const LocationConf& conf,
                         Request& request, const InnerAnswer& answer) {
  count(Counter::auth_requests_failed);
  if (conf.settings.admits_unjudged && is_failure(answer.status)) {
    // Not to the connection's log, which would add the URL with its tokens.
    const auto* const core = static_cast<ngx_http_core_loc_conf_t*>(
        ngx_http_get_module_loc_conf(r, ngx_http_core_module));
    ngx_log_error(NGX_LOG_WARN, core->error_log, 0,
                  "paperboy_auth_request: let in unasked: %s, client: %V, "
                  "uri: \"%s\"",
                  why_none(answer).c_str(), &r->connection->addr_text,
                  printable(r->uri).c_str());
    return NGX_OK;
  }
  return refuse(r, request, NGX_HTTP_SERVICE_UNAVAILABLE,
                Counter::refused_token, "unavailable", why_none(answer));
}

// ---- about commands --------------------------------------------------------

using Matter = session::Judge::Matter;
using Answer = session::Judge::Verdict;

std::string question_text(const session::Judge::Question& question) {
  const bool publish = question.matter == Matter::publish;
  Json json = Json::object();
  json.set("event", Json::string(publish ? "publish" : "subscribe"))
      .set("client", Json::string(question.client))
      .set("user", Json::string(question.user))
      .set("namespace", Json::string(question.name_space))
      .set("channel", Json::string(question.channel));
  if (publish && question.kind == Kind::text) {
    json.set("data", Json::string(question.data));
  } else if (publish) {
    std::string text;
    append_base64(text, question.data);
    json.set("base64", Json::string(text));
  }
  return json.dump();
}

/// Of who wants to be where; what is published differs each time. The back end
/// isn't told the location.
std::string key_of(const AuthRequestConf& conf,
                   const session::Judge::Question& question) {
  if (conf.cache == nullptr || question.user.empty() ||
      question.matter != Matter::subscribe) {
    return {};
  }
  std::string key;
  for (const Bytes part : {Bytes("subscribe"), Bytes(question.name_space),
                           Bytes(question.user), Bytes(question.channel)}) {
    put(key, part);
  }
  return key;
}

Answer answer_of(const InnerAnswer& answer, backend::Complaints& complaints) {
  if (is_refusal(answer.status)) {
    count(Counter::auth_requests_denied);
    return Answer::refused;
  }
  if (is_yes(answer.status)) {
    count(Counter::auth_requests_allowed);
    return Answer::allowed;
  }
  count(Counter::auth_requests_failed);
  complaints.tell(why_none(answer));
  return is_failure(answer.status) ? Answer::unknown : Answer::undecided;
}

void remember(auth::VerdictCache& cache, const std::string& key,
              const InnerAnswer& answer, std::uint64_t until_ms) {
  auto verdict = std::make_shared<auth::Verdict>();
  verdict->status = static_cast<int>(answer.status);
  cache.put(key, std::move(verdict), until_ms);
}

}  // namespace

ngx_int_t ask_back_end(ngx_http_request_t* r, const LocationConf& conf,
                       Request& request) {
  const AuthRequestConf& asked = *conf.auth_request;
  if (!asked.on_connect) return NGX_OK;
  if (const std::string key = key_of(r, asked, request); !key.empty()) {
    const auto known = asked.cache->find(key, worker_clock().monotonic_ms());
    if (known) {
      count(Counter::auth_requests_remembered);
      return obey(r, conf, request, *known, {});
    }
  }
  count(Counter::auth_requests);
  request.question = make_in_pool<Kept>(r->pool);
  if (request.question == nullptr) return NGX_HTTP_INTERNAL_SERVER_ERROR;
  request.question->max_size = asked.max_size;
  return keep_subrequest(r, asked.uri, *request.question)
             ? NGX_AGAIN
             : NGX_HTTP_INTERNAL_SERVER_ERROR;
}

ngx_int_t hear_back_end(ngx_http_request_t* r, const LocationConf& conf,
                        Request& request) {
  if (!request.question->finished) return NGX_AGAIN;
  const Kept& kept = *std::exchange(request.question, nullptr);
  const InnerAnswer& answer = kept.answer;
  auto verdict = std::make_shared<auth::Verdict>();
  verdict->status = static_cast<int>(answer.status);
  if (is_yes(answer.status)) {
    if (answer.too_large) return refuse_yes(r, request, "it is too large");
    if (!kept.complete()) return refuse_yes(r, request, "it isn't complete");
    auto decision = auth::read_decision(answer.body);
    if (!decision) return refuse_yes(r, request, decision.error());
    verdict->decision = std::move(*decision);
    verdict->size = answer.body.size();
  } else if (!is_refusal(answer.status)) {
    return without_answer(r, conf, request, answer);
  }
  count(verdict->allows() ? Counter::auth_requests_allowed
                          : Counter::auth_requests_denied);
  remember(r, conf, request, verdict);
  return obey(r, conf, request, *verdict, answer.authenticate);
}

void AuthRequestConf::ask(const Question& question, Reply reply) const {
  Worker& worker = *Worker::current();
  const std::string key = key_of(*this, question);
  const std::uint64_t now = worker_clock().monotonic_ms();
  const auto known = key.empty() ? nullptr : cache->find(key, now);
  const bool full = known == nullptr && *asking >= together;
  if (known || full) {
    count(full ? Counter::auth_requests_failed
               : Counter::auth_requests_remembered);
    const Verdict verdict = full              ? Verdict::undecided
                            : known->allows() ? Verdict::allowed
                                              : Verdict::refused;
    worker.errands().later([reply, verdict] {
      const Turn turn(*Worker::current());
      reply(verdict);
    });
    return;
  }
  ++*asking;
  count(Counter::auth_requests);
  worker.errands().add(
      {.server = server,
       .uri = uri,
       .json = question_text(question),
       .max_size = max_size,
       .timeout = timeout_ms,
       .handler = [reply, key, held = cache, asked = asking, told = complaints,
                   until = now + cache_ms](const InnerAnswer& answer) {
         --*asked;
         Worker* const here = Worker::current();
         if (here == nullptr) return;
         const Turn turn(*here);
         const Verdict verdict = answer_of(answer, *told);
         const bool decided =
             verdict == Verdict::allowed || verdict == Verdict::refused;
         if (decided && !key.empty()) {
           nginx::remember(*held, key, answer, until);
         }
         reply(verdict);
       }});
}

}  // namespace paperboy::nginx
