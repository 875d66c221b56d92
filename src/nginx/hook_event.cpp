#include "nginx/hook_event.hpp"

#include "base/json.hpp"
#include "hub/key.hpp"
#include "session/client_id.hpp"

namespace paperboy::nginx {

namespace {

using Event = session::Hook::Event;

Bytes event_name(Event event) {
  switch (event) {
    case Event::connect:
      return "connect";
    case Event::disconnect:
      return "disconnect";
    case Event::subscribe:
      return "subscribe";
    default:
      return "unsubscribe";
  }
}

std::uint64_t unix_ms() {
  const ngx_time_t& now = *ngx_timeofday();
  return static_cast<std::uint64_t>(now.sec) * 1000 + now.msec;
}

Json begin(Bytes type) {
  Json json = Json::object();
  json.set("type", Json::string(type)).set("time", Json::integer(unix_ms()));
  return json;
}

void set_channel(Json& json, Bytes key) {
  json.set("channel", Json::string(hub::channel_name(key)));
  const Bytes space = hub::channel_namespace(key);
  if (!space.empty()) json.set("namespace", Json::string(space));
}

}  // namespace

std::string event_text(const session::Hook::Told& what) {
  Json json = begin(event_name(what.event));
  json.set("client", Json::string(session::client_text(what.client)))
      .set("user", Json::string(what.user));
  if (!what.channel.empty()) set_channel(json, what.channel);
  if (what.event == Event::disconnect) {
    json.set("code", Json::integer(what.why.code))
        .set("reason", Json::string(what.why.reason));
  }
  return json.dump();
}

std::string event_text(const broker::shm::Change& change) {
  Json json = begin(change.subscribed ? "channel_first" : "channel_last");
  set_channel(json, change.name);
  json.set("seq", Json::integer(change.number));
  return json.dump();
}

}  // namespace paperboy::nginx
