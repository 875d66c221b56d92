// What is counted. Each worker adds to a row of its own, in memory that others
// may read at any time; sums over the rows are made when they are read. Counts
// only grow, and outlive the worker; gauges end with it.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <span>

#include "base/bytes.hpp"

namespace paperboy {

enum class Counter : std::uint8_t {
  // gauges
  connections,
  subscriptions,
  backlog_bytes,      // queued for clients, not yet taken by the kernel
  redis_relays,       // 1: this worker brings in what Redis delivers
  redis_ready,        // 1: it does, as was proved lately
  classic_listeners,  // 1: this worker may listen to back ends
  classic_ready,      // 1: it may, and can ask them and hear them
  hook_waiting,       // events that applications have yet to take
  // counts
  upgrades,
  messages_received,
  messages_sent,
  bytes_received,
  bytes_sent,
  publications,
  publish_errors,
  gaps,
  recovered,              // came back and got what they missed
  not_recovered,          // came back, and something is missing
  limited_messages,       // over paperboy_limit_messages
  limited_bytes,          // connections that were over paperboy_limit_bytes
  limited_subscriptions,  // over paperboy_max_subscriptions
  limits_full,            // not limited, since the zone of limits has no room
  redis_reconnects,
  redis_repaired,  // publications that were read to fill holes
  redis_gaps,      // holes that couldn't be filled, and were told
  redis_refused,   // not published, since Redis couldn't be reached
  redis_imported,  // publications that Redis delivered
  redis_inbox,     // entries of the inbox that were published
  redis_inbox_refused,
  classic_requests,       // to back ends
  classic_requests_lost,  // those that didn't reach them
  classic_messages,       // of back ends that took effect
  classic_malformed,      // and that were thrown away
  hook_events,            // that applications have taken
  hook_events_lost,       // that they never will
  hook_posts_failed,      // each time one was tried
  auth_requests,          // questions to back ends that decide
  auth_requests_allowed,
  auth_requests_denied,
  auth_requests_failed,      // that got no answer, or none that is one
  auth_requests_remembered,  // questions that needn't be asked
  revoked_connections,       // that ended with a token that was revoked
  revoked_subscriptions,     // and that did without their connection
  refused_method,
  refused_handshake,
  refused_tls,
  refused_origin,
  refused_csrf,
  refused_token,
  refused_channel,
  refused_connections,  // of one whom a limit counts together
  refused_upgrades,     // the same, that come too fast
  refused_paused,       // after bad tokens
  refused_capacity,
  closed_1000,
  closed_1001,
  closed_1002,
  closed_1003,
  closed_1005,
  closed_1006,
  closed_1007,
  closed_1008,
  closed_1009,
  closed_1011,
  closed_1013,
  closed_3001,
  closed_3004,
  closed_3005,
  closed_3008,
  closed_3010,
  closed_3011,
  closed_3012,
  closed_3013,
  closed_3500,
  closed_3501,
  closed_3502,
  closed_3503,
  closed_3504,
  closed_3505,
  closed_3507,
  closed_3508,
  closed_other,
  last = closed_other,
};

inline constexpr std::size_t kCounters =
    static_cast<std::size_t>(Counter::last) + 1;
inline constexpr std::size_t kGauges =
    static_cast<std::size_t>(Counter::hook_waiting) + 1;

/// Its name in the status: "messages_sent".
[[nodiscard]] Bytes counter_name(Counter counter);

/// The counter of connections that ended with `code`.
[[nodiscard]] Counter closed_with(std::uint16_t code);

/// One worker's row. The memory is the zone's, or the worker's own; it must
/// outlive this.
class Counters {
 public:
  using Row = std::span<std::atomic<std::uint64_t>, kCounters>;

  explicit Counters(Row row) : row_(row) {}

  // Only this worker writes its row: no locked instruction is needed.
  void add(Counter counter, std::uint64_t n = 1) {
    auto& cell = row_[static_cast<std::size_t>(counter)];
    cell.store(cell.load(std::memory_order_relaxed) + n,
               std::memory_order_relaxed);
  }
  void subtract(Counter gauge, std::uint64_t n = 1) { add(gauge, -n); }

 private:
  Row row_;
};

}  // namespace paperboy
