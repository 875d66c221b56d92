#include "broker/shm_anchor.hpp"

#include <algorithm>
#include <limits>

namespace paperboy::broker::shm {

namespace {

// For one hold of the lock.
constexpr std::size_t kForget = 256;  // publications
constexpr std::size_t kKeep = 128;
constexpr std::size_t kKeepBytes = 256UL * 1024;

constexpr Error kUnknown = {ErrorCode::not_found, "there is no such channel"};
constexpr Error kBusy = {ErrorCode::unavailable,
                         "others anchor the channel all the while"};

std::size_t length(const Recent& recent) {
  return recent.kept.data.size() + recent.kept.extra.size();
}

}  // namespace

Anchoring::Anchoring(Bytes name, const Position& at,
                     std::span<const Recent> window, const Retention& keep)
    : name_(name), at_(at), window_(window), keep_(keep) {
  keep_.evict = true;
}

bool Anchoring::valid() const {
  if (at_.epoch == 0 || at_.offset < window_.size()) return false;
  std::uint64_t offset = at_.offset - window_.size();
  for (const Recent& it : window_) {
    if (it.kept.position != Position{at_.epoch, ++offset} ||
        it.kept.extra.size() > Draft::kMaxExtra ||
        it.kept.data.size() > std::numeric_limits<std::uint32_t>::max()) {
      return false;
    }
  }
  return true;
}

std::optional<Result<Done>> Anchoring::go_on(Parts& parts, SeatSet& wakes) {
  ref_ = parts.directory.find(name_);
  if (ref_ == 0) return kUnknown;
  if (!parts.log.make_room(
          Log::record_size({.channel = name_, .event = Event::anchor}),
          parts.now().monotonic)) {
    return kLogFull;
  }
  if (mark_ == 0) drop_what_isnt_kept();
  if (mark_ == 0 || !parts.directory.is_marked(ref_, mark_)) {
    if (++begun_ > kHolds) return kBusy;
    if (!begin(parts)) {
      finish(parts, wakes);
      return Done{};
    }
  }
  if (!emptied_) {
    emptied_ = parts.history.forget(
        ref_, std::numeric_limits<std::uint64_t>::max(), kForget);
  }
  if (!emptied_ || !prime(parts)) return {};
  finish(parts, wakes);
  return Done{};
}

/// The rule is known: the last ones, as far as it goes.
void Anchoring::drop_what_isnt_kept() {
  std::size_t number = 0;
  std::uint64_t bytes = 0;
  for (auto it = window_.rbegin(); it != window_.rend(); ++it, number++) {
    bytes += length(*it);
    if (number >= keep_.count || (keep_.bytes != 0 && bytes > keep_.bytes) ||
        (keep_.age_ms != 0 && it->age_ms >= keep_.age_ms)) {
      break;
    }
  }
  window_ = window_.last(number);
}

bool Anchoring::is_there(const Parts& parts) const {
  return parts.directory.position(ref_) == at_;
}

/// All of the window is kept already.
bool Anchoring::is_whole(const Parts& parts) const {
  if (window_.empty()) return true;
  const Annex* const annex = parts.order.annex(ref_);
  if (annex == nullptr || annex->first == 0) return false;
  const std::uint64_t first = parts.history.kept(annex->first).offset;
  const std::uint64_t last = parts.history.kept(annex->last).offset;
  return first <= window_.front().kept.position.offset && last == at_.offset &&
         annex->kept == last - first + 1;
}

/// False: there is nothing to be forgotten or kept.
bool Anchoring::begin(Parts& parts) {
  if (is_there(parts) ? is_whole(parts)
                      : window_.empty() && parts.history.kept_of(ref_) == 0) {
    return false;
  }
  mark_ = parts.directory.clear_position(ref_);
  emptied_ = false;
  next_ = 0;
  return true;
}

/// False: there is more of the window.
bool Anchoring::prime(Parts& parts) {
  Room room{.now = parts.now().zone, .evict = Evict::any, .spare = ref_};
  std::size_t bytes = 0;
  for (std::size_t n = 0; n < kKeep && bytes < kKeepBytes; n++) {
    if (next_ == window_.size()) return true;
    bytes += length(window_[next_]);
    if (!prime_next(parts, room)) return false;
  }
  return next_ == window_.size();
}

/// One for which there is no room isn't kept, and so nothing before it. False:
/// another hold of the lock gets further.
bool Anchoring::prime_next(Parts& parts, Room& room) {
  const Recent& it = window_[next_];
  const Draft draft{.channel = name_,
                    .kind = it.kept.kind,
                    .data = it.kept.data,
                    .extra = it.kept.extra,
                    .keep = keep_};
  const std::uint64_t age = std::min(it.age_ms, room.now);
  if (parts.publisher.keep_alone(ref_, draft, it.kept.position.offset,
                                 room.now - age, room)) {
    next_++;
    vain_ = 0;
    return true;
  }
  if (room.spent() && ++vain_ < kHolds) return false;
  next_++;
  emptied_ = false;
  return false;
}

void Anchoring::finish(Parts& parts, SeatSet& wakes) {
  parts.directory.prune(ref_);
  Transaction tx(parts.view);
  if (!is_there(parts)) parts.directory.set_position(tx, ref_, at_);
  parts.log.append(tx, ref_, {.channel = name_, .event = Event::anchor});
  tx.commit();
  parts.log.announce(ref_, wakes);
}

}  // namespace paperboy::broker::shm
