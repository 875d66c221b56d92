// CLUSTER SLOTS answers an array of
//
//   [first slot, last slot, master, replica...]
//
// and each server is [host, port, id, more...]. A host that is empty or nil is
// that of the server that was asked; "?" is one that has none.
#include "broker/redis_slots.hpp"

#include <algorithm>
#include <charconv>
#include <string>
#include <unordered_set>

#include "broker/redis_url.hpp"

namespace paperboy::broker::redis {

namespace {

// Redis itself advises against more than 1000.
constexpr std::size_t kMostServers = 2000;

std::optional<std::uint16_t> read_number(Bytes digits) {
  std::uint16_t number = 0;
  const char* const end = digits.data() + digits.size();
  const auto [at, error] = std::from_chars(digits.data(), end, number);
  if (error != std::errc() || at != end) return std::nullopt;
  return number;
}

Server server_at(Bytes host, std::uint16_t port, const Server& asked) {
  return {.host = host.empty() ? asked.host : std::string(host),
          .port = port,
          .tls = asked.tls};
}

std::optional<Server> read_server(const Reply& item, const Server& asked) {
  if (item.items.size() < 2) return std::nullopt;
  const Bytes host = item.items[0].string();
  const std::int64_t port = item.items[1].integer;
  if (port < 1 || port > 65535) return std::nullopt;
  if (!host.empty() && !is_host(host)) return std::nullopt;
  return server_at(host, static_cast<std::uint16_t>(port), asked);
}

const std::array<Slot, kBuckets>& bucket_slots() {
  static const std::array<Slot, kBuckets> slots = [] {
    std::array<Slot, kBuckets> all{};
    for (Bucket bucket = 0; bucket < kBuckets; ++bucket) {
      all[bucket] = slot_of(Bytes(std::to_string(bucket)));
    }
    return all;
  }();
  return slots;
}

/// Each once, in their order.
class Servers {
 public:
  void add(const Server& server) {
    if (servers_.size() > kMostServers) return;
    if (names_.insert(name_of(server)).second) servers_.push_back(server);
  }
  [[nodiscard]] const std::vector<Server>& all() const { return servers_; }

 private:
  std::vector<Server> servers_;
  std::unordered_set<std::string> names_;
};

}  // namespace

Slot slot_of(Bytes hash_tag) {
  std::uint32_t crc = 0;
  for (const char c : hash_tag) {
    crc ^= static_cast<std::uint32_t>(static_cast<unsigned char>(c)) << 8;
    for (int bit = 0; bit < 8; ++bit) {
      crc = (crc & 0x8000U) != 0 ? (crc << 1) ^ 0x1021U : crc << 1;
    }
  }
  return static_cast<Slot>(crc % kSlots);
}

Slot slot_of(Bucket bucket) { return bucket_slots()[bucket]; }

std::optional<Topology> read_slots(const Reply& answer, const Server& asked) {
  if (answer.kind != Reply::Kind::array || answer.items.empty()) {
    return std::nullopt;
  }
  if (answer.items.size() > kSlots) return std::nullopt;
  Topology topology;
  Servers servers;
  for (const Reply& range : answer.items) {
    if (range.items.size() < 3) return std::nullopt;
    const std::int64_t first = range.items[0].integer;
    const std::int64_t last = range.items[1].integer;
    const auto master = read_server(range.items[2], asked);
    if (!master) continue;
    servers.add(*master);
    for (Bucket bucket = 0; bucket < kBuckets; ++bucket) {
      const Slot slot = slot_of(bucket);
      if (slot >= first && slot <= last) topology.owners[bucket] = master;
    }
  }
  for (const Reply& range : answer.items) {
    for (std::size_t i = 3; i < range.items.size(); ++i) {
      const auto replica = read_server(range.items[i], asked);
      if (replica) servers.add(*replica);
    }
  }
  if (servers.all().size() > kMostServers) return std::nullopt;
  topology.servers = servers.all();
  return topology;
}

std::optional<Redirection> read_redirection(Bytes error, const Server& asked) {
  const std::size_t first = error.find(' ');
  const std::size_t second = error.find(' ', first + 1);
  const std::size_t colon = error.rfind(':');
  if (first == Bytes::npos || second == Bytes::npos || colon == Bytes::npos ||
      colon < second) {
    return std::nullopt;
  }
  const auto slot = read_number(error.substr(first + 1, second - first - 1));
  const Bytes host = error.substr(second + 1, colon - second - 1);
  const auto port = read_number(error.substr(colon + 1));
  if (!slot || *slot >= kSlots || !port || *port == 0 ||
      (!host.empty() && !is_host(host))) {
    return std::nullopt;
  }
  return Redirection{*slot, server_at(host, *port, asked)};
}

}  // namespace paperboy::broker::redis
