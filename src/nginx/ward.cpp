#include "nginx/ward.hpp"

#include <algorithm>

#include "nginx/request.hpp"
#include "nginx/worker.hpp"

namespace paperboy::nginx {

namespace {

using By = LimitKey::By;

std::uint64_t now_ns() { return std::uint64_t{ngx_current_msec} * 1'000'000; }

}  // namespace

Ward::Ward(Limits& limits, const LocationConf& conf, Bytes name_space)
    : limits_(limits),
      conf_(conf),
      space_(limits.mark({.name = "namespace"}, name_space)),
      address_(0) {
  const LimitsConf& all = conf.limits;
  cells_ = std::make_unique<std::uint64_t[]>(each(all.connections).size() +
                                             each(all.messages).size() +
                                             each(all.bytes).size());
}

Ward::~Ward() {
  for (std::size_t i = 0; i < each(conf_.limits.connections).size(); ++i) {
    uncount(cells_[i]);
  }
  if (allowed_) uncount(allowed_->counted);
}

/// 0: it has none, or not yet.
Ward::Mark Ward::mark(ngx_http_request_t* r, const LimitKey& key) const {
  Bytes value;
  switch (key.by) {
    case By::connection:
    case By::user:
      return 0;
    case By::all:
      return limits_.mark(key, {});
    case By::address:
      value = address_of(r);
      break;
    case By::value:
      value = evaluate(r, key.value);
      break;
  }
  return value.empty() ? 0 : limits_.mark(key, value);
}

Ward::Mark Ward::user_mark(const LimitKey& key, Bytes user) const {
  std::string text(reinterpret_cast<const char*>(&space_), sizeof space_);
  return limits_.mark(key, text.append(user));
}

bool Ward::count(std::uint64_t most, std::uint64_t& cell, Mark mark) {
  if (mark == 0 || cell == mark) return true;
  bool counted = false;
  if (!limits_.count(mark, most, counted)) return false;
  uncount(cell);
  cell = counted ? mark : 0;
  return true;
}

void Ward::uncount(std::uint64_t& cell) {
  if (cell != 0) limits_.uncount(cell);
  cell = 0;
}

const ConnectionLimit* Ward::admit(ngx_http_request_t* r, Bytes user) {
  std::uint64_t* cell = cells_.get();
  for (const ConnectionLimit& limit : each(conf_.limits.connections)) {
    const bool by_user = limit.key.by == By::user && !user.empty();
    const Mark here = by_user ? user_mark(limit.key, user) : mark(r, limit.key);
    if (!count(limit.most, *cell++, here)) return &limit;
  }
  for (const auto* const list : {&conf_.limits.messages, &conf_.limits.bytes}) {
    for (const RateLimit& limit : each(*list)) *cell++ = mark(r, limit.key);
  }
  if (!each(conf_.limits.bad_tokens).empty()) address_ = limits_.pause_mark(r);
  name_rates(user);
  return nullptr;
}

/// A connection that is counted stays, whatever the number is now: else who
/// renews would be thrown out for those that are to go.
bool Ward::allow(const auth::Allowance& allowance, Bytes user) {
  if (!allowed_ && allowance.empty()) return true;
  if (!allowed_) allowed_ = std::make_unique<Allowed>();
  if (allowance.connections == 0 || user.empty()) {
    uncount(allowed_->counted);
  } else if (!count(allowance.connections, allowed_->counted,
                    user_mark({.name = "allowed"}, user))) {
    return false;
  }
  allowed_->allowance = allowance;
  return true;
}

void Ward::name_rates(Bytes user) {
  if (user.empty()) return;
  std::uint64_t* cell = &cells_[each(conf_.limits.connections).size()];
  for (const auto* const list : {&conf_.limits.messages, &conf_.limits.bytes}) {
    for (const RateLimit& limit : each(*list)) {
      if (limit.key.by == By::user) *cell = user_mark(limit.key, user);
      ++cell;
    }
  }
}

/// In band, once it has shown who it is.
bool Ward::is_user(Bytes user) {
  std::uint64_t* cell = cells_.get();
  for (const ConnectionLimit& limit : each(conf_.limits.connections)) {
    std::uint64_t& here = *cell++;
    if (limit.key.by != By::user) continue;
    if (count(limit.most, here, user_mark(limit.key, user))) continue;
    limits_.note(Counter::refused_connections,
                 "a user has as many connections as may be "
                 "(paperboy_limit_connections)");
    return false;
  }
  name_rates(user);
  return true;
}

bool Ward::charge(const RateLimit& limit, std::uint64_t& cell,
                  std::uint64_t n) {
  if (limit.key.by == By::connection) {
    return paperboy::charge(limit.rate, cell, now_ns(), n) == 0;
  }
  return cell == 0 || limits_.charge(cell, limit.rate, n) == 0;
}

Ward::Verdict Ward::message() {
  if (banned_) return Verdict::ends;
  std::uint64_t* cell = &cells_[each(conf_.limits.connections).size()];
  for (const RateLimit& limit : each(conf_.limits.messages)) {
    if (charge(limit, *cell++, 1)) continue;
    return refuse(limit.rate,
                  "messages of a client come too fast "
                  "(paperboy_limit_messages)");
  }
  const Pace pace = allowance().messages;
  if (pace.number == 0) return Verdict::passes;
  const Rate rate = pace.rate(1);
  if (paperboy::charge(rate, allowed_->messages, now_ns()) == 0) {
    return Verdict::passes;
  }
  return refuse(rate,
                "messages of a client come faster than the token, or the back "
                "end, allows");
}

/// Those that are refused are limited as well, so that who goes on all the same
/// doesn't go on forever.
Ward::Verdict Ward::refuse(const Rate& rate, Bytes what) {
  limits_.note(Counter::limited_messages, what);
  return paperboy::charge(rate, refused_, now_ns()) == 0 ? Verdict::refused
                                                         : Verdict::ends;
}

bool Ward::bytes(std::size_t number) {
  std::uint64_t* cell = &cells_[each(conf_.limits.connections).size() +
                                each(conf_.limits.messages).size()];
  for (const RateLimit& limit : each(conf_.limits.bytes)) {
    if (charge(limit, *cell++, number)) continue;
    limits_.note(Counter::limited_bytes,
                 "a client sends too many bytes (paperboy_limit_bytes)");
    return false;
  }
  return allowed_bytes(number);
}

/// Whoever made the token doesn't know how large a message may be.
bool Ward::allowed_bytes(std::size_t number) {
  const Pace pace = allowance().bytes;
  if (pace.number == 0) return true;
  const std::uint64_t least = 2 * least_burst(conf_.max_message_size);
  const Rate rate =
      pace.rate_of(std::max<std::uint64_t>(pace.at_once(), least));
  if (paperboy::charge(rate, allowed_->bytes, now_ns(), number) == 0) {
    return true;
  }
  limits_.note(Counter::limited_bytes,
               "a client sends more bytes than the token, or the back end, "
               "allows");
  return false;
}

void Ward::bad_token() {
  const auto& limit = each(conf_.limits.bad_tokens);
  if (!limit.empty()) banned_ = !limits_.charge_bad_token(limit[0], address_);
}

}  // namespace paperboy::nginx
