#include "broker/shm_zone.hpp"

#include <new>
#include <optional>
#include <utility>

#include "broker/shm_arena.hpp"
#include "broker/shm_check.hpp"
#include "broker/shm_directory.hpp"
#include "broker/shm_geometry.hpp"
#include "broker/shm_history.hpp"
#include "broker/shm_history_reader.hpp"
#include "broker/shm_layout.hpp"
#include "broker/shm_lock.hpp"
#include "broker/shm_log.hpp"
#include "broker/shm_order.hpp"
#include "broker/shm_publisher.hpp"
#include "broker/shm_seats.hpp"

namespace paperboy::broker::shm {

struct Parts {
  Parts(std::byte* base, const Clock& clock, Waker& waker)
      : view(base),
        arena(view),
        seats(view),
        order(view, arena),
        history(view, arena, order),
        directory(view, arena, seats, order, history),
        log(view, directory, seats),
        publisher(view, directory, history, log),
        clock(clock),
        waker(waker) {}

  [[nodiscard]] Times now() const {
    const std::uint64_t ms = clock.monotonic_ms();
    return {ms, ms + view.header().time_base};
  }

  View view;
  Arena arena;
  Seats seats;
  Order order;
  History history;
  Directory directory;
  Log log;
  Publisher publisher;
  const Clock& clock;
  Waker& waker;
};

namespace {

constexpr Error kBadName = {ErrorCode::channel_name,
                            "the channel's name is empty or too long"};
// One call makes room in so many holds of the lock, and then gives up.
constexpr int kHolds = 256;

constexpr std::size_t kTrim = 256;         // publications, in one hold
constexpr std::uint64_t kSweep = 1024;     // buckets, in one hold
constexpr std::uint64_t kSweepRound = 64;  // seconds, for all of them

constexpr Error kNoRoom = {ErrorCode::zone_full,
                           "others fill what room is made in the zone"};
constexpr Error kUnknown = {ErrorCode::not_found, "there is no such channel"};

/// A number that others may be changing.
std::uint64_t read(std::uint64_t& number) {
  return std::atomic_ref(number).load(std::memory_order_relaxed);
}

/// The time under the lock: what a dead one left is completed first, and who
/// has to be woken is woken after the lock is released, since a wake-up is a
/// system call.
class Critical {
 public:
  explicit Critical(Parts& parts) : parts_(parts), lock_(parts.view) {
    if (lock_->held()) {
      parts.log.recover(wakes);
      parts.history.recover();
    }
  }
  Critical(const Critical&) = delete;
  Critical& operator=(const Critical&) = delete;
  ~Critical() {
    lock_.reset();
    wakes.each([this](SeatIndex seat) { parts_.waker.wake(seat); });
  }

  [[nodiscard]] bool held() const { return lock_->held(); }

  SeatSet wakes;

 private:
  Parts& parts_;
  std::optional<WriterLock> lock_;
};

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
  header->time_base = static_cast<std::uint64_t>(clock.unix_seconds()) * 1000 -
                      clock.monotonic_ms();
  make_robust(header->writer);
  auto parts = std::make_unique<Parts>(memory.data(), clock, waker);
  parts->arena.format();
  parts->directory.format(options);
  parts->history.format();
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

Zone::Zone(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}
Zone::Zone(Zone&&) noexcept = default;
Zone& Zone::operator=(Zone&&) noexcept = default;
Zone::~Zone() = default;

Result<SeatIndex> Zone::claim_seat() {
  Critical critical(*parts_);
  if (!critical.held()) {
    return WriterLock::error();
  }
  const auto seat = parts_->seats.claim(parts_->clock.monotonic_ms());
  if (!seat) {
    return Error{ErrorCode::unavailable, "all seats of the zone are taken"};
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

std::size_t Zone::reap_dead_seats() {
  const Critical critical(*parts_);
  std::size_t reaped = 0;
  for (SeatIndex i = 0; critical.held() && i < parts_->seats.number(); i++) {
    reaped += parts_->seats.reap(i) ? 1 : 0;
  }
  return reaped;
}

Result<Subscription> Zone::subscribe(SeatIndex seat, Bytes name,
                                     std::uint64_t most) {
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
    const auto ref = directory.find_or_create(name, room);
    const auto added = ref ? directory.add_interest(*ref, seat, most, room)
                           : Result<Done>(ref.error());
    if (added) {
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
  return parts_->directory.remove_interest(ref, seat);
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

Position Zone::position(ChannelRef ref) {
  const Critical critical(*parts_);
  Position position = parts_->directory.position(ref);
  if (!critical.held() && position.offset > 0) {
    position.offset--;
  }
  return position;
}

Bytes Zone::name(ChannelRef ref) const { return parts_->directory.name(ref); }

Result<Published> Zone::publish(const Draft& draft) {
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
        parts_->publisher.publish(draft, parts_->now(), critical.wakes);
    if (outcome) {
      return *outcome;
    }
  }
  return kNoRoom;
}

Result<Published> Zone::publish(Bytes name, Kind kind, Bytes data) {
  return publish({.channel = name, .kind = kind, .data = data});
}

Result<HistoryPage> Zone::history(Bytes name, const HistoryQuery& query) {
  if (!Directory::valid_name(name)) {
    return kBadName;
  }
  HistoryReader reader(query);
  while (true) {
    const Critical critical(*parts_);
    if (!critical.held()) {
      return WriterLock::error();
    }
    const ChannelRef ref = parts_->directory.find(name);
    if (ref == 0) {
      if (!reader.has_begun()) return kUnknown;
      return reader.take();
    }
    if (parts_->history.trim(ref, parts_->now().zone, kTrim) &&
        reader.read_on(parts_->history, parts_->directory.position(ref),
                       parts_->order.annex(ref))) {
      return reader.take();
    }
  }
}

Result<Done> Zone::remove_history(Bytes name) {
  if (!Directory::valid_name(name)) {
    return kBadName;
  }
  std::optional<Position> top;
  while (true) {
    const Critical critical(*parts_);
    if (!critical.held()) {
      return WriterLock::error();
    }
    const ChannelRef ref = parts_->directory.find(name);
    if (ref == 0) {
      return Done{};
    }
    const Position now = parts_->directory.position(ref);
    if (!top) top = now;
    if (now.epoch != top->epoch ||
        parts_->history.forget(ref, top->offset, kTrim)) {
      return Done{};
    }
  }
}

void Zone::sweep() {
  HistoryHeader& header = parts_->view.header().history;
  const std::uint64_t all = parts_->view.geometry().buckets / kSweepRound;
  for (std::uint64_t done = 0; done <= all; done += kSweep) {
    const Critical critical(*parts_);
    const std::uint64_t now = parts_->now().zone;
    // Whoever comes first in a second does it.
    if (!critical.held() || (done == 0 && header.swept_at == now / 1000)) {
      return;
    }
    if (done == 0) {
      Transaction tx(parts_->view);
      tx.set(header.swept_at, now / 1000);
      tx.commit();
    }
    parts_->history.sweep(now, kSweep);
  }
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
  return read(parts_->view.header().directory.channels);
}

Stats Zone::stats() const {
  Header& header = parts_->view.header();
  Stats stats;
  stats.size = header.geometry.size;
  stats.channels = channel_count();
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
  return shm::check(parts_->view, parts_->directory, parts_->arena);
}

}  // namespace paperboy::broker::shm
