// paperboy_channel_rule: what holds for the channels that match a pattern.
#include <array>
#include <limits>

#include "nginx/directives.hpp"

namespace paperboy::nginx {

namespace {

constexpr std::uint64_t kMostReplicas = 100;

/// The rule as its parameters come.
struct Parts {
  hub::Rule rule;
  bool history = false;        // history= was given
  Bytes needs_history;         // a parameter that means nothing without it
  bool replicas = false;       // replicas= was given
  bool replicas_time = false;  // replicas_timeout= was
  Bytes needs_redis;           // as needs_history
  bool own = false;            // something is for the user whose name follows
};

/// Empty, or what is wrong.
using Reader = Bytes (*)(Parts&, Bytes value);

std::optional<std::uint64_t> number(Bytes text, std::uint64_t most) {
  if (text.empty() || text.size() > 15) return {};
  ngx_str_t given = borrow(text);
  const ngx_int_t n = ngx_atoi(given.data, given.len);
  if (n < 1 || static_cast<std::uint64_t>(n) > most) return {};
  return static_cast<std::uint64_t>(n);
}

Bytes read_history(Parts& parts, Bytes value) {
  const auto count = number(value, 10'000'000);
  if (!count) return "expected a number of publications from 1 to 10000000";
  parts.rule.keep.count = static_cast<std::uint32_t>(*count);
  parts.history = true;
  return {};
}

Bytes read_age(Parts& parts, Bytes value) {
  ngx_str_t given = borrow(value);
  const ngx_int_t ms = ngx_parse_time(&given, 0);
  if (ms == NGX_ERROR || ms == 0) return "expected a time, such as 10m";
  parts.rule.keep.age_ms = static_cast<std::uint64_t>(ms);
  parts.needs_history = "history_age=";
  return {};
}

Bytes read_size(Parts& parts, Bytes value) {
  ngx_str_t given = borrow(value);
  const off_t size = ngx_parse_offset(&given);
  if (size <= 0) return "expected a size, such as 64k";
  parts.rule.keep.bytes = static_cast<std::uint64_t>(size);
  parts.needs_history = "history_size=";
  return {};
}

Bytes read_full(Parts& parts, Bytes value) {
  if (value != "evict" && value != "refuse") return "expected evict or refuse";
  parts.rule.keep.evict = value == "evict";
  parts.needs_history = "full=";
  return {};
}

Bytes read_most(Parts& parts, Bytes value) {
  const auto most = number(value, std::numeric_limits<std::uint32_t>::max());
  if (!most) return "expected a number of subscribers from 1 on";
  parts.rule.max_subscribers = *most;
  return {};
}

Bytes read_replicas(Parts& parts, Bytes value) {
  const auto replicas = number(value, kMostReplicas);
  if (!replicas && value != "0") return "expected a number from 0 to 100";
  parts.rule.replicas = static_cast<std::uint32_t>(replicas.value_or(0));
  parts.replicas = true;
  parts.needs_redis = "replicas=";
  return {};
}

Bytes read_replicas_time(Parts& parts, Bytes value) {
  ngx_str_t given = borrow(value);
  const ngx_int_t ms = ngx_parse_time(&given, 0);
  if (ms == NGX_ERROR || ms == 0) return "expected a time, such as 500ms";
  parts.rule.replicas_ms = static_cast<std::uint64_t>(ms);
  parts.replicas_time = true;
  return {};
}

Bytes read_without(Parts& parts, Bytes value) {
  if (value != "refuse" && value != "local") return "expected refuse or local";
  parts.rule.best_effort = value == "local";
  parts.needs_redis = "without_broker=";
  return {};
}

template <hub::Access hub::Rule::*member>
Bytes read_access(Parts& parts, Bytes value) {
  static constexpr std::array<std::pair<Bytes, hub::Access>, 6> kWords{
      {{"location", hub::Access::location},
       {"any", hub::Access::any},
       {"token", hub::Access::token},
       {"user", hub::Access::user},
       {"own", hub::Access::own},
       {"nobody", hub::Access::nobody}}};
  for (const auto& [word, access] : kWords) {
    if (value != word) continue;
    parts.rule.*member = access;
    parts.own = parts.own || access == hub::Access::own;
    return {};
  }
  return "expected location, any, token, user, own or nobody";
}

struct Parameter {
  Bytes name;  // with its `=`
  Reader read;
};

constexpr std::array kParameters{
    Parameter{"history=", read_history},
    Parameter{"history_age=", read_age},
    Parameter{"history_size=", read_size},
    Parameter{"full=", read_full},
    Parameter{"max_subscribers=", read_most},
    Parameter{"replicas=", read_replicas},
    Parameter{"replicas_timeout=", read_replicas_time},
    Parameter{"without_broker=", read_without},
    Parameter{"subscribe=", read_access<&hub::Rule::subscribe>},
    Parameter{"publish=", read_access<&hub::Rule::publish>},
    Parameter{"read_history=", read_access<&hub::Rule::read_history>},
    Parameter{"read_presence=", read_access<&hub::Rule::read_presence>},
};

/// Empty, or what is wrong.
Bytes read_parameter(Parts& parts, Bytes text) {
  if (text == "presence" || text == "join_leave") {
    (text == "presence" ? parts.rule.presence : parts.rule.join_leave) = true;
    return {};
  }
  for (const Parameter& parameter : kParameters) {
    if (!text.starts_with(parameter.name)) continue;
    return parameter.read(parts, text.substr(parameter.name.size()));
  }
  return "no such parameter of a rule";
}

/// Null: nothing is asked of a Redis that isn't there.
char* check_rules(ngx_conf_t* cf, const MainConf& main) {
  if (main.redis) return NGX_CONF_OK;
  for (const RuleConf& rule : main.rule_confs) {
    if (rule.needs_redis.empty()) continue;
    return conf_error(cf, rule.pattern,
                      std::string(rule.needs_redis) +
                          " means nothing without paperboy_redis");
  }
  if (!main.redis_wait) return NGX_CONF_OK;
  return conf_error(cf, "paperboy_redis_wait",
                    "means nothing without paperboy_redis");
}

}  // namespace

/// Those that don't say for themselves wait as paperboy_redis_wait says.
ngx_int_t finish_rules(ngx_conf_t* cf) {
  MainConf& main = main_conf(cf);
  if (check_rules(cf, main) != NGX_CONF_OK) return NGX_ERROR;
  const auto complete = [&main](hub::Rule rule) {
    if (main.redis_wait) {
      rule.replicas = main.redis_wait->replicas;
      rule.replicas_ms = main.redis_wait->ms;
    }
    return rule;
  };
  main.rules = hub::RuleSet(complete({}));
  for (const RuleConf& conf : main.rule_confs) {
    const hub::Rule rule = conf.replicas_set ? conf.rule : complete(conf.rule);
    if (!main.rules.add(conf.pattern, rule)) return NGX_ERROR;
  }
  return NGX_OK;
}

char* set_redis_wait(ngx_conf_t* cf, ngx_command_t*, void* conf) {
  MainConf& main = *static_cast<MainConf*>(conf);
  const auto given = parameters(cf);
  if (main.redis_wait) {
    return conf_error(cf, "paperboy_redis_wait", "is duplicate");
  }
  const auto replicas = number(bytes(given[0]), kMostReplicas);
  if (!replicas) {
    return conf_error(cf, bytes(given[0]),
                      "expected a number of replicas from 1 to 100");
  }
  ngx_str_t time = given[1];
  const ngx_int_t ms = ngx_parse_time(&time, 0);
  if (ms == NGX_ERROR || ms == 0) {
    return conf_error(cf, bytes(given[1]), "expected a time, such as 500ms");
  }
  main.redis_wait = {static_cast<std::uint32_t>(*replicas),
                     static_cast<std::uint64_t>(ms)};
  return NGX_CONF_OK;
}

char* set_channel_rule(ngx_conf_t* cf, ngx_command_t*, void* conf) {
  MainConf& main = *static_cast<MainConf*>(conf);
  const auto given = parameters(cf);
  const Bytes pattern = bytes(given[0]);
  if (pattern.find('$') != Bytes::npos) {
    return conf_error(cf, pattern, "a rule's pattern has no variables");
  }
  Parts parts;
  for (const ngx_str_t& text : given.subspan(1)) {
    const Bytes wrong = read_parameter(parts, bytes(text));
    if (!wrong.empty()) return conf_error(cf, bytes(text), wrong);
  }
  if (!parts.history && !parts.needs_history.empty()) {
    return conf_error(cf, parts.needs_history,
                      "means nothing without history=");
  }
  if (parts.replicas_time && parts.rule.replicas == 0) {
    return conf_error(cf,
                      "replicas_timeout=", "means nothing without replicas=");
  }
  if (parts.own && !pattern.ends_with('*')) {
    return conf_error(cf, pattern,
                      "own needs a pattern that ends in *: the user's name "
                      "comes there");
  }
  if (!main.rules.add(pattern, parts.rule)) {
    return conf_error(cf, pattern, "empty, or it has a rule already");
  }
  main.rule_confs.push_back(
      {std::string(pattern), parts.rule, parts.replicas, parts.needs_redis});
  return NGX_CONF_OK;
}

}  // namespace paperboy::nginx
