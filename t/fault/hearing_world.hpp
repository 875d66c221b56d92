// A channel, who publishes to it, and a client that is told no positions: for
// the tests of what the checker makes of them.
#pragma once

#include "hearing.hpp"
#include "test.hpp"

namespace paperboy::fault {

inline constexpr std::uint64_t kEpoch = 0xa1;
inline constexpr std::uint64_t kOther = 0xb2;

/// A channel and a user, two publishers and a back end's, one subscriber of
/// both, which is let in.
struct World {
  explicit World(bool returns = false)
      : here("one", 0, ledger, tally, returns) {
    here.begins(true);
    user.begins(true);
  }

  Stamp sent(std::uint32_t publisher, Way way = Way::http,
             std::uint32_t channel = 0) {
    Stamp stamp{publisher, channel, ledger.next(publisher, channel), 0};
    stamp.hash = hash_of(stamped(stamp, 80));
    ledger.publish(stamp, way);
    return stamp;
  }
  Stamp published(std::uint64_t offset, std::uint64_t epoch = kEpoch) {
    const Stamp stamp = sent(offset % 2);
    ledger.acknowledge(stamp, {epoch, offset});
    return stamp;
  }
  /// To the user, by a back end.
  Stamp said(bool accepted = true) {
    const Stamp stamp = sent(2, Way::topic, 1);
    if (accepted) ledger.accept(stamp);
    return stamp;
  }
  void gets(const Stamp& stamp) { here.receives(stamp); }
  void gets_all(std::uint64_t from, std::uint64_t to) {
    for (std::uint64_t i = from; i <= to; ++i) gets(published(i));
  }
  void miss(std::uint64_t from, std::uint64_t to) {
    for (std::uint64_t i = from; i <= to; ++i) (void)published(i);
  }
  /// Its connection ends, and another begins.
  void returns(bool noted = false, bool told = true) {
    here.ends(noted);
    here.begins(told);
  }

  void expect(std::uint64_t untold, std::uint64_t duplicates,
              std::uint64_t reorders, std::uint64_t contradictions) const {
    assert_int_equal(tally.counts.untold, untold);
    assert_int_equal(tally.counts.duplicates, duplicates);
    assert_int_equal(tally.counts.reorders, reorders);
    assert_int_equal(tally.counts.contradictions, contradictions);
  }

  Tally tally{nullptr};
  Ledger ledger{3, 1, tally, 1};
  Hearing here;
  Hearing user{"one/user", 1, ledger, tally};
};

}  // namespace paperboy::fault
