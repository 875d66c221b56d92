#include "nginx/admission.hpp"

#include <openssl/evp.h>

#include <algorithm>
#include <array>

#include "base/utf8.hpp"
#include "hub/key.hpp"
#include "hub/notice.hpp"
#include "nginx/worker.hpp"

namespace paperboy::nginx {

namespace {

/// By which a client is known when it comes back: hashed, so that nothing of
/// it is kept; never 0.
std::uint64_t fingerprint_of(ngx_http_request_t* r) {
  std::string text(bytes(r->connection->addr_text));
  for (const Bytes name : {"User-Agent", "Origin"}) {
    text.append(1, '\0').append(header_value(r, name).value_or(Bytes()));
  }
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  if (EVP_Digest(text.data(), text.size(), digest.data(), nullptr, EVP_sha256(),
                 nullptr) != 1) {
    return 0;
  }
  std::uint64_t print = 0;
  for (std::size_t i = 0; i < 5; ++i) print = print << 8U | digest[i];
  return std::max<std::uint64_t>(print, 1);
}

}  // namespace

std::string user_of(ngx_http_request_t* r, const LocationConf& conf,
                    Bytes by_token) {
  return std::string(by_token.empty() ? evaluate(r, conf.user) : by_token);
}

Result<Done> make_admission(ngx_http_request_t* r, const LocationConf& conf,
                            Request& request) {
  session::Admission& admission = request.admission;
  admission.user = user_of(r, conf, request.identity.user);
  if (admission.user.size() > hub::kMaxUser) {
    return Error{ErrorCode::forbidden,
                 "the user's name is longer than 512 bytes"};
  }
  // It is told to others, whose connections would end with it.
  if (admission.user.find('\0') != Bytes::npos || !is_utf8(admission.user)) {
    return Error{ErrorCode::forbidden,
                 "the user's name is not UTF-8 without NUL"};
  }
  admission.info = request.identity.info;
  const bool granted = request.identity.token || request.identity.granted;
  admission.by_token = granted;
  if (conf.settings.csrf != nullptr) {
    admission.csrf_user = evaluate(r, conf.csrf->user);
  }
  admission.mark = request.identity.mark;
  admission.limits = request.identity.limits;
  admission.expires = request.identity.expires;
  admission.ruling = request.identity.ruling;
  const Bytes name_space = evaluate(r, conf.name_space);
  admission.name_space = name_space;
  admission.may_publish = !conf.keyed() || granted;
  // Where the access phase was passed over, another module answers for them.
  admission.admitted =
      !conf.keyed() || request.identity.token || !request.checked;
  if (conf.settings.return_seconds != 0) {
    admission.fingerprint = fingerprint_of(r);
  }
  if (granted) {
    admission.grants = request.identity.grants;
    admission.subscriptions = request.identity.subscriptions;
  }
  for (const std::string& name : request.channels) {
    auto key =
        hub::channel_key(name_space, name, conf.settings.max_channel_length);
    if (!key) return key.error();
    const auth::Grants& grants = request.identity.grants;
    if (granted &&
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
