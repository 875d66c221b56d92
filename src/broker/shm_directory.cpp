#include "broker/shm_directory.hpp"

#include <algorithm>
#include <atomic>
#include <cstring>

#include "broker/shm_hash.hpp"

namespace paperboy::broker::shm {

namespace {

constexpr std::size_t kFirstMany = 8;  // interests, when one isn't enough

constexpr std::size_t kExpireKeys = 16;

constexpr Error kFull = {ErrorCode::too_many_channels,
                         "the zone is full; give it more memory"};

/// Of Paperboy's own channels.
bool is_own(Bytes name) { return name.starts_with('\0'); }

std::uint16_t seconds(std::uint64_t now_ms) {
  return static_cast<std::uint16_t>(now_ms / 1000);
}

}  // namespace

void Directory::format(const Options& options) {
  std::fill_n(view_.buckets(), view_.geometry().buckets, Ref{0});
  header() = DirectoryHeader{};
  header().hash_key[0] = options.seed[0];
  header().hash_key[1] = options.seed[1];
  header().epoch_base = options.seed[2];
}

ChannelRef Directory::find(Bytes name) const {
  return find(name, siphash(header().hash_key, name));
}

Result<ChannelRef> Directory::find_or_create(Bytes name, Room& room,
                                             Anchor anchor) {
  const std::uint64_t hash = siphash(header().hash_key, name);
  ChannelRef ref = find(name, hash);
  if (ref != 0) {
    touch(ref, room.now);
    if (anchor == Anchor::now && !begin_epoch(ref, room)) return kFull;
    return ref;
  }
  ref = create(name, hash, room.now, anchor);
  while (ref == 0 && make_room(room)) {
    ref = create(name, hash, room.now, anchor);
  }
  if (ref == 0) {
    return kFull;
  }
  return ref;
}

Result<Done> Directory::add_interest(ChannelRef ref, SeatIndex seat,
                                     std::uint64_t most, Room& room) {
  prune(ref);
  if (most != 0 && subscribers(ref) >= most) {
    return Error{ErrorCode::channel_full,
                 "the channel has as many subscribers as it may"};
  }
  for (Interest& i : interests(ref)) {
    if (interest::seat(i) == seat) {
      if (interest::count(i) == interest::kMaxCount) {
        return Error{ErrorCode::subscription_limit, "too many subscriptions"};
      }
      Transaction tx(view_);
      tx.set(i, i + 1);
      tx.commit();
      return Done{};
    }
  }
  return insert_interest(ref, seat, room);
}

Result<Done> Directory::insert_interest(ChannelRef ref, SeatIndex seat,
                                        Room& room) {
  room.spare = ref;
  while (!has_room(ref) && !grow(ref)) {
    if (!make_room(room)) {
      return kFull;
    }
  }
  Channel& it = channel(ref);
  Transaction tx(view_);
  tx.set(interests(ref).data()[it.interests], seats_.interest_of(seat));
  tx.set(it.interests, static_cast<std::uint16_t>(it.interests + 1));
  tx.commit();
  return Done{};
}

Result<Done> Directory::remove_interest(ChannelRef ref, SeatIndex seat) {
  const Error unknown{ErrorCode::not_found, "not subscribed to this channel"};
  if (!arena_.is_taken(ref)) {
    return unknown;
  }
  const std::span<Interest> all = interests(ref);
  for (std::size_t i = 0; i < all.size(); i++) {
    if (interest::seat(all[i]) != seat || !seats_.live(all[i])) {
      continue;
    }
    if (interest::count(all[i]) == 1) {
      remove_at(ref, i);
      return Done{};
    }
    Transaction tx(view_);
    tx.set(all[i], all[i] - 1);
    tx.commit();
    return Done{};
  }
  return unknown;
}

void Directory::prune(ChannelRef ref) {
  for (std::size_t i = channel(ref).interests; i-- > 0;) {
    if (!seats_.live(interests(ref)[i])) {
      remove_at(ref, i);
    }
  }
}

bool Directory::settle(ChannelRef ref) {
  if (!occupancy_.matters() || is_own(name(ref))) {
    return true;
  }
  prune(ref);
  return occupancy_.note(channel(ref), name(ref));
}

std::uint64_t Directory::subscribers(ChannelRef ref) const {
  std::uint64_t sum = 0;
  for (const Interest i : interests(ref)) {
    if (seats_.live(i)) sum += interest::count(i);
  }
  return sum;
}

void Directory::touch(ChannelRef ref, std::uint64_t now_ms) {
  Channel& it = channel(ref);
  if (it.annex() != 0 || it.used_at == seconds(now_ms)) {
    return;
  }
  Transaction tx(view_);
  tx.set(it.used_at, seconds(now_ms));
  if (it.newer != 0) {
    order_.delist(tx, ref);
    order_.enlist(tx, ref);
  }
  tx.commit();
}

bool Directory::make_room(Room& room) {
  if (keys_.expire(room.now, kExpireKeys)) {
    return true;
  }
  if (room.drops > 0 && history_.oldest_expired(room.now)) {
    room.drops--;
    history_.drop_first(history_.kept(history_.oldest()).channel);
    return true;
  }
  if (evict_one(room)) {
    return true;
  }
  if (history_.oldest() == 0) {
    return false;
  }
  // Its channel may be the only one that can be evicted then: those that
  // remember something are in no order that leads to them.
  const ChannelRef ref = history_.kept(history_.oldest()).channel;
  if (!evict_history(room)) {
    return false;
  }
  evict_if_idle(ref, room);
  return true;
}

bool Directory::evict_history(Room& room) {
  const Ref oldest = history_.oldest();
  if (room.drops == 0 || oldest == 0 || room.evict == Evict::none ||
      (room.evict == Evict::willing &&
       (history_.kept(oldest).evict & KeptMessage::kEvicts) == 0)) {
    return false;
  }
  room.drops--;
  history_.drop_first(history_.kept(oldest).channel);
  view_.header().history_evictions.fetch_add(1, std::memory_order_relaxed);
  return true;
}

std::span<Interest> Directory::interests(ChannelRef ref) const {
  Channel& it = channel(ref);
  const Ref many = it.many();
  Interest* first = many != 0 ? view_.block<Interest>(many) : &it.only;
  return {first, it.interests};
}

Bytes Directory::name(ChannelRef ref) const {
  Channel& it = channel(ref);
  // Also without the lock: the other bits may be changing.
  const std::size_t length =
      std::atomic_ref(it.form).load(std::memory_order_relaxed) &
      Channel::kLength;
  return {reinterpret_cast<const char*>(&it) + kChannelSize, length};
}

Position Directory::position(ChannelRef ref) const {
  const Channel& it = channel(ref);
  return it.epoch != 0 ? Position{it.epoch, it.offset} : Position{};
}

/// Who sets another position stores an offset of 0 before the epoch.
Position Directory::passed(ChannelRef ref) const {
  const std::atomic_ref epoch(channel(ref).epoch);
  const std::uint64_t before = epoch.load(std::memory_order_acquire);
  const std::uint64_t offset =
      std::atomic_ref(channel(ref).offset).load(std::memory_order_acquire);
  if (before == 0 || epoch.load(std::memory_order_relaxed) != before) return {};
  return {before, offset > 0 ? offset - 1 : 0};
}

void Directory::set_position(Transaction& tx, ChannelRef ref,
                             const Position& at) {
  Channel& it = channel(ref);
  tx.set(it.offset, 0);
  tx.set(it.epoch, at.epoch);
  tx.set(it.offset, at.offset);
  order_.renew(tx, ref);
}

std::uint64_t Directory::clear_position(ChannelRef ref) {
  Transaction tx(view_);
  const std::uint64_t mark = order_.next_mark(tx);
  set_position(tx, ref, {0, mark});
  tx.commit();
  return mark;
}

Ref& Directory::bucket(std::uint64_t hash) const {
  return view_.buckets()[hash & (view_.geometry().buckets - 1)];
}

ChannelRef Directory::find(Bytes name, std::uint64_t hash) const {
  ChannelRef ref = bucket(hash);
  while (ref != 0 && this->name(ref) != name) {
    ref = channel(ref).next;
  }
  return ref;
}

/// The block is written before anything refers to it, without the journal.
/// 0: the arena is full.
ChannelRef Directory::create(Bytes name, std::uint64_t hash,
                             std::uint64_t now_ms, Anchor anchor) {
  Transaction tx(view_);
  const auto ref = arena_.allocate(tx, kChannelSize + name.size());
  if (!ref) {
    return 0;
  }
  Channel& it = channel(*ref);
  it = Channel{};  // may be more than kChannelSize: before the name
  it.epoch = anchor == Anchor::now ? next_epoch(tx) : 0;
  it.next = bucket(hash);
  it.used_at = seconds(now_ms);
  it.form = static_cast<std::uint16_t>(name.size());
  std::memcpy(view_.block<std::byte>(*ref) + kChannelSize, name.data(),
              name.size());
  step();
  tx.set(bucket(hash), *ref);
  order_.enlist(tx, *ref);
  tx.set(header().channels, header().channels + 1);
  if (is_own(name)) tx.set(header().own, header().own + 1);
  tx.commit();
  return *ref;
}

/// Where it has none. What a window left that isn't whole goes first; false:
/// that takes another hold of the lock.
bool Directory::begin_epoch(ChannelRef ref, Room& room) {
  if (channel(ref).epoch != 0) return true;
  for (; history_.kept_of(ref) != 0; room.drops--) {
    if (room.drops == 0) return false;
    history_.drop_first(ref);
  }
  Transaction tx(view_);
  set_position(tx, ref, {next_epoch(tx), 0});
  tx.commit();
  return true;
}

/// None comes twice: mix() is one-to-one and the count only grows.
std::uint64_t Directory::next_epoch(Transaction& tx) {
  std::uint64_t epoch = 0;
  while (epoch == 0) {
    tx.set(header().epoch_count, header().epoch_count + 1);
    epoch = mix(header().epoch_base + header().epoch_count);
  }
  return epoch;
}

/// Drops the channel that was longest not used among those that nobody wants;
/// false: there was none among those that may be looked at.
bool Directory::evict_one(Room& room) {
  for (; room.looks > 0 && header().oldest != 0; room.looks--) {
    const ChannelRef ref = header().oldest;
    if (evict_if_idle(ref, room)) {
      return true;
    }
    Transaction tx(view_);
    order_.delist(tx, ref);
    order_.enlist(tx, ref);
    tx.commit();
  }
  return false;
}

bool Directory::evict_if_idle(ChannelRef ref, const Room& room) {
  if (ref == room.spare || channel(ref).annex() != 0) {
    return false;
  }
  prune(ref);
  if (channel(ref).interests != 0 || !settle(ref)) {
    return false;
  }
  drop(ref);
  view_.header().evictions.fetch_add(1, std::memory_order_relaxed);
  return true;
}

/// REQUIRES: nobody wants it, and it remembers nothing.
void Directory::drop(ChannelRef ref) {
  Channel& it = channel(ref);
  Ref* link = &bucket(siphash(header().hash_key, name(ref)));
  while (*link != ref) {
    link = &channel(*link).next;
  }
  Transaction tx(view_);
  if (is_own(name(ref))) tx.set(header().own, header().own - 1);
  tx.set(*link, it.next);
  order_.delist(tx, ref);
  if (it.many() != 0) {
    arena_.release(tx, it.many());
  }
  arena_.release(tx, ref);
  tx.set(header().channels, header().channels - 1);
  tx.commit();
}

bool Directory::has_room(ChannelRef ref) const {
  const Channel& it = channel(ref);
  const std::size_t room =
      it.many() != 0 ? arena_.block_size(it.many()) / sizeof(Interest) : 1;
  return it.interests < room;
}

/// Doubles the room; false: the arena is full. The new block is filled before
/// anything refers to it.
bool Directory::grow(ChannelRef ref) {
  Channel& it = channel(ref);
  const std::span<Interest> all = interests(ref);
  const std::size_t room = std::max(kFirstMany, all.size() * 2);
  Transaction tx(view_);
  const auto block = arena_.allocate(tx, room * sizeof(Interest));
  if (!block) {
    return false;
  }
  std::memcpy(view_.block<Interest>(*block), all.data(), all.size_bytes());
  step();
  const Ref before = it.many();
  tx.set(it.only, *block);
  tx.set(it.form, static_cast<std::uint16_t>(it.form | Channel::kMany));
  if (before != 0) {
    arena_.release(tx, before);
  }
  tx.commit();
  return true;
}

/// The last takes its place; the one that is left moves back into the channel.
void Directory::remove_at(ChannelRef ref, std::size_t i) {
  Channel& it = channel(ref);
  const std::span<Interest> all = interests(ref);
  Transaction tx(view_);
  tx.set(all[i], all.back());
  tx.set(it.interests, static_cast<std::uint16_t>(it.interests - 1));
  if (it.many() != 0 && it.interests <= 1) {
    const Ref before = it.many();
    tx.set(it.only, all[0]);
    tx.set(it.form, static_cast<std::uint16_t>(it.form & ~Channel::kMany));
    arena_.release(tx, before);
  }
  tx.commit();
}

}  // namespace paperboy::broker::shm
