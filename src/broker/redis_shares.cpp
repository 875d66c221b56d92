#include "broker/redis_shares.hpp"

#include <algorithm>

namespace paperboy::broker::redis {

namespace {

/// SplitMix64's last steps: all bits of the input count.
std::uint64_t mixed(std::uint64_t x) {
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9U;
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebU;
  return x ^ (x >> 31);
}

std::uint64_t weight(const shm::Relay& relay, Bucket bucket) {
  return mixed(mixed(std::uint64_t{relay.seat} << 32 | relay.generation) +
               0x9e3779b97f4a7c15U * (std::uint64_t{bucket} + 1));
}

}  // namespace

bool Shares::update(std::vector<shm::Relay> relays) {
  if (relays == relays_) return false;
  relays_ = std::move(relays);
  for (Bucket bucket = 0; bucket < kBuckets && !relays_.empty(); ++bucket) {
    owners_[bucket] =
        std::ranges::max_element(relays_, {}, [bucket](const shm::Relay& one) {
          return weight(one, bucket);
        })->seat;
  }
  return true;
}

std::optional<shm::SeatIndex> Shares::owner(Bucket bucket) const {
  if (relays_.empty()) return {};
  return owners_[bucket];
}

}  // namespace paperboy::broker::redis
