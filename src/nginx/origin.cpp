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

}  // namespace

Standing standing(ngx_http_request_t* r, const LocationConf& conf) {
  const auto fields = header_values(r, "Origin");
  if (fields.empty()) return Standing::missing;
  if (fields.size() > 1) return Standing::foreign;
  const auth::Self self{evaluate(r, conf.scheme), evaluate(r, conf.host)};
  const auto knows = [&](const auth::OriginRule& rule) {
    return !rule.is_any() && rule.matches(fields[0], self);
  };
  if (some_rule(r, conf, knows)) return Standing::known;
  return admits_any(r, conf) ? Standing::any : Standing::foreign;
}

bool admits_any(ngx_http_request_t* r, const LocationConf& conf) {
  return some_rule(r, conf,
                   [](const auth::OriginRule& rule) { return rule.is_any(); });
}

}  // namespace paperboy::nginx
