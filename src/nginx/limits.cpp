#include "nginx/limits.hpp"

#include <algorithm>

#include "nginx/request.hpp"
#include "nginx/ward.hpp"

namespace paperboy::nginx {

namespace {

using By = LimitKey::By;

constexpr std::uint64_t kLogMs = 1000;
constexpr std::uint64_t kSecondNs = 1'000'000'000;

std::uint64_t now_ns() { return std::uint64_t{ngx_current_msec} * 1'000'000; }

bool is_limit(Counter counter) {
  switch (counter) {
    case Counter::refused_connections:
    case Counter::refused_upgrades:
    case Counter::refused_paused:
    case Counter::limited_messages:
    case Counter::limited_bytes:
    case Counter::limits_full:
      return true;
    default:
      return false;
  }
}

/// 429, and when to try again.
ngx_int_t refuse_for(ngx_http_request_t* r, Request& request, WaitNs wait,
                     Counter counter, Bytes error, Bytes message) {
  const std::string seconds =
      std::to_string((wait + kSecondNs - 1) / kSecondNs);
  if (!add_header(r, "Retry-After", seconds)) return NGX_ERROR;
  return refuse(r, request, NGX_HTTP_TOO_MANY_REQUESTS, counter, error,
                message);
}

Bytes raw(const void* at, std::size_t size) {
  return {static_cast<const char*>(at), size};
}

}  // namespace

/// A customer has 64 bits of IPv6 addresses at least, and would have as many
/// times each limit. An IPv4 address in IPv6's clothes is one: else all of them
/// were one client.
Bytes address_of(const ngx_http_request_t* r) {
  constexpr std::size_t kNetwork = 8;
  constexpr std::size_t kMapped = 12;
  const sockaddr* const address = r->connection->sockaddr;
  if (address->sa_family == AF_INET) {
    const auto& in = *reinterpret_cast<const sockaddr_in*>(address);
    return raw(&in.sin_addr, sizeof in.sin_addr);
  }
#if (NGX_HAVE_INET6)
  if (address->sa_family == AF_INET6) {
    const auto& in = *reinterpret_cast<const sockaddr_in6*>(address);
    const Bytes all = raw(&in.sin6_addr, sizeof in.sin6_addr);
    return IN6_IS_ADDR_V4MAPPED(&in.sin6_addr) ? all.substr(kMapped)
                                               : all.substr(0, kNetwork);
  }
#endif
  return {};
}

Limits::Limits(std::span<std::byte> memory, Counters& counters)
    : counters_(counters) {
  if (!memory.empty()) shared_.emplace(memory);
}

Limits::~Limits() { wards_.clear(); }

// ---- requests --------------------------------------------------------------

ngx_int_t Limits::check_pause(ngx_http_request_t* r, const LocationConf& conf,
                              Request& request) {
  if (each(conf.limits.bad_tokens).empty()) return NGX_OK;
  const WaitNs wait = shared_->rates().held(pause_mark(r), now_ns());
  if (wait == 0) return NGX_OK;
  return refuse_for(r, request, wait, Counter::refused_paused, "paused",
                    "this address has shown too many bad tokens, and has to "
                    "pause (paperboy_limit_bad_tokens)");
}

ngx_int_t Limits::check(ngx_http_request_t* r, const LocationConf& conf,
                        Request& request) {
  if (!shared_) return NGX_OK;
  const ngx_int_t status = check_pause(r, conf, request);
  if (status != NGX_OK || conf.dialect == nullptr) return status;
  for (const RateLimit& limit : each(conf.limits.upgrades)) {
    const bool by_address = limit.key.by == By::address;
    const Bytes value =
        by_address ? address_of(r) : evaluate(r, limit.key.value);
    if (value.empty() && limit.key.by != By::all) continue;
    const WaitNs wait = charge(mark(limit.key, value), limit.rate, 1);
    if (wait == 0) continue;
    return refuse_for(r, request, wait, Counter::refused_upgrades,
                      error_name(ErrorCode::rate_limited),
                      "connections are opened too fast "
                      "(paperboy_limit_upgrades)");
  }
  return NGX_OK;
}

ngx_int_t Limits::admit(ngx_http_request_t* r, const LocationConf& conf,
                        Request& request, const Client& client) {
  const auth::Allowance& allowance = request.admission.limits;
  if (!shared_ || (!conf.limits.watches() && allowance.empty())) return NGX_OK;
  const Bytes user = request.admission.user;
  auto& ward = wards_[&client];
  ward = std::make_unique<Ward>(*this, conf, evaluate(r, conf.name_space));
  const ConnectionLimit* const full = ward->admit(r, user);
  if (full == nullptr && ward->allow(allowance, user)) return NGX_OK;
  release(client);
  constexpr Bytes kError = "connection_limit";
  if (full == nullptr) {
    return refuse_for(r, request, kSecondNs, Counter::refused_connections,
                      kError,
                      "you have as many connections as the token, or the back "
                      "end, allows");
  }
  if (full->key.by == By::all) {
    return refuse(r, request, NGX_HTTP_SERVICE_UNAVAILABLE,
                  Counter::refused_connections, kError,
                  "there are as many connections as may be "
                  "(paperboy_limit_connections)");
  }
  return refuse_for(r, request, kSecondNs, Counter::refused_connections, kError,
                    "you have as many connections as may be "
                    "(paperboy_limit_connections)");
}

void Limits::note_bad_token(ngx_http_request_t* r, const LocationConf& conf) {
  if (!shared_ || each(conf.limits.bad_tokens).empty()) return;
  charge_bad_token(each(conf.limits.bad_tokens)[0], pause_mark(r));
}

// ---- connections -----------------------------------------------------------

session::Warden* Limits::warden(const Client& client) const {
  if (wards_.empty()) return nullptr;
  const auto found = wards_.find(&client);
  return found == wards_.end() ? nullptr : found->second.get();
}

bool Limits::limit(const Client& client, const LocationConf& conf,
                   const auth::Allowance& allowance, Bytes name_space,
                   Bytes user) {
  if (!shared_) return true;
  auto& ward = wards_[&client];
  if (!ward) ward = std::make_unique<Ward>(*this, conf, name_space);
  const bool allowed = ward->allow(allowance, user);
  if (!allowed) {
    note(Counter::refused_connections,
         "a user has as many connections as the token, or the back end, "
         "allows");
  }
  if (allowance.empty() && !conf.limits.watches()) release(client);
  return allowed;
}

void Limits::release(const Client& client) {
  if (!wards_.empty()) wards_.erase(&client);
}

void Limits::tick() {
  if (!owed_.empty()) {
    for (const Mark mark : std::exchange(owed_, {})) uncount(mark);
  }
}

// ---- the zone --------------------------------------------------------------

Limits::Mark Limits::mark(const LimitKey& key, Bytes value) const {
  std::string text = key.name;
  return shared_->mark(text.append(1, '\0').append(value));
}

WaitNs Limits::charge(Mark mark, const Rate& rate, std::uint64_t n) {
  const std::uint64_t forgotten = shared_->rates().forgotten();
  const WaitNs wait = shared_->rates().charge(mark, rate, now_ns(), n);
  if (shared_->rates().forgotten() != forgotten) {
    note(Counter::limits_full,
         "the zone has no room for all rates (paperboy_limit_zone)");
  }
  return wait;
}

/// Where there is no room nobody is kept out for it.
bool Limits::count(Mark mark, std::uint64_t most, bool& counted) {
  using Added = broker::shm::Counts::Added;
  const Added added = shared_->counts().add(mark, most);
  counted = added == Added::counted;
  if (added == Added::no_room) {
    note(Counter::limits_full,
         "the zone has no room for all connections (paperboy_limit_zone)");
  }
  return added != Added::over;
}

void Limits::uncount(Mark mark) {
  if (!shared_->counts().subtract(mark)) owed_.push_back(mark);
}

Limits::Mark Limits::pause_mark(const ngx_http_request_t* r) const {
  const Bytes address = address_of(r);
  return address.empty() ? 0 : mark({.name = "bad tokens"}, address);
}

bool Limits::charge_bad_token(const BadTokenLimit& limit, Mark address) {
  if (address == 0) return true;
  auto& rates = shared_->rates();
  const std::uint64_t now = now_ns();
  if (rates.held(address, now) != 0) return false;
  if (charge(std::max<Mark>(~address, 1), limit.rate, 1) == 0) return true;
  rates.hold(address, now, now + limit.pause_ns);
  return false;
}

// ---- logs ------------------------------------------------------------------

bool Limits::may_log(Counter counter) {
  if (!is_limit(counter)) return true;
  std::uint64_t& last = logged_ms_[static_cast<std::size_t>(counter)];
  const std::uint64_t now = ngx_current_msec;
  if (last != 0 && now - last < kLogMs) return false;
  last = now;
  return true;
}

void Limits::note(Counter counter, Bytes what) {
  counters_.add(counter);
  if (!may_log(counter)) return;
  const ngx_str_t name = borrow(counter_name(counter));
  const ngx_str_t text = borrow(what);
  ngx_log_error(NGX_LOG_ERR, ngx_cycle->log, 0, "paperboy limit %V: %V", &name,
                &text);
}

}  // namespace paperboy::nginx
