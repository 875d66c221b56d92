#include "broker/shm_sightings.hpp"

#include <algorithm>
#include <atomic>

namespace paperboy::broker::shm {

namespace {

constexpr unsigned kMarkShift = 48;
constexpr std::uint64_t kMostSequence = (std::uint64_t{1} << kMarkShift) - 1;

std::uint64_t load(std::uint64_t& top) {
  return std::atomic_ref(top).load(std::memory_order_relaxed);
}

SightingMark mark_of(std::uint64_t top) {
  return static_cast<SightingMark>(top >> kMarkShift);
}

std::uint64_t sequence_of(std::uint64_t top) { return top & kMostSequence; }

std::uint64_t packed(SightingMark mark, std::uint64_t sequence) {
  return std::uint64_t{mark} << kMarkShift | std::min(sequence, kMostSequence);
}

SightingMark after(SightingMark mark) {
  const auto next = static_cast<SightingMark>(mark + 1);
  return next == 0 ? SightingMark{1} : next;
}

}  // namespace

SightingMark Sightings::note(std::size_t part, const Sighting& it) {
  SightingEntry& here = entry(part);
  const std::uint64_t top = load(here.top);
  const bool same_generation =
      here.generation == it.generation && here.salt == it.salt;
  if (same_generation && here.source == it.source) {
    raise(part, mark_of(top), it.sequence);
    return mark_of(top);
  }
  const bool stronger = same_generation ? it.sequence >= sequence_of(top)
                                        : it.generation > here.generation;
  if (!stronger) return 0;
  const SightingMark mark = after(mark_of(top));
  Transaction tx(view_);
  tx.set(here.generation, it.generation);
  tx.set(here.salt, it.salt);
  tx.set(here.source, it.source);
  tx.set(here.top, packed(mark, it.sequence));
  tx.commit();
  return mark;
}

bool Sightings::raise(std::size_t part, SightingMark mark,
                      std::uint64_t sequence) {
  const std::atomic_ref top(entry(part).top);
  const std::uint64_t wanted = packed(mark, sequence);
  std::uint64_t now = top.load(std::memory_order_relaxed);
  while (mark_of(now) == mark) {
    if (now >= wanted ||
        top.compare_exchange_weak(now, wanted, std::memory_order_relaxed)) {
      return true;
    }
  }
  return false;
}

Sighting Sightings::at(std::size_t part) const {
  SightingEntry& here = entry(part);
  return {here.generation, here.salt, here.source, sequence_of(load(here.top))};
}

}  // namespace paperboy::broker::shm
