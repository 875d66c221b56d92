#include "nginx/admission.hpp"

#include "hub/key.hpp"
#include "nginx/worker.hpp"

namespace paperboy::nginx {

Result<Done> make_admission(ngx_http_request_t* r, const LocationConf& conf,
                            Request& request) {
  session::Admission& admission = request.admission;
  admission.user = request.identity.user;
  admission.info = request.identity.info;
  admission.by_token = request.identity.token;
  admission.expires = request.identity.expires;
  const Bytes name_space = evaluate(r, conf.name_space);
  admission.name_space = name_space;
  admission.may_publish = !conf.keyed() || request.identity.token;
  // Where the access phase was passed over, another module answers for them.
  admission.admitted =
      !conf.keyed() || request.identity.token || !request.checked;
  if (request.identity.token) {
    admission.grants = request.identity.grants;
    admission.subscriptions = request.identity.subscriptions;
  }
  for (const std::string& name : request.channels) {
    auto key =
        hub::channel_key(name_space, name, conf.settings.max_channel_length);
    if (!key) return key.error();
    const auth::Grants& grants = request.identity.grants;
    if (request.identity.token &&
        !(grants.names_channels() ? grants.allows(auth::Scope::publish, name)
                                  : grants.has(auth::Scope::publish))) {
      admission.may_publish = false;
    }
    admission.channels.push_back(std::move(*key));
  }
  const bool needed = conf.settings.dialect->location_channels() ==
                      dialect::Dialect::LocationChannels::needed;
  if (needed && admission.channels.empty()) {
    return Error{ErrorCode::channel_name,
                 "no channel is named: paperboy_channel is empty"};
  }
  return Done{};
}

ngx_int_t refuse_error(ngx_http_request_t* r, Request& request,
                       const Error& error) {
  const int status = http_status(error.code);
  return refuse(r, request, status,
                status == NGX_HTTP_SERVICE_UNAVAILABLE
                    ? Counter::refused_capacity
                    : Counter::refused_channel,
                error_name(error.code), error.message);
}

ngx_int_t require_worker(ngx_http_request_t* r, Request& request) {
  const Worker* const worker = Worker::current();
  if (worker != nullptr && !worker->leaving()) return NGX_OK;
  return refuse(r, request, NGX_HTTP_SERVICE_UNAVAILABLE,
                Counter::refused_capacity, "unavailable",
                worker == nullptr ? "this worker has no seat in the zone"
                                  : "this worker goes away: try again");
}

}  // namespace paperboy::nginx
