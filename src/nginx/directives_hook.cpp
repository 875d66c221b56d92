// paperboy_hook: the application that is told what clients do.
#include <algorithm>
#include <utility>

#include "nginx/directives.hpp"

namespace paperboy::nginx {

namespace {

using Event = session::Hook::Event;

constexpr ngx_msec_t kMostDelay = 60'000;
constexpr ngx_int_t kMost = 1'000'000;

/// 0: there is none of this name.
unsigned bit_of(Bytes word) {
  if (word == "connect") return HookConf::bit(Event::connect);
  if (word == "disconnect") return HookConf::bit(Event::disconnect);
  if (word == "subscribe") return HookConf::bit(Event::subscribe);
  if (word == "unsubscribe") return HookConf::bit(Event::unsubscribe);
  if (word == "channel_first") return HookConf::kFirst;
  if (word == "channel_last") return HookConf::kLast;
  return 0;
}

/// What is wrong with a list of events; empty: nothing.
Bytes read_events(Bytes words, unsigned& events) {
  events = 0;
  for (bool more = true; more;) {
    const std::size_t comma = words.find(',');
    more = comma != Bytes::npos;
    const unsigned bit = bit_of(words.substr(0, comma));
    if (more) words.remove_prefix(comma + 1);
    if (bit == 0 || (events & bit) != 0) {
      return "expected connect, disconnect, subscribe, unsubscribe, "
             "channel_first and channel_last, with commas between";
    }
    events |= bit;
  }
  return {};
}

Bytes read_number(const ngx_str_t& text, ngx_int_t least, std::size_t& out) {
  const ngx_int_t parsed = ngx_atoi(text.data, text.len);
  if (parsed < least || parsed > kMost) {
    return least == 0 ? "expected a number from 0 to 1000000"
                      : "expected a number from 1 to 1000000";
  }
  out = static_cast<std::size_t>(parsed);
  return {};
}

/// What is wrong with `text`; empty: nothing.
Bytes read_option(Bytes text, HookConf& hook) {
  const std::size_t end = text.find('=');
  const Bytes name = text.substr(0, end);
  ngx_str_t value = borrow(end == Bytes::npos ? Bytes() : text.substr(end + 1));
  if (name == "events") return read_events(bytes(value), hook.events);
  if (name == "batch") return read_number(value, 1, hook.queue.batch);
  if (name == "queue") return read_number(value, 1, hook.queue.queue);
  if (name == "retries") return read_number(value, 0, hook.queue.retries);
  if (name == "delay") {
    const ngx_int_t parsed = ngx_parse_time(&value, 0);
    if (parsed < 0 || parsed > static_cast<ngx_int_t>(kMostDelay)) {
      return "expected a time from 0 to 1m";
    }
    hook.queue.delay_ms = static_cast<std::uint64_t>(parsed);
    return {};
  }
  if (name == "timeout") {
    const ngx_int_t parsed = ngx_parse_time(&value, 0);
    if (parsed <= 0) return "expected a time above 0";
    hook.timeout_ms = static_cast<ngx_msec_t>(parsed);
    return {};
  }
  return "expected events=, batch=, delay=, queue=, retries= or timeout=";
}

}  // namespace

char* set_hook(ngx_conf_t* cf, ngx_command_t*, void* conf) {
  LocationConf& here = *static_cast<LocationConf*>(conf);
  static char text[] = "is duplicate";
  if (std::exchange(here.hook_set, true)) return text;
  const auto given = parameters(cf);
  if (given.size() == 1 && bytes(given[0]) == "off") return NGX_CONF_OK;
  if (!bytes(given[0]).starts_with('/')) {
    return conf_error(cf, bytes(given[0]),
                      "expected off, or a URI that begins with /");
  }
  auto hook = std::make_shared<HookConf>();
  hook->uri = bytes(given[0]);
  hook->server =
      static_cast<ngx_http_core_srv_conf_t*>(
          ngx_http_conf_get_module_srv_conf(cf, ngx_http_core_module))
          ->ctx;
  for (const ngx_str_t& one : given.subspan(1)) {
    const Bytes why = read_option(bytes(one), *hook);
    if (!why.empty()) return conf_error(cf, bytes(one), why);
  }
  main_conf(cf).asks = true;
  here.hook = std::move(hook);
  return NGX_CONF_OK;
}

void note_channel_hook(ngx_conf_t* cf, const LocationConf& conf) {
  if (conf.dialect == nullptr || !conf.hook || !conf.hook->is_for_channels()) {
    return;
  }
  auto& all = main_conf(cf).channel_hooks;
  auto found = std::ranges::find(all, conf.hook, &ChannelHook::hook);
  if (found == all.end()) {
    found = all.insert(all.end(), {.hook = conf.hook, .spaces = {}});
  }
  const Value space = conf.name_space;
  if (space != nullptr && space->lengths != nullptr) {
    found->anywhere = true;
    return;
  }
  const Bytes name = space != nullptr ? bytes(space->value) : Bytes();
  if (!found->covers(name)) found->spaces.emplace_back(name);
}

}  // namespace paperboy::nginx
