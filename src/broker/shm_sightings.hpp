// What workers have seen of what is published elsewhere, so that it doesn't end
// with them: of each part of the channels a generation, whose word it was, and
// how far the sequence had come.
//
// Of two the stronger stays: that of the generation with the higher number;
// within a generation that of the higher sequence, which only grows there; of
// two equal ones of different sources the later. Of two generations with the
// same number, which have no order, the one that is there stays.
//
// To another sighting an entry changes under the lock and as a whole. Its
// sequence is raised without the lock too: it shares its word with a mark,
// which is another for each sighting, so that nobody raises what isn't his.
// What such a raise adds in the very moment of a change may be lost with that
// change: who has seen it repeats it.
//
// A view without state of its own; under the writer lock unless it says not.
#pragma once

#include <cstddef>
#include <cstdint>

#include "broker/shm_layout.hpp"
#include "broker/shm_lock.hpp"

namespace paperboy::broker::shm {

class Sightings {
 public:
  explicit Sightings(View view) : view_(view) {}

  // As Zone's.
  SightingMark note(std::size_t part, const Sighting& it);
  /// Without the lock.
  bool raise(std::size_t part, SightingMark mark, std::uint64_t sequence);
  [[nodiscard]] Sighting at(std::size_t part) const;

 private:
  [[nodiscard]] SightingEntry& entry(std::size_t part) const {
    return view_.header().sightings[part];
  }

  View view_;
};

}  // namespace paperboy::broker::shm
