// What the tests of anchors and imports have in common: a channel whose
// publications are made elsewhere.
#pragma once

#include <algorithm>
#include <string>
#include <vector>

#include "broker/shm_anchor.hpp"
#include "broker/shm_history_reader.hpp"
#include "broker/shm_parts.hpp"
#include "broker/shm_support.hpp"

namespace paperboy::broker::shm {

inline constexpr std::uint64_t kEpoch = 77;
inline constexpr Retention kThousands{.count = 100'000};

/// What is published there at an offset.
inline std::string made(std::uint64_t offset) {
  return "m" + std::to_string(offset);
}

/// Of the offsets from `first` to `last`, each a second older than the next;
/// longer where that is wanted.
inline std::vector<Recent> window(std::uint64_t first, std::uint64_t last,
                                  std::size_t size = 0,
                                  std::uint64_t epoch = kEpoch) {
  std::vector<Recent> all;
  for (std::uint64_t i = first; i <= last; i++) {
    std::string data = made(i);
    if (data.size() < size) data.append(size - data.size(), 'x');
    all.push_back({{{epoch, i}, Kind::text, data, "e"}, (last - i) * 1000});
  }
  return all;
}

/// The offsets of what is kept of a channel; "2 3 4 of 4".
inline std::string kept(Zone& zone, Bytes name = "news") {
  const auto page = zone.history(name, {});
  if (!page) return "none";
  std::string all;
  for (const Kept& it : page->publications) {
    assert_true(it.data.starts_with(made(it.position.offset)));
    all += std::to_string(it.position.offset) + " ";
  }
  return all + "of " + std::to_string(page->top.offset);
}

/// A zone with a reader of "news", which has no position yet.
struct Elsewhere : TestZone {
  explicit Elsewhere(const Options& options = small_options(),
                     std::size_t size = 0)
      : TestZone(options, size), reader(claim()) {
    ref = zone.subscribe(reader, "news", 0, Anchor::later)->ref;
  }

  Result<Done> anchor(std::uint64_t offset,
                      const std::vector<Recent>& recent = {},
                      const Retention& keep = kThousands,
                      std::uint64_t epoch = kEpoch) {
    return zone.anchor("news", {epoch, offset}, recent, keep);
  }

  Import import(std::uint64_t offset, const Retention& keep = kThousands) {
    const std::string data = made(offset);
    return zone
        .import({.channel = "news", .data = data, .keep = keep},
                {kEpoch, offset})
        .value();
  }

  Notes& drain() {
    notes.clear();
    assert_true(zone.drain(reader, {}, notes) == Drained::empty);
    return notes;
  }

  SeatIndex reader;
  ChannelRef ref = 0;
  Notes notes;
};

/// Under the lock in several holds, as a window is: the nth hold's end.
struct Slowly {
  explicit Slowly(TestZone& it)
      : parts(it.memory.bytes().data(), it.clock, it.waker) {}

  /// True: that was all.
  bool go_on(Anchoring& anchoring) {
    Critical critical(parts);
    const auto done = anchoring.go_on(parts, critical.wakes);
    if (done) assert_true(done->ok());
    return done.has_value();
  }

  bool read_on(HistoryReader& reader) {
    const Critical critical(parts);
    const ChannelRef ref = parts.directory.find("news");
    return reader.read_on(parts.history, parts.directory.position(ref),
                          parts.order.annex(ref));
  }

  Parts parts;
};

inline void assert_text(const std::string& is, const char* expected) {
  assert_string_equal(is.c_str(), expected);
}

}  // namespace paperboy::broker::shm
