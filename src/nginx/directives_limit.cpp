// paperboy_limit_*: whom a limit counts together, how many, how fast.
#include <algorithm>

#include "nginx/directives.hpp"

namespace paperboy::nginx {

namespace {

using By = LimitKey::By;

constexpr std::uint64_t kSecondNs = 1'000'000'000;

LocationConf& location(void* conf) { return *static_cast<LocationConf*>(conf); }

char* failed() { return static_cast<char*>(NGX_CONF_ERROR); }

/// `off` alone: the list is empty from here on; null: it isn't off.
template <typename Limit>
bool is_off(ngx_conf_t* cf, std::optional<std::vector<Limit>>& list) {
  const auto given = parameters(cf);
  if (given.size() != 1 || bytes(given[0]) != "off" || list) return false;
  list.emplace();
  return true;
}

struct Word {
  Bytes text;
  By by;
};
constexpr std::array kWords{
    Word{"connection", By::connection},
    Word{"address", By::address},
    Word{"user", By::user},
    Word{"all", By::all},
};

/// null: all is well.
char* read_key(ngx_conf_t* cf, const ngx_str_t& text, LimitKey& key) {
  key.name = bytes(*static_cast<ngx_str_t*>(cf->args->elts));
  for (const ngx_str_t& given : parameters(cf)) {
    key.name.append(" ").append(bytes(given));
  }
  const auto word = std::ranges::find(kWords, bytes(text), &Word::text);
  if (word != kWords.end()) {
    key.by = word->by;
    return NGX_CONF_OK;
  }
  if (bytes(text).find('$') == Bytes::npos) {
    return conf_error(cf, bytes(text),
                      "nothing to count by; there are address, user, "
                      "connection, all and texts with variables");
  }
  key.by = By::value;
  key.value = compile_value(cf, text);
  return key.value != nullptr ? NGX_CONF_OK : failed();
}

/// False: it isn't a rate.
bool read_rate(Bytes text, Amount amount, RateLimit& limit) {
  const auto pace = parse_pace(text, amount);
  if (pace) limit.pace = *pace;
  return pace.has_value();
}

/// False: it isn't `burst=`, or the second.
bool read_burst(Bytes text, Amount amount, RateLimit& limit) {
  const auto burst = parse_burst(text, amount);
  if (!burst || limit.pace.burst != 0) return false;
  limit.pace.burst = *burst;
  return true;
}

/// `KEY RATE [burst=N]`, or `off`.
char* add_rate(ngx_conf_t* cf, std::optional<std::vector<RateLimit>>& list,
               Amount amount) {
  const bool size = amount == Amount::size;
  main_conf(cf).has_limits = true;
  if (is_off(cf, list)) return NGX_CONF_OK;
  const auto given = parameters(cf);
  RateLimit limit;
  if (given.size() < 2) {
    return conf_error(cf, bytes(given[0]),
                      "expected whom to count together and a rate, or off");
  }
  if (char* const bad = read_key(cf, given[0], limit.key)) return bad;
  if (!read_rate(bytes(given[1]), amount, limit)) {
    return conf_error(cf, bytes(given[1]),
                      size ? "not a rate, such as 64k/s or 10m/m"
                           : "not a rate, such as 10/s, 100/m or 1000/h");
  }
  if (given.size() == 3 && !read_burst(bytes(given[2]), amount, limit)) {
    return conf_error(cf, bytes(given[2]),
                      size ? "expected burst=SIZE" : "expected burst=NUMBER");
  }
  if (!list) list.emplace();
  list->push_back(std::move(limit));
  return NGX_CONF_OK;
}

}  // namespace

bool LimitsConf::watches() const {
  return !each(connections).empty() || !each(messages).empty() ||
         !each(bytes).empty() || !each(bad_tokens).empty();
}

void LimitsConf::inherit(const LimitsConf& parent) {
  if (!connections) connections = parent.connections;
  if (!upgrades) upgrades = parent.upgrades;
  if (!messages) messages = parent.messages;
  if (!bytes) bytes = parent.bytes;
  if (!bad_tokens) bad_tokens = parent.bad_tokens;
}

/// What was not set depends on other limits.
char* finish_limits(ngx_conf_t* cf, LocationConf& conf) {
  for (auto* const list : {&conf.limits.upgrades, &conf.limits.messages}) {
    if (!*list) continue;
    for (RateLimit& limit : **list) limit.rate = limit.pace.rate(1);
  }
  if (!conf.limits.bytes) return NGX_CONF_OK;
  const std::uint64_t least = least_burst(conf.max_message_size);
  for (RateLimit& limit : *conf.limits.bytes) {
    if (limit.pace.burst != 0 && limit.pace.burst < least) {
      return conf_error(cf, "paperboy_limit_bytes",
                        "expected a burst of at least 32k and "
                        "paperboy_max_message_size: a message that is larger "
                        "would never pass");
    }
    limit.rate = limit.pace.rate(2 * least);
  }
  return NGX_CONF_OK;
}

char* set_limit_connections(ngx_conf_t* cf, ngx_command_t*, void* conf) {
  auto& list = location(conf).limits.connections;
  main_conf(cf).has_limits = true;
  if (is_off(cf, list)) return NGX_CONF_OK;
  const auto given = parameters(cf);
  ConnectionLimit limit{};
  if (given.size() < 2) {
    return conf_error(cf, bytes(given[0]),
                      "expected whom to count together and a number, or off");
  }
  if (char* const bad = read_key(cf, given[0], limit.key)) return bad;
  limit.key.name = "connections ";
  limit.key.name.append(bytes(given[0]));
  const ngx_int_t most = ngx_atoi(given[1].data, given[1].len);
  if (most < 1) {
    return conf_error(cf, bytes(given[1]), "expected a number of at least 1");
  }
  limit.most = static_cast<std::uint64_t>(most);
  if (limit.key.by == By::connection) {
    return conf_error(cf, bytes(given[0]), "each connection is one");
  }
  if (!list) list.emplace();
  list->push_back(std::move(limit));
  return NGX_CONF_OK;
}

char* set_limit_upgrades(ngx_conf_t* cf, ngx_command_t*, void* conf) {
  auto& list = location(conf).limits.upgrades;
  if (char* const bad = add_rate(cf, list, Amount::number)) return bad;
  if (list->empty()) return NGX_CONF_OK;
  const By by = list->back().key.by;
  if (by != By::connection && by != By::user) return NGX_CONF_OK;
  return conf_error(cf, bytes(parameters(cf)[0]),
                    "not known before the upgrade; there are address, all and "
                    "texts with variables");
}

char* set_limit_messages(ngx_conf_t* cf, ngx_command_t*, void* conf) {
  return add_rate(cf, location(conf).limits.messages, Amount::number);
}

char* set_limit_bytes(ngx_conf_t* cf, ngx_command_t*, void* conf) {
  return add_rate(cf, location(conf).limits.bytes, Amount::size);
}

/// `RATE [burst=N] [pause=TIME]`, or `off`.
char* set_limit_bad_tokens(ngx_conf_t* cf, ngx_command_t*, void* conf) {
  constexpr Bytes kPause = "pause=";
  constexpr std::uint64_t kDefaultPauseNs = 60 * kSecondNs;
  static char duplicate[] = "is duplicate";
  auto& list = location(conf).limits.bad_tokens;
  if (list) return duplicate;
  main_conf(cf).has_limits = true;
  if (is_off(cf, list)) return NGX_CONF_OK;
  const auto given = parameters(cf);
  RateLimit limit;
  BadTokenLimit made{.rate = {}, .pause_ns = 0};
  if (!read_rate(bytes(given[0]), Amount::number, limit)) {
    return conf_error(cf, bytes(given[0]),
                      "expected off, or a rate, such as 20/m");
  }
  for (const ngx_str_t& text : given.subspan(1)) {
    if (read_burst(bytes(text), Amount::number, limit)) continue;
    ngx_str_t time = borrow(bytes(text));
    const bool named = bytes(text).starts_with(kPause) && made.pause_ns == 0;
    if (named) time = borrow(bytes(text).substr(kPause.size()));
    const ngx_int_t seconds = named ? ngx_parse_time(&time, 1) : NGX_ERROR;
    if (seconds < 1) {
      return conf_error(cf, bytes(text), "expected burst=NUMBER or pause=TIME");
    }
    made.pause_ns = static_cast<std::uint64_t>(seconds) * kSecondNs;
  }
  if (made.pause_ns == 0) made.pause_ns = kDefaultPauseNs;
  made.rate = limit.pace.rate(1);
  list.emplace({made});
  return NGX_CONF_OK;
}

char* set_token_limits(ngx_conf_t* cf, ngx_command_t* cmd, void* conf) {
  char* const bad = ngx_conf_set_flag_slot(cf, cmd, conf);
  if (location(conf).token_limits == 1) main_conf(cf).has_limits = true;
  return bad;
}

char* set_limit_zone(ngx_conf_t* cf, ngx_command_t*, void* conf) {
  constexpr ssize_t kLeast = 128L * 1024;
  static char duplicate[] = "is duplicate";
  auto& size = static_cast<MainConf*>(conf)->limit_zone_size;
  if (size != 0) return duplicate;
  ngx_str_t& given = parameters(cf)[0];
  const ssize_t parsed = ngx_parse_size(&given);
  if (parsed < kLeast) {
    return conf_error(cf, bytes(given), "expected a size of 128k or more");
  }
  size = static_cast<std::size_t>(parsed);
  return NGX_CONF_OK;
}

}  // namespace paperboy::nginx
