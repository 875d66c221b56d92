#include "base/counters.hpp"

namespace paperboy {

namespace {

constexpr std::array<Bytes, kCounters> kNames{
    "connections",
    "subscriptions",
    "backlog_bytes",
    "upgrades",
    "messages_received",
    "messages_sent",
    "bytes_received",
    "bytes_sent",
    "publications",
    "publish_errors",
    "gaps",
    "method",
    "handshake",
    "tls",
    "origin",
    "token",
    "channel",
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
    "3005",
    "3008",
    "3010",
    "3012",
    "other",
};
static_assert(!kNames.back().empty());

}  // namespace

Bytes counter_name(Counter counter) {
  return kNames[static_cast<std::size_t>(counter)];
}

Counter closed_with(std::uint16_t code) {
  switch (code) {
    case 1000:
      return Counter::closed_1000;
    case 1001:
      return Counter::closed_1001;
    case 1002:
      return Counter::closed_1002;
    case 1003:
      return Counter::closed_1003;
    case 1005:
      return Counter::closed_1005;
    case 1006:
      return Counter::closed_1006;
    case 1007:
      return Counter::closed_1007;
    case 1008:
      return Counter::closed_1008;
    case 1009:
      return Counter::closed_1009;
    case 1011:
      return Counter::closed_1011;
    case 1013:
      return Counter::closed_1013;
    case 3005:
      return Counter::closed_3005;
    case 3008:
      return Counter::closed_3008;
    case 3010:
      return Counter::closed_3010;
    case 3012:
      return Counter::closed_3012;
    default:
      return Counter::closed_other;
  }
}

}  // namespace paperboy
