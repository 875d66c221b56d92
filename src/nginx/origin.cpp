#include "nginx/origin.hpp"

#include <algorithm>

#include "nginx/request.hpp"

namespace paperboy::nginx {

namespace {

/// Whether one of the rules passes `test`; those that stand in variables are
/// read now.
template <typename Test>
bool some_rule(ngx_http_request_t* r, const LocationConf& conf, Test&& test) {
  if (!conf.origins) return test(auth::OriginRule::same());
  return std::ranges::any_of(*conf.origins, [&](const Origin& origin) {
    if (origin.rule) return test(*origin.rule);
    const auto rule = auth::OriginRule::parse(evaluate(r, origin.value));
    return rule && test(*rule);
  });
}

bool knows(ngx_http_request_t* r, const LocationConf& conf, Bytes origin) {
  const auth::Self self{evaluate(r, conf.scheme), evaluate(r, conf.host)};
  return some_rule(r, conf, [&](const auth::OriginRule& rule) {
    return !rule.is_any() && rule.matches(origin, self);
  });
}

}  // namespace

Standing standing(ngx_http_request_t* r, const LocationConf& conf) {
  const auto fields = header_values(r, "Origin");
  if (fields.empty()) return Standing::missing;
  if (fields.size() > 1) return Standing::foreign;
  if (knows(r, conf, fields[0])) return Standing::known;
  return admits_any(r, conf) ? Standing::any : Standing::foreign;
}

bool admits_any(ngx_http_request_t* r, const LocationConf& conf) {
  return some_rule(r, conf,
                   [](const auth::OriginRule& rule) { return rule.is_any(); });
}

bool may_be_own_page(ngx_http_request_t* r, const LocationConf& conf) {
  const auto site = header_value(r, "Sec-Fetch-Site");
  if (site && *site != "same-origin" && *site != "none") return false;
  std::string own(evaluate(r, conf.scheme));
  return knows(r, conf, own.append("://").append(evaluate(r, conf.host)));
}

}  // namespace paperboy::nginx
