#include "broker/shm_zone.hpp"

#include <algorithm>
#include <new>
#include <utility>

#include "broker/shm_check.hpp"
#include "broker/shm_geometry.hpp"
#include "broker/shm_parts.hpp"

namespace paperboy::broker::shm {

namespace {

constexpr Error kNoRoom = {ErrorCode::zone_full,
                           "others fill what room is made in the zone"};
constexpr Error kUnknown = {ErrorCode::not_found, "there is no such channel"};

// So many have numbers between two zones' that were made a second apart. In
// 2038 numbers are below 2^51: JavaScript's are exact up to 2^53.
constexpr std::uint64_t kChangesASecond = 1UL << 20;

std::uint64_t since_1970(const Clock& clock) {
  return static_cast<std::uint64_t>(clock.unix_seconds()) * 1000;
}

/// A number that others may be changing.
std::uint64_t read(std::uint64_t& number) {
  return std::atomic_ref(number).load(std::memory_order_relaxed);
}

}  // namespace

std::size_t Zone::minimum_size(const Options& options) {
  return shm::minimum_size(options);
}

Result<Zone> Zone::format(std::span<std::byte> memory, const Options& options,
                          const Clock& clock, Waker& waker) {
  const auto geometry = divide(memory.size(), options);
  if (!geometry) {
    return Error{
        ErrorCode::bad_request,
        "the zone is too small for its seats, its log and its history"};
  }
  auto* header = new (memory.data()) Header{};
  header->version = kVersion;
  header->counters = kCounters;
  header->geometry = *geometry;
  header->stall_limit_ms = options.stall_limit_ms;
  header->time_base = since_1970(clock) - clock.monotonic_ms();
  make_robust(header->writer);
  auto parts = std::make_unique<Parts>(memory.data(), clock, waker);
  parts->arena.format();
  parts->directory.format(options);
  parts->occupancy.format(since_1970(clock) / 1000 * kChangesASecond);
  parts->history.format();
  parts->members.format();
  parts->keys.format();
  parts->seats.format();
  parts->log.format();
  header->magic.store(kMagic, std::memory_order_release);
  return Zone(std::move(parts));
}

Result<Zone> Zone::attach(std::span<std::byte> memory, const Clock& clock,
                          Waker& waker) {
  const auto* header = reinterpret_cast<const Header*>(memory.data());
  if (memory.size() < sizeof(Header) ||
      header->magic.load(std::memory_order_acquire) != kMagic) {
    return Error{ErrorCode::bad_request, "this isn't a zone of Paperboy's"};
  }
  if (header->version != kVersion || header->counters != kCounters) {
    return Error{ErrorCode::bad_request,
                 "the zone was made by another version of Paperboy"};
  }
  Options options;
  options.seats = header->geometry.seats;
  options.log_size = header->geometry.log_size;
  options.history_size = header->geometry.history_size;
  if (divide(memory.size(), options) != header->geometry) {
    return Error{ErrorCode::bad_request, "the zone has another size"};
  }
  return Zone(std::make_unique<Parts>(memory.data(), clock, waker));
}

Result<Zone> Zone::reopen(std::span<std::byte> memory, const Options& options,
                          const Clock& clock, Waker& waker,
                          std::optional<std::uint64_t> left_at) {
  auto zone = attach(memory, clock, waker);
  if (!zone) return zone;
  if (!zone->has_layout_of(options)) {
    return Error{ErrorCode::bad_request,
                 "it was made with other seats or sizes"};
  }
  Parts& parts = *zone->parts_;
  Header& header = parts.view.header();
  if (!journal_is_sound(parts.view)) {
    return Error{ErrorCode::bad_request, "journal: bad entry"};
  }
  roll_back(parts.view);
  make_robust(header.writer);
  header.stall_limit_ms = options.stall_limit_ms;
  if (left_at) {
    header.time_base =
        std::max(*left_at, since_1970(clock)) - clock.monotonic_ms();
  }
  parts.seats.reopen();
  parts.log.reopen();
  const char* const wrong =
      shm::check(parts.view, parts.directory, parts.arena, parts.members);
  if (wrong != nullptr) return Error{ErrorCode::bad_request, wrong};
  zone->reap_dead_seats();
  return zone;
}

std::uint64_t Zone::time_ms() const { return parts_->now().zone; }

bool Zone::has_layout_of(const Options& options) const {
  const Geometry& mine = parts_->view.geometry();
  return divide(mine.size, options) == mine;
}

Zone::Zone(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}
Zone::Zone(Zone&&) noexcept = default;
Zone& Zone::operator=(Zone&&) noexcept = default;
Zone::~Zone() = default;

Result<SeatIndex> Zone::claim_seat() {
  Critical critical(*parts_, Patience::more);
  if (!critical.held()) {
    return WriterLock::error();
  }
  const auto seat = parts_->seats.claim(parts_->clock.monotonic_ms());
  if (!seat) {
    return Error{ErrorCode::unavailable,
                 "all are taken; give the zone more seats="};
  }
  // Whom a killed one had yet to wake when it died, its successor wakes.
  parts_->log.add_busy(critical.wakes);
  return *seat;
}

void Zone::release_seat(SeatIndex seat) {
  const Critical critical(*parts_);
  parts_->seats.release(seat, critical.held());
}

void Zone::touch_seat(SeatIndex seat) {
  parts_->view.seat(seat).last_seen.store(parts_->clock.monotonic_ms(),
                                          std::memory_order_relaxed);
}

Result<Subscription> Zone::subscribe(SeatIndex seat, Bytes name,
                                     std::uint64_t most, Anchor anchor) {
  if (!Directory::valid_name(name)) {
    return kBadName;
  }
  for (int hold = 1;; hold++) {
    const Critical critical(*parts_);
    if (!critical.held()) {
      return WriterLock::error();
    }
    Directory& directory = parts_->directory;
    Room room{.now = parts_->now().zone};
    const auto ref = directory.find_or_create(name, room, anchor);
    const auto added = ref ? directory.add_interest(*ref, seat, most, room)
                           : Result<Done>(ref.error());
    if (added) {
      directory.settle(*ref);
      return Subscription{*ref, directory.position(*ref)};
    }
    if (!room.spent() || hold == kHolds) {
      return added.error();
    }
  }
}

Result<Done> Zone::unsubscribe(SeatIndex seat, ChannelRef ref) {
  const Critical critical(*parts_);
  if (!critical.held()) {
    return WriterLock::error();
  }
  const auto done = parts_->directory.remove_interest(ref, seat);
  if (done) {
    parts_->directory.settle(ref);
  }
  return done;
}

Result<Position> Zone::position(Bytes name) {
  if (!Directory::valid_name(name)) {
    return kBadName;
  }
  const Critical critical(*parts_);
  if (!critical.held()) {
    return WriterLock::error();
  }
  const ChannelRef ref = parts_->directory.find(name);
  if (ref == 0) {
    return kUnknown;
  }
  return parts_->directory.position(ref);
}

std::uint64_t Zone::subscribers(Bytes name) {
  if (!Directory::valid_name(name)) {
    return 0;
  }
  const Critical critical(*parts_);
  if (!critical.held()) {
    return 0;
  }
  const ChannelRef ref = parts_->directory.find(name);
  return ref == 0 ? 0 : parts_->directory.subscribers(ref);
}

Position Zone::position(ChannelRef ref) {
  const Critical critical(*parts_);
  return critical.held() ? parts_->directory.position(ref)
                         : parts_->directory.passed(ref);
}

Bytes Zone::name(ChannelRef ref) const { return parts_->directory.name(ref); }

Result<Published> Zone::publish(const Draft& draft, Anchor anchor) {
  const auto checked = parts_->publisher.check(draft);
  if (!checked) {
    return checked.error();
  }
  for (int hold = 0; hold < kHolds; hold++) {
    Critical critical(*parts_);
    if (!critical.held()) {
      return WriterLock::error();
    }
    const auto outcome =
        parts_->publisher.publish(draft, anchor, parts_->now(), critical.wakes);
    if (outcome) {
      return *outcome;
    }
  }
  return kNoRoom;
}

Result<Done> Zone::admit(const Draft& draft) const {
  return parts_->publisher.check(draft);
}

Result<Published> Zone::publish(Bytes name, Kind kind, Bytes data) {
  return publish({.channel = name, .kind = kind, .data = data});
}

Drained Zone::drain(SeatIndex seat, const DrainLimit& limit, Visitor& visitor) {
  return parts_->log.drain(seat, limit, visitor);
}

Counters::Row Zone::counters(SeatIndex seat) {
  return Counters::Row(parts_->view.seat(seat).counters);
}

std::uint64_t Zone::sum(Counter counter) const {
  const auto i = static_cast<std::size_t>(counter);
  std::uint64_t sum = 0;
  for (SeatIndex seat = 0; seat < parts_->seats.number(); seat++) {
    if (i >= kGauges || parts_->seats.taken(seat)) {
      sum +=
          parts_->view.seat(seat).counters[i].load(std::memory_order_relaxed);
    }
  }
  return sum;
}

std::uint64_t Zone::channel_count() const {
  DirectoryHeader& directory = parts_->view.header().directory;
  const std::uint64_t all = read(directory.channels);
  return all - std::min(all, read(directory.own));
}

Stats Zone::stats() const {
  Header& header = parts_->view.header();
  Stats stats;
  stats.size = header.geometry.size;
  stats.channels = read(header.directory.channels);
  stats.arena_size = header.geometry.pages * kPageSize;
  stats.arena_used = parts_->arena.used();
  stats.arena_free = parts_->arena.free();
  stats.log_size = header.geometry.log_size;
  // Head first: it can only be further behind than it was.
  const std::uint64_t head = header.log.head.load(std::memory_order_acquire);
  stats.log_used = header.log.tail.load(std::memory_order_acquire) - head;
  stats.seats = parts_->seats.number();
  for (SeatIndex i = 0; i < parts_->seats.number(); i++) {
    stats.seats_taken += parts_->seats.taken(i) ? 1 : 0;
  }
  stats.keys = read(header.keys.keys);
  stats.members = read(header.members.members);
  stats.history_size = header.geometry.history_size;
  stats.history_used = read(header.history.used);
  stats.history_messages = read(header.history.kept);
  stats.history_evictions =
      header.history_evictions.load(std::memory_order_relaxed);
  stats.evictions = header.evictions.load(std::memory_order_relaxed);
  stats.lock_waits = header.lock_waits.load(std::memory_order_relaxed);
  stats.rollbacks = header.rollbacks.load(std::memory_order_relaxed);
  stats.overruns = header.overruns.load(std::memory_order_relaxed);
  return stats;
}

const char* Zone::check() {
  const Critical critical(*parts_);
  if (!critical.held()) {
    return "the writer lock can't be had";
  }
  return shm::check(parts_->view, parts_->directory, parts_->arena,
                    parts_->members);
}

}  // namespace paperboy::broker::shm
