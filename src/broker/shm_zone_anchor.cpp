// The part of Zone that is about channels whose publications get their
// positions elsewhere, about who brings them in and what was seen there.
#include <limits>
#include <optional>
#include <vector>

#include "broker/shm_anchor.hpp"
#include "broker/shm_parts.hpp"
#include "broker/shm_zone.hpp"

namespace paperboy::broker::shm {

namespace {

constexpr std::size_t kForget = 256;  // publications, in one hold

constexpr Error kNoRoom = {ErrorCode::zone_full,
                           "others fill what room is made in the zone"};

/// As it is brought in: it was made, so neither key nor want of room matter.
Draft made_elsewhere(const Draft& draft, const Geometry& zone) {
  Draft made = draft;
  made.idempotency_key = {};
  made.keep.evict = true;
  if (History::cost(draft) > zone.history_size) made.keep = {};
  return made;
}

}  // namespace

Result<Done> Zone::anchor(Bytes name, const Position& at,
                          std::span<const Recent> window,
                          const Retention& keep) {
  if (!Directory::valid_name(name)) return kBadName;
  Anchoring anchoring(name, at, window, keep);
  if (!anchoring.valid()) {
    return Error{ErrorCode::bad_request,
                 "the window doesn't lead to the position"};
  }
  while (true) {
    Critical critical(*parts_);
    if (!critical.held()) return WriterLock::error();
    const auto done = anchoring.go_on(*parts_, critical.wakes);
    if (done) return *done;
  }
}

Result<Import> Zone::import(const Draft& draft, const Position& at) {
  const Draft made = made_elsewhere(draft, parts_->view.geometry());
  const auto checked = parts_->publisher.check(made);
  if (!checked) return checked.error();
  for (int hold = 0; hold < kHolds; hold++) {
    Critical critical(*parts_);
    if (!critical.held()) return WriterLock::error();
    const auto outcome =
        parts_->publisher.import(made, at, parts_->now(), critical.wakes);
    if (outcome) return *outcome;
  }
  return kNoRoom;
}

Result<bool> Zone::release(Bytes name) {
  if (!Directory::valid_name(name)) return kBadName;
  std::optional<std::uint64_t> mark;
  while (true) {
    const Critical critical(*parts_);
    if (!critical.held()) return WriterLock::error();
    const ChannelRef ref = parts_->directory.find(name);
    if (ref == 0) return true;
    if (!mark) {
      if (parts_->directory.subscribers(ref) != 0) return false;
      mark = parts_->directory.clear_position(ref);
    }
    // Who has come meanwhile finds it without a position, and sees to the rest.
    if (!parts_->directory.is_marked(ref, *mark) ||
        parts_->history.forget(ref, std::numeric_limits<std::uint64_t>::max(),
                               kForget)) {
      return true;
    }
  }
}

Result<SightingMark> Zone::note_sighting(std::size_t part, const Sighting& it) {
  const Critical critical(*parts_);
  if (!critical.held()) return WriterLock::error();
  return parts_->sightings.note(part, it);
}

bool Zone::raise_sighting(std::size_t part, SightingMark mark,
                          std::uint64_t sequence) {
  return parts_->sightings.raise(part, mark, sequence);
}

Result<std::vector<Sighting>> Zone::sightings() {
  const Critical critical(*parts_);
  if (!critical.held()) return WriterLock::error();
  std::vector<Sighting> all;
  for (std::size_t part = 0; part < kSightings; part++) {
    all.push_back(parts_->sightings.at(part));
  }
  return all;
}

void Zone::set_relay(SeatIndex seat, bool relays) {
  parts_->seats.set_relay(seat, relays);
}

std::vector<Relay> Zone::relays() const {
  std::vector<Relay> all;
  const std::uint64_t now = parts_->clock.monotonic_ms();
  for (SeatIndex i = 0; i < parts_->seats.number(); i++) {
    const auto relay = parts_->seats.relay(i, now);
    if (relay) all.push_back(*relay);
  }
  return all;
}

}  // namespace paperboy::broker::shm
