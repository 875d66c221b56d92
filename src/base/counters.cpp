#include "base/counters.hpp"

#include <algorithm>

namespace paperboy {

namespace {

constexpr auto kNames = std::to_array<Bytes>({"connections",
                                              "subscriptions",
                                              "backlog_bytes",
                                              "redis_relays",
                                              "redis_ready",
                                              "classic_listeners",
                                              "classic_ready",
                                              "hook_waiting",
                                              "upgrades",
                                              "messages_received",
                                              "messages_sent",
                                              "bytes_received",
                                              "bytes_sent",
                                              "publications",
                                              "publish_errors",
                                              "gaps",
                                              "recovered",
                                              "not_recovered",
                                              "limited_messages",
                                              "limited_bytes",
                                              "limited_subscriptions",
                                              "limits_full",
                                              "redis_reconnects",
                                              "redis_repaired",
                                              "redis_gaps",
                                              "redis_refused",
                                              "redis_imported",
                                              "redis_inbox",
                                              "redis_inbox_refused",
                                              "classic_requests",
                                              "classic_requests_lost",
                                              "classic_messages",
                                              "classic_malformed",
                                              "hook_events",
                                              "hook_events_lost",
                                              "hook_posts_failed",
                                              "auth_requests",
                                              "auth_requests_allowed",
                                              "auth_requests_denied",
                                              "auth_requests_failed",
                                              "auth_requests_remembered",
                                              "revoked_connections",
                                              "revoked_subscriptions",
                                              "method",
                                              "handshake",
                                              "tls",
                                              "origin",
                                              "csrf",
                                              "token",
                                              "channel",
                                              "connection_limit",
                                              "upgrade_rate",
                                              "paused",
                                              "capacity",
                                              "1000",
                                              "1001",
                                              "1002",
                                              "1003",
                                              "1005",
                                              "1006",
                                              "1007",
                                              "1008",
                                              "1009",
                                              "1011",
                                              "1013",
                                              "3001",
                                              "3004",
                                              "3005",
                                              "3008",
                                              "3010",
                                              "3011",
                                              "3012",
                                              "3013",
                                              "3500",
                                              "3501",
                                              "3502",
                                              "3503",
                                              "3504",
                                              "3505",
                                              "3507",
                                              "3508",
                                              "other"});
static_assert(kNames.size() == kCounters);

// In the order of their counters.
constexpr auto kCodes = std::to_array<std::uint16_t>({
    1000, 1001, 1002, 1003, 1005, 1006, 1007, 1008, 1009,
    1011, 1013, 3001, 3004, 3005, 3008, 3010, 3011, 3012,
    3013, 3500, 3501, 3502, 3503, 3504, 3505, 3507, 3508,
});

constexpr auto kFirstClosed = static_cast<std::size_t>(Counter::closed_1000);
static_assert(kFirstClosed + kCodes.size() ==
              static_cast<std::size_t>(Counter::closed_other));

}  // namespace

Bytes counter_name(Counter counter) {
  return kNames[static_cast<std::size_t>(counter)];
}

Counter closed_with(std::uint16_t code) {
  const auto* const at = std::ranges::find(kCodes, code);
  return static_cast<Counter>(kFirstClosed +
                              static_cast<std::size_t>(at - kCodes.begin()));
}

}  // namespace paperboy
