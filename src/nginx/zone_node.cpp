#include "nginx/zone_node.hpp"

#include "session/client_id.hpp"

namespace paperboy::nginx {

namespace {

// Workers have them from their master.
time_t started;
std::string uid;

}  // namespace

void begin_node() {
  if (!uid.empty()) return;
  started = ngx_time();
  uid = session::client_text(session::make_client_id());
}

api::NodeInfo ZoneNode::info() {
  const broker::shm::Zone& zone = worker_.zone();
  const auto& cycle = *const_cast<const ngx_cycle_t*>(ngx_cycle);
  return {.uid = uid,
          .name = std::string(bytes(cycle.hostname)),
          .clients = zone.sum(Counter::connections),
          .subscriptions = zone.sum(Counter::subscriptions),
          .channels = worker_.channels(),
          .uptime_seconds = static_cast<std::uint64_t>(ngx_time() - started)};
}

Result<Done> ZoneNode::channels(Bytes prefix, std::uint64_t& cursor,
                                std::vector<api::ActiveChannel>& found) {
  auto page = worker_.zone().channels(
      {.prefix = prefix, .cursor = cursor, .subscribed = true});
  if (!page) return page.error();
  cursor = page->cursor;
  for (auto& channel : page->channels) {
    // What begins with a NUL is our own.
    if (channel.name.front() == '\0') continue;
    found.push_back({std::move(channel.name), channel.subscribers});
  }
  return Done{};
}

}  // namespace paperboy::nginx
