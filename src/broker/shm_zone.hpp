// One zone of shared memory: the seats of the workers, the directory of the
// channels with what they remember, and the log of what was published, over
// which the workers of one node hear each other.
//
// A Zone is a worker's own handle (in the nginx room one a process, made in
// the master and copied by fork); the memory, the clock and the waker must
// outlive it. It owns none of the memory: what is in there stays for the other
// workers and the next generation. Of one thread at a time.
//
// The zone's time is that of 1970 when it was made, and goes on with the
// monotonic clock: no step of the other changes what is kept.
//
// Everything that changes the zone runs under its writer lock (shm_lock.hpp),
// for a few hundred nanoseconds (what takes longer, in several holds) and, if
// somebody was stopped while holding it, waits a second: then the
// call changes nothing and answers ErrorCode::unavailable. Reading the log
// takes no lock. Whoever is killed, at any instruction, leaves the zone usable:
// see shm_lock.hpp and shm_log.hpp.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "base/clock.hpp"
#include "base/counters.hpp"
#include "base/history.hpp"
#include "base/member.hpp"
#include "base/result.hpp"
#include "broker/shm_types.hpp"

namespace paperboy::broker::shm {

struct Parts;

class Zone {
 public:
  /// The least number of bytes that format() accepts for `options`.
  [[nodiscard]] static std::size_t minimum_size(const Options& options);

  /// Makes `memory` (aligned to 4096, nobody else's yet) an empty zone.
  /// Error: bad_request (too small, or the options don't fit).
  static Result<Zone> format(std::span<std::byte> memory,
                             const Options& options, const Clock& clock,
                             Waker& waker);

  /// Opens the zone that `memory` holds already and changes nothing in it.
  /// Error: bad_request (not a zone, another version's, another size).
  static Result<Zone> attach(std::span<std::byte> memory, const Clock& clock,
                             Waker& waker);

  /// Opens a zone whose users have all gone, in whatever way and whatever
  /// has become of `memory` since: nothing in it is trusted. What was half
  /// done is undone, locks and seats are made anew, and everything is walked
  /// through. `left_at`: the zone's time, in ms, when the last one went, where
  /// the clock has been set to 0 since. Error: bad_request, as of attach(), or
  /// other `options`, or damage; then `memory` may have been changed.
  static Result<Zone> reopen(std::span<std::byte> memory,
                             const Options& options, const Clock& clock,
                             Waker& waker,
                             std::optional<std::uint64_t> left_at = {});

  /// Whether format() would have laid this memory out likewise.
  [[nodiscard]] bool has_layout_of(const Options& options) const;

  /// The zone's time, in ms: that since 1970 when it was made, and then as the
  /// clock goes on.
  [[nodiscard]] std::uint64_t time_ms() const;

  Zone(Zone&&) noexcept;
  Zone& operator=(Zone&&) noexcept;
  ~Zone();

  // Seats. A seat belongs to the thread that claimed it until it releases it
  // or ends in any way; `seat` below always is one of the caller's own. The
  // memory must stay mapped that long, since the C library links the robust
  // mutexes of a thread to each other.

  /// Takes a free seat or a dead worker's; call it after the fork, in the
  /// worker. Waits for the lock for seconds, as others may start with it. Wakes
  /// every seat that has something to read. Error: unavailable (no seat left,
  /// or the lock).
  Result<SeatIndex> claim_seat();

  /// Gives the seat up, with all its subscriptions.
  void release_seat(SeatIndex seat);

  /// Tells that this worker is alive; call it at least once a second, and
  /// drain() with it in case a wake-up was lost.
  void touch_seat(SeatIndex seat);

  /// Frees the seats of dead workers, removes a bounded number of members whom
  /// they brought in, and tells the channels of those who were announced, each
  /// once, that they left; call it once a second from any worker. Returns how
  /// many seats. Also completes what a killed worker left half done.
  std::size_t reap_dead_seats();

  // Channels. `name` is opaque, 1 to kMaxName bytes.

  /// Adds 1 to this seat's count of the channel, which is made if it isn't
  /// there, unless the counts of all seats are `most` already; 0: no limit.
  /// Errors: channel_name, channel_full, too_many_channels, unavailable.
  Result<Subscription> subscribe(SeatIndex seat, Bytes name,
                                 std::uint64_t most = 0,
                                 Anchor anchor = Anchor::now);

  /// Takes 1 away again. Errors: not_found (`ref` isn't this seat's),
  /// unavailable (it still counts: try again).
  Result<Done> unsubscribe(SeatIndex seat, ChannelRef ref);

  /// Where the channel stands; epoch 0: it has no position yet. Errors:
  /// not_found (nobody subscribed or
  /// published since it was made or evicted), channel_name, unavailable.
  Result<Position> position(Bytes name);

  /// The same for a channel that this worker is subscribed to. Where the lock
  /// can't be had it may be one too few, never one too many: a publication
  /// that is being made isn't counted as passed; or none, of epoch 0.
  [[nodiscard]] Position position(ChannelRef ref);

  /// How many subscribe to it on this node; 0 where the lock can't be had.
  [[nodiscard]] std::uint64_t subscribers(Bytes name);

  // Changes: a channel gets its first subscriber on this node, or loses its
  // last (see shm_occupancy.hpp). Not of Paperboy's own.

  /// From now on `watcher`, which must outlive this or `stop_watching`, is told
  /// of changes that this worker makes, and of those that it finds; null: of
  /// none, and then others needn't look for any either. Those that were not
  /// told before are found, too.
  void watch(Watcher* watcher);

  /// What this worker changes from here on is for others to find.
  void stop_watching();

  /// Looks for changes that nobody has told: of dead workers and of those who
  /// don't watch. A bounded number; call it once a second.
  void go_round();

  /// Its name; the bytes live as long as the subscription. Takes no lock.
  [[nodiscard]] Bytes name(ChannelRef ref) const;

  // The log.

  /// Appends a publication or an event and wakes the seats that want it. When
  /// it returns, every live seat will read it, and what its rule says is kept.
  /// An event has no offset of its own, and neither history nor key. Of the
  /// same key in its time nothing is appended: the answer is the position of
  /// the first, `repeated`, and no subscribers. Errors: log_full (a
  /// live worker has yet to read what would be overwritten; perhaps the
  /// caller's own seat, which then should drain), too_large (over a quarter of
  /// the log, or over all that may be kept), zone_full (no room for what
  /// is to be kept or for the key, and `keep.evict` is false), bad_request (the
  /// key is too long), channel_name, too_many_channels, unavailable.
  /// Anchor::later is for events: of a channel without a position they have
  /// none.
  Result<Published> publish(const Draft& draft, Anchor anchor = Anchor::now);
  Result<Published> publish(Bytes name, Kind kind, Bytes data);

  /// Whether it is of a form that can be published. Errors: too_large,
  /// bad_request, channel_name. Takes no lock.
  [[nodiscard]] Result<Done> admit(const Draft& draft) const;

  // Channels whose publications get their positions elsewhere. A worker that
  // brings them in (a relay) anchors a channel, and imports what comes next.

  /// The channel stands at `at`: an Event::anchor record says so, even if it
  /// did before. If it did not, what was kept is forgotten, and `window`, of
  /// which each follows the one before and the last is at `at`, is kept, as far
  /// as `keep` says and room can be made at the cost of any channel. So it is
  /// where the channel stands there and less than the window is kept. Until a
  /// window is there as a whole the channel has no position; whoever is killed
  /// meanwhile, or fails, leaves it so. Errors: not_found (no such channel),
  /// bad_request (epoch 0, or the window isn't one), log_full, channel_name,
  /// unavailable.
  Result<Done> anchor(Bytes name, const Position& at,
                      std::span<const Recent> window, const Retention& keep);

  /// A publication that was made elsewhere, at `at`: appended and kept as by
  /// publish(), if it is the channel's next; room for what is kept is made at
  /// the cost of any channel, and where none can be made it isn't kept. An
  /// event is appended where the channel isn't before its position. Key and
  /// `keep.evict` mean nothing. Errors: not_found (no such channel), log_full,
  /// too_large, channel_name, unavailable.
  Result<Import> import(const Draft& draft, const Position& at);

  /// The channel has no position any more, and nothing is kept of it; false:
  /// nothing was done, since a living seat subscribes. Of no channel: true.
  /// Errors: channel_name, unavailable.
  Result<bool> release(Bytes name);

  // What was seen of all that is published elsewhere: for whoever relays next.

  /// Has the stronger one stay (see shm_sightings.hpp). If that is this one,
  /// the answer is a mark for `raise_sighting`; else 0. REQUIRES: `part` is
  /// less than kSightings, a generation. Error: unavailable.
  Result<SightingMark> note_sighting(std::size_t part, const Sighting& it);

  /// At least so far, of the sighting that has this mark; false: another is
  /// there now. Takes no lock.
  bool raise_sighting(std::size_t part, SightingMark mark,
                      std::uint64_t sequence);

  /// Of all parts, kSightings of them. Error: unavailable.
  [[nodiscard]] Result<std::vector<Sighting>> sightings();

  /// Whether this worker relays; at first it doesn't. Takes no lock.
  void set_relay(SeatIndex seat, bool relays);

  /// Those that were seen within the stall limit. Takes no lock.
  [[nodiscard]] std::vector<Relay> relays() const;

  // History. `keep.count` of 0 keeps nothing, and leaves what is kept before
  // to the rule under which it was: then offsets show a hole.

  /// Of a channel without a position, nothing. Errors: not_found, channel_name,
  /// unavailable.
  Result<HistoryPage> history(Bytes name, const HistoryQuery& query);

  /// Forgets what is kept up to `until`, of its epoch; none: up to now. Of no
  /// channel: nothing to do. Errors: channel_name, unavailable (some may be
  /// left).
  Result<Done> remove_history(Bytes name, std::optional<Position> until = {});

  /// Frees history and keys whose time is over; call it once a second from any
  /// worker.
  void sweep();

  /// Shows `visitor` what was published since the last call, in order. Takes
  /// no lock, may be called at any time. After `overrun` reading goes on
  /// behind the loss: positions tell which channels missed something.
  Drained drain(SeatIndex seat, const DrainLimit& limit, Visitor& visitor);

  // Members.

  /// Somebody is in the channel, until `leave` or this worker's end. Each call
  /// is a member. `announced`: a publisher told the channel, which is told too
  /// if this worker dies. REQUIRES: this seat subscribes to the channel until
  /// `leave`. Errors: too_large (over one block of the arena, 4048 bytes),
  /// too_many_channels (no room), unavailable.
  Result<MemberRef> enter(SeatIndex seat, ChannelRef ref, const Member& member,
                          bool announced);

  /// Errors: not_found (`ref` isn't this seat's), unavailable (it is still
  /// there: try again).
  Result<Done> leave(SeatIndex seat, MemberRef ref);

  /// Who is in the channel, the last that came first; of no channel: nobody.
  /// Who was there all the time of the call is shown once; who came meanwhile
  /// isn't, who left may be. Errors: channel_name, unavailable.
  Result<std::vector<MemberRecord>> members(Bytes name);

  /// How many of them, and how many users that differ. Costs as much as
  /// members(), without its memory. Errors: as members().
  Result<PresenceStats> presence_stats(Bytes name);

  /// The channels that there are, a page at a time. One that is there all the
  /// while is on one page; a page may be empty and not the last. Error:
  /// unavailable.
  Result<ChannelPage> channels(const ChannelQuery& query);

  // Numbers.

  /// This seat's row. Its counts survive its worker, its gauges are 0 again in
  /// the next hands.
  [[nodiscard]] Counters::Row counters(SeatIndex seat);

  /// A count over all seats, living and past, which never goes back; a gauge
  /// over the seats that are taken.
  [[nodiscard]] std::uint64_t sum(Counter counter) const;

  /// Without Paperboy's own, whose names begin with a NUL.
  [[nodiscard]] std::uint64_t channel_count() const;

  /// Takes no lock: each number is right, all of them not of one moment.
  [[nodiscard]] Stats stats() const;

  /// For tests: walks everything under the lock and returns what is wrong
  /// (static text), or nullptr.
  [[nodiscard]] const char* check();

 private:
  explicit Zone(std::unique_ptr<Parts> parts);

  std::unique_ptr<Parts> parts_;
};

}  // namespace paperboy::broker::shm
