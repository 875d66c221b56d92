// The part of Zone that is about who is told which channels have subscribers.
#include <atomic>

#include "broker/shm_parts.hpp"
#include "broker/shm_zone.hpp"

namespace paperboy::broker::shm {

namespace {

constexpr std::uint64_t kBuckets = 1024;  // in one hold
constexpr std::size_t kChannels = 256;    // the same, about
constexpr int kRoundHolds = 64;           // in one call
constexpr std::uint64_t kNoted = 2000;    // changes in one call, about

void decide(Parts& parts, Patience patience) {
  const Critical critical(parts, patience);
  if (critical.held()) parts.occupancy.decide();
}

/// One hold of the lock; false: the round is over, or can't go on now.
bool look(Parts& parts) {
  const Critical critical(parts);
  if (!critical.held()) return false;
  DirectoryHeader& header = parts.view.header().directory;
  const std::uint64_t all = parts.view.geometry().buckets;
  std::uint64_t at = header.round_at;
  std::uint64_t left = header.round_left;
  std::size_t seen = 0;
  for (std::uint64_t n = 0; n < kBuckets && left > 0 && seen < kChannels; n++) {
    for (Ref ref = parts.view.buckets()[at]; ref != 0;
         ref = parts.directory.channel(ref).next) {
      parts.directory.settle(ref);
      seen++;
    }
    at = (at + 1) & (all - 1);
    left--;
  }
  Transaction tx(parts.view);
  tx.set(header.round_at, at);
  tx.set(header.round_left, left);
  tx.commit();
  return left > 0;
}

}  // namespace

void Zone::watch(Watcher* watcher) {
  parts_->occupancy.begin(watcher);
  decide(*parts_, Patience::more);
}

void Zone::stop_watching() { parts_->occupancy.stop(); }

void Zone::go_round() {
  Occupancy& occupancy = parts_->occupancy;
  if (occupancy.undecided()) decide(*parts_, Patience::usual);
  if (!occupancy.watches()) return;
  const std::uint64_t enough = occupancy.noted() + kNoted;
  DirectoryHeader& header = parts_->view.header().directory;
  for (int i = 0; i < kRoundHolds && occupancy.noted() < enough; i++) {
    // Most often there is none, and that takes no lock.
    const bool any =
        std::atomic_ref(header.round_left).load(std::memory_order_relaxed) != 0;
    if (!any || !look(*parts_)) return;
  }
}

}  // namespace paperboy::broker::shm
