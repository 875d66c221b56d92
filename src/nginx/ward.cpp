#include "nginx/ward.hpp"

#include "nginx/request.hpp"
#include "nginx/worker.hpp"

namespace paperboy::nginx {

namespace {

using By = LimitKey::By;

std::uint64_t now_ns() { return std::uint64_t{ngx_current_msec} * 1'000'000; }

}  // namespace

Ward::Ward(Limits& limits, ngx_http_request_t* r, const LocationConf& conf)
    : limits_(limits),
      conf_(conf.limits),
      space_(limits.mark({.name = "namespace"}, evaluate(r, conf.name_space))),
      address_(0) {
  const auto& messages = each(conf_.messages);
  const auto& bytes = each(conf_.bytes);
  const std::size_t counts = each(conf_.connections).size();
  cells_ = std::make_unique<std::uint64_t[]>(counts + messages.size() +
                                             bytes.size());
  std::uint64_t* cell = &cells_[counts];
  for (const auto* const list : {&messages, &bytes}) {
    for (const RateLimit& limit : *list) *cell++ = mark(r, limit.key);
  }
  if (!each(conf_.bad_tokens).empty()) address_ = limits.pause_mark(r);
}

Ward::~Ward() {
  for (std::size_t i = 0; i < each(conf_.connections).size(); ++i) {
    if (cells_[i] != 0) limits_.uncount(cells_[i]);
  }
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

bool Ward::count(const ConnectionLimit& limit, std::uint64_t& cell, Mark mark) {
  if (mark == 0 || cell == mark) return true;
  bool counted = false;
  if (!limits_.count(mark, limit.most, counted)) return false;
  if (cell != 0) limits_.uncount(cell);
  cell = counted ? mark : 0;
  return true;
}

const ConnectionLimit* Ward::admit(ngx_http_request_t* r, Bytes user) {
  std::uint64_t* cell = cells_.get();
  for (const ConnectionLimit& limit : each(conf_.connections)) {
    const bool by_user = limit.key.by == By::user && !user.empty();
    const Mark here = by_user ? user_mark(limit.key, user) : mark(r, limit.key);
    if (!count(limit, *cell++, here)) return &limit;
  }
  name_rates(user);
  return nullptr;
}

void Ward::name_rates(Bytes user) {
  if (user.empty()) return;
  std::uint64_t* cell = &cells_[each(conf_.connections).size()];
  for (const auto* const list : {&conf_.messages, &conf_.bytes}) {
    for (const RateLimit& limit : each(*list)) {
      if (limit.key.by == By::user) *cell = user_mark(limit.key, user);
      ++cell;
    }
  }
}

/// In band, once it has shown who it is.
bool Ward::is_user(Bytes user) {
  std::uint64_t* cell = cells_.get();
  for (const ConnectionLimit& limit : each(conf_.connections)) {
    std::uint64_t& here = *cell++;
    if (limit.key.by != By::user) continue;
    if (count(limit, here, user_mark(limit.key, user))) continue;
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

/// Those that are refused are limited as well, so that who goes on all the same
/// doesn't go on forever.
Ward::Verdict Ward::message() {
  if (banned_) return Verdict::ends;
  std::uint64_t* cell = &cells_[each(conf_.connections).size()];
  for (const RateLimit& limit : each(conf_.messages)) {
    if (charge(limit, *cell++, 1)) continue;
    limits_.note(Counter::limited_messages,
                 "messages of a client come too fast "
                 "(paperboy_limit_messages)");
    return paperboy::charge(limit.rate, refused_, now_ns()) == 0
               ? Verdict::refused
               : Verdict::ends;
  }
  return Verdict::passes;
}

bool Ward::bytes(std::size_t number) {
  std::uint64_t* cell =
      &cells_[each(conf_.connections).size() + each(conf_.messages).size()];
  for (const RateLimit& limit : each(conf_.bytes)) {
    if (charge(limit, *cell++, number)) continue;
    limits_.note(Counter::limited_bytes,
                 "a client sends too many bytes (paperboy_limit_bytes)");
    return false;
  }
  return true;
}

void Ward::bad_token() {
  if (each(conf_.bad_tokens).empty()) return;
  banned_ = !limits_.charge_bad_token(each(conf_.bad_tokens)[0], address_);
}

}  // namespace paperboy::nginx
