// Where in a cluster what of a bucket is: its keys have the bucket's number as
// their hash tag, whose CRC-16 is one of 16384 slots, and each slot is on one
// master (redis.io/docs/reference/cluster-spec).
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <vector>

#include "base/bytes.hpp"
#include "broker/redis_keys.hpp"
#include "broker/redis_network.hpp"
#include "broker/redis_reply.hpp"

namespace paperboy::broker::redis {

using Slot = std::uint16_t;
inline constexpr Slot kSlots = 16384;

/// CRC-16/XMODEM of the text, modulo the slots.
[[nodiscard]] Slot slot_of(Bytes hash_tag);
[[nodiscard]] Slot slot_of(Bucket bucket);

/// Who has the buckets, as one server of the cluster sees it.
struct Topology {
  std::array<std::optional<Server>, kBuckets> owners;
  std::vector<Server> servers;  // all that there are, masters first
};

/// The answer to CLUSTER SLOTS of this server; nothing: it makes no sense, or
/// knows of no slot.
std::optional<Topology> read_slots(const Reply& answer, const Server& asked);

/// Of "MOVED 3999 127.0.0.1:6381" or "ASK ...", which this server answered.
struct Redirection {
  Slot slot;
  Server server;
};
std::optional<Redirection> read_redirection(Bytes error, const Server& asked);

}  // namespace paperboy::broker::redis
