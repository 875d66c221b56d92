#include "broker/shm_rates.hpp"

#include <algorithm>

namespace paperboy::broker::shm {

namespace {

constexpr auto kAny = std::memory_order_relaxed;

std::uint64_t over(const Rates::Entry& entry) {
  return entry.over_ns.load(kAny);
}

}  // namespace

/// All workers look for a place in the same order, so that two who come with
/// the same mark at once want the same place, and one of them finds it taken by
/// what it looks for.
Rates::Entry& Rates::entry(Mark mark, std::uint64_t now_ns) {
  Bucket& here = bucket(mark);
  for (;;) {
    const auto known = std::ranges::find_if(here, [mark](const Entry& entry) {
      return entry.mark.load(kAny) == mark;
    });
    if (known != here.end()) return *known;
    auto place = std::ranges::find_if(
        here, [now_ns](const Entry& entry) { return over(entry) <= now_ns; });
    const bool full = place == here.end();
    if (full) place = std::ranges::min_element(here, {}, over);
    Mark before = place->mark.load(kAny);
    if (before == mark || !place->mark.compare_exchange_strong(before, mark)) {
      continue;
    }
    if (full) {
      place->over_ns.store(0, kAny);
      ++forgotten_;
    }
    return *place;
  }
}

WaitNs Rates::charge(Mark mark, const Rate& rate, std::uint64_t now_ns,
                     std::uint64_t n) {
  Entry& here = entry(mark, now_ns);
  std::uint64_t before = over(here);
  for (;;) {
    std::uint64_t after = before;
    const WaitNs wait = paperboy::charge(rate, after, now_ns, n);
    if (wait != 0) return wait;
    if (here.over_ns.compare_exchange_weak(before, after)) return 0;
  }
}

void Rates::hold(Mark mark, std::uint64_t now_ns, std::uint64_t end_ns) {
  entry(mark, now_ns).over_ns.store(end_ns, kAny);
}

WaitNs Rates::held(Mark mark, std::uint64_t now_ns) const {
  for (const Entry& entry : bucket(mark)) {
    if (entry.mark.load(kAny) != mark) continue;
    return over(entry) - std::min(over(entry), now_ns);
  }
  return 0;
}

}  // namespace paperboy::broker::shm
