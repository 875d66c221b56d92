// The part of Zone that is about what channels remember, history and members,
// and which channels there are.
#include <algorithm>
#include <vector>

#include "broker/shm_hash.hpp"
#include "broker/shm_history_reader.hpp"
#include "broker/shm_parts.hpp"
#include "broker/shm_zone.hpp"

namespace paperboy::broker::shm {

namespace {

constexpr std::size_t kTrim = 256;         // publications, in one hold
constexpr std::uint64_t kSweep = 1024;     // buckets, in one hold
constexpr std::uint64_t kSweepRound = 64;  // seconds, for all of them

constexpr std::size_t kExpire = 128;  // keys, in one hold

constexpr std::uint64_t kListBuckets = 1024;  // in one hold
constexpr std::size_t kListChannels = 256;    // in one hold
constexpr int kListHolds = 64;                // in one call

constexpr std::size_t kOrphans = 64;      // in one hold
constexpr std::size_t kOrphanHolds = 64;  // in one call

constexpr Error kUnknown = {ErrorCode::not_found, "there is no such channel"};

/// Removes an orphan, and tells that it left if its joining was told, in one
/// change. False: the log has no room to tell it now.
bool remove_orphan(Parts& parts, Critical& critical) {
  const Ref ref = parts.members.orphan();
  const MemberEntry& it = parts.members.entry(ref);
  const ChannelRef channel = it.channel;
  std::string data;
  if (it.announced != 0) append_member(data, parts.members.member(it));
  const Draft draft{.channel = parts.directory.name(channel),
                    .event = Event::leave,
                    .data = data};
  const std::uint64_t size = Log::record_size(draft);
  // What is larger than the log takes can't have been announced either.
  // Without a position there is nowhere to tell it.
  const bool told = it.announced != 0 &&
                    parts.directory.position(channel).epoch != 0 &&
                    size <= parts.log.max_record();
  if (told && !parts.log.make_room(size, parts.now().monotonic)) return false;
  Transaction tx(parts.view);
  parts.members.remove(tx, ref);
  if (told) parts.log.append(tx, channel, draft);
  tx.commit();
  if (told) parts.log.announce(channel, critical.wakes);
  return true;
}

/// A bounded number; false: no more can or has to be done now.
bool remove_orphans(Parts& parts) {
  Critical critical(parts);
  for (std::size_t i = 0; i < kOrphans; i++) {
    if (!critical.held() || parts.members.orphan() == 0 ||
        !remove_orphan(parts, critical)) {
      return false;
    }
  }
  return true;
}

/// Adds what is in a chain to the page, and returns how many it looked at.
std::size_t list_bucket(const Parts& parts, const ChannelQuery& query,
                        std::uint64_t bucket, ChannelPage& page) {
  std::size_t seen = 0;
  for (Ref ref = parts.view.buckets()[bucket]; ref != 0;
       ref = parts.directory.channel(ref).next) {
    seen++;
    const Bytes name = parts.directory.name(ref);
    if (!name.starts_with(query.prefix)) continue;
    const std::uint64_t subscribers = parts.directory.subscribers(ref);
    if (query.subscribed && subscribers == 0) continue;
    page.channels.push_back(
        {std::string(name), parts.directory.position(ref), subscribers});
  }
  return seen;
}

/// One hold of the lock; moves the page's cursor on, to 0 at the end.
void list_buckets(const Parts& parts, const ChannelQuery& query,
                  ChannelPage& page) {
  const std::uint64_t all = parts.view.geometry().buckets;
  std::uint64_t at = page.cursor;
  const std::uint64_t end = std::min(all, at + kListBuckets);
  for (std::size_t seen = 0;
       at < end && seen < kListChannels && page.channels.size() < query.limit;
       at++) {
    seen += list_bucket(parts, query, at, page);
  }
  page.cursor = at < all ? at : 0;
}

/// Shows all members of a channel to `sink`, if there is one.
Result<Done> read_members(Parts& parts, Bytes name, MemberReader::Sink sink) {
  if (!Directory::valid_name(name)) {
    return kBadName;
  }
  MemberReader reader(std::move(sink));
  while (true) {
    const Critical critical(parts);
    if (!critical.held()) {
      return WriterLock::error();
    }
    const ChannelRef ref = parts.directory.find(name);
    if (ref == 0 || reader.read_on(parts.members, parts.order.annex(ref))) {
      return Done{};
    }
  }
}

}  // namespace

std::size_t Zone::reap_dead_seats() {
  std::size_t reaped = 0;
  {
    const Critical critical(*parts_);
    for (SeatIndex i = 0; critical.held() && i < parts_->seats.number(); i++) {
      reaped += parts_->seats.reap(i) ? 1 : 0;
    }
  }
  for (std::size_t i = 0; i < kOrphanHolds && remove_orphans(*parts_); i++) {
  }
  return reaped;
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

Result<Done> Zone::remove_history(Bytes name, std::optional<Position> until) {
  if (!Directory::valid_name(name)) {
    return kBadName;
  }
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
    if (!until) until = now;
    if (now.epoch != until->epoch ||
        parts_->history.forget(ref, until->offset, kTrim)) {
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
    parts_->keys.expire(now, kExpire);
  }
}

Result<MemberRef> Zone::enter(SeatIndex seat, ChannelRef ref,
                              const Member& member, bool announced) {
  if (!Members::fits(member)) {
    return Error{ErrorCode::too_large,
                 "what is to be known of a member is over 4048 bytes"};
  }
  for (int hold = 1;; hold++) {
    const Critical critical(*parts_);
    if (!critical.held()) {
      return WriterLock::error();
    }
    Room room{.now = parts_->now().zone, .spare = ref};
    Ref made = parts_->members.enter(ref, seat, member, announced);
    while (made == 0 && parts_->directory.make_room(room)) {
      made = parts_->members.enter(ref, seat, member, announced);
    }
    if (made != 0) {
      return made;
    }
    if (!room.spent() || hold == kHolds) {
      return Error{ErrorCode::too_many_channels,
                   "the zone is full; give it more memory"};
    }
  }
}

Result<Done> Zone::leave(SeatIndex seat, MemberRef ref) {
  const Critical critical(*parts_);
  if (!critical.held()) {
    return WriterLock::error();
  }
  if (!parts_->members.is_of(ref, seat)) {
    return Error{ErrorCode::not_found, "not a member of this worker's"};
  }
  Transaction tx(parts_->view);
  parts_->members.remove(tx, ref);
  tx.commit();
  return Done{};
}

Result<std::vector<MemberRecord>> Zone::members(Bytes name) {
  std::vector<MemberRecord> all;
  const auto done = read_members(*parts_, name,
                                 [&](const Member& m) { all.emplace_back(m); });
  if (!done) {
    return done.error();
  }
  return all;
}

Result<PresenceStats> Zone::presence_stats(Bytes name) {
  const auto& key = parts_->view.header().directory.hash_key;
  std::vector<std::uint64_t> users;
  const auto done = read_members(*parts_, name, [&](const Member& m) {
    users.push_back(siphash(key, m.user));
  });
  if (!done) {
    return done.error();
  }
  const std::uint64_t clients = users.size();
  std::sort(users.begin(), users.end());
  const auto last = std::unique(users.begin(), users.end());
  return PresenceStats{clients,
                       static_cast<std::uint64_t>(last - users.begin())};
}

Result<ChannelPage> Zone::channels(const ChannelQuery& query) {
  ChannelPage page;
  page.cursor = query.cursor;
  if (query.cursor >= parts_->view.geometry().buckets) {
    page.cursor = 0;
    return page;
  }
  for (int hold = 0; hold < kListHolds; hold++) {
    const Critical critical(*parts_);
    if (!critical.held()) {
      return WriterLock::error();
    }
    list_buckets(*parts_, query, page);
    if (page.cursor == 0 || page.channels.size() >= query.limit) {
      break;
    }
  }
  return page;
}

}  // namespace paperboy::broker::shm
