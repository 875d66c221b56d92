#include "nginx/zone_node.hpp"

#include "base/version.hpp"
#include "nginx/worker.hpp"
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

const std::string& node_uid() { return uid; }

void ZoneNode::info(const InfoReply& reply) {
  reply(std::vector<api::NodeInfo>{own_info()});
}

void ZoneNode::channels(const api::ChannelsQuery& query,
                        const ChannelsReply& reply) {
  reply(own_channels(query));
}

api::NodeInfo ZoneNode::own_info() const {
  const broker::shm::Zone& zone = worker_.zone();
  const auto& cycle = *const_cast<const ngx_cycle_t*>(ngx_cycle);
  return {.uid = uid,
          .name = std::string(bytes(cycle.hostname)),
          .version = "Paperboy " + std::string(kVersion),
          .clients = zone.sum(Counter::connections),
          .subscriptions = zone.sum(Counter::subscriptions),
          .channels = zone.channel_count(),
          .uptime_seconds = static_cast<std::uint64_t>(ngx_time() - started)};
}

Result<api::ActiveChannels> ZoneNode::own_channels(
    const api::ChannelsQuery& query) const {
  api::ActiveChannels found(query.room);
  const std::string prefix = query.prefix();
  std::uint64_t cursor = 0;
  do {
    const auto page = worker_.zone().channels(
        {.prefix = prefix, .cursor = cursor, .subscribed = true});
    if (!page) return page.error();
    cursor = page->cursor;
    for (const auto& channel : page->channels) {
      const Bytes name = query.name(channel.name);
      if (name.empty()) continue;
      const auto added = found.add(name, channel.subscribers);
      if (!added) return added.error();
    }
  } while (cursor != 0);
  return found;
}

}  // namespace paperboy::nginx
