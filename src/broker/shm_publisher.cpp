#include "broker/shm_publisher.hpp"

#include "hub/withdrawal.hpp"

namespace paperboy::broker::shm {

namespace {

/// What one publish drops of what is beyond its channel's rule.
constexpr std::size_t kTrim = 32;

constexpr Error kFull = {ErrorCode::zone_full,
                         "the zone is full of what may not be forgotten"};

constexpr Error kUnknown = {ErrorCode::not_found, "there is no such channel"};

constexpr std::size_t kExpire = 4;  // keys, the same

bool is_keyed(const Draft& draft) {
  return draft.event == Event::message && !draft.idempotency_key.empty() &&
         draft.idempotency_ms > 0;
}

bool is_kept(const Draft& draft) {
  return draft.event == Event::message && draft.keep.count > 0;
}

/// Of what is at `at` in a channel that stands at `top`.
Import place(const Draft& draft, const Position& at, const Position& top) {
  if (top.epoch == 0 || at.epoch != top.epoch) return Import::foreign;
  if (draft.event != Event::message) {
    return at.offset <= top.offset ? Import::appended : Import::hole;
  }
  if (at.offset <= top.offset) return Import::old;
  return at.offset == top.offset + 1 ? Import::appended : Import::hole;
}

}  // namespace

Result<Done> Publisher::check(const Draft& draft) const {
  if (!Directory::valid_name(draft.channel)) {
    return Error{ErrorCode::channel_name,
                 "the channel's name is empty or too long"};
  }
  if (draft.idempotency_key.size() > Draft::kMaxIdempotencyKey) {
    return Error{ErrorCode::bad_request,
                 "the idempotency key is over 256 bytes"};
  }
  if (draft.extra.size() > Draft::kMaxExtra) {
    return Error{ErrorCode::too_large,
                 "what comes with the message is over 65535 bytes"};
  }
  if (Log::record_size(draft) > log_.max_record()) {
    return Error{ErrorCode::too_large,
                 "the message is larger than a quarter of the zone's log"};
  }
  if (is_kept(draft) && History::cost(draft) > view_.geometry().history_size) {
    return Error{ErrorCode::too_large,
                 "the message is larger than all that may be kept"};
  }
  return Done{};
}

std::optional<Result<Published>> Publisher::publish(const Draft& draft,
                                                    Anchor anchor,
                                                    const Times& now,
                                                    SeatSet& wakes) {
  if (is_keyed(draft)) {
    keys_.expire(now.zone, kExpire);
    const auto hash = keys_.hash(draft.channel, draft.idempotency_key);
    const auto found = keys_.find(hash, now.zone);
    if (found) return Published{.position = *found, .repeated = true};
  }
  if (!log_.make_room(Log::record_size(draft), now.monotonic)) {
    return kLogFull;
  }
  Room room{.now = now.zone,
            .evict = draft.keep.evict ? Evict::any : Evict::none};
  const auto ref = directory_.find_or_create(draft.channel, room, anchor);
  if (!ref) return refuse(room, ref.error());
  room.spare = *ref;
  directory_.prune(*ref);
  return publish_to(*ref, draft, room, wakes);
}

std::optional<Result<Import>> Publisher::import(const Draft& draft,
                                                const Position& at,
                                                const Times& now,
                                                SeatSet& wakes) {
  const ChannelRef ref = directory_.find(draft.channel);
  if (ref == 0) return kUnknown;
  const Import found = place(draft, at, directory_.position(ref));
  if (found != Import::appended) return found;
  if (!log_.make_room(Log::record_size(draft), now.monotonic)) return kLogFull;
  directory_.touch(ref, now.zone);
  directory_.prune(ref);
  Room room{.now = now.zone, .evict = Evict::any, .spare = ref};
  auto outcome = publish_to(ref, draft, room, wakes);
  if (outcome && !outcome->ok()) {
    // It is published, whether there is room to keep it or not.
    Draft unkept = draft;
    unkept.keep = {};
    outcome = publish_to(ref, unkept, room, wakes);
  }
  if (!outcome) return {};
  return Import::appended;
}

bool Publisher::keep_alone(ChannelRef ref, const Draft& draft,
                           std::uint64_t offset, std::uint64_t made_at,
                           Room& room) {
  Chunks chunks(draft);
  if (!fit_history(ref, draft, room) || !build(chunks, room)) {
    history_.recover();
    return false;
  }
  do {
    Transaction tx(view_);
    if (history_.keep(tx, ref, draft, offset, made_at)) {
      tx.commit();
      return true;
    }
  } while (directory_.make_room(room));
  history_.recover();
  return false;
}

Publisher::Outcome Publisher::publish_to(ChannelRef ref, const Draft& draft,
                                         Room& room, SeatSet& wakes) {
  auto outcome = publish_in(ref, draft, room, wakes);
  if (outcome && !outcome->ok() && hub::is_withdrawal(draft)) {
    room.use = Use::reserve;
    outcome = publish_in(ref, draft, room, wakes);
  }
  return outcome;
}

/// Where the room is.
Publisher::Outcome Publisher::publish_in(ChannelRef ref, const Draft& draft,
                                         Room& room, SeatSet& wakes) {
  if (is_kept(draft)) {
    Chunks chunks(draft);
    if (!fit_history(ref, draft, room) || !build(chunks, room)) {
      return refuse(room, kFull);
    }
  }
  auto position = commit(ref, draft, room);
  while (!position && directory_.make_room(room)) {
    position = commit(ref, draft, room);
  }
  if (!position) return refuse(room, kFull);
  const std::uint64_t subscribers = log_.announce(ref, wakes);
  if (is_kept(draft)) history_.trim(ref, room.now, kTrim);
  return Published{*position, subscribers};
}

/// Within what all may take, and what is pinned within its half. A channel that
/// has as many as it may keep loses its oldest in any case, so that one goes
/// first, before anybody else's.
bool Publisher::fit_history(ChannelRef ref, const Draft& draft, Room& room) {
  history_.trim(ref, room.now, kTrim);
  const std::uint64_t cost = History::cost(draft);
  if (draft.keep.pinned && !history_.may_pin(cost) &&
      !hub::is_withdrawal(draft)) {
    return false;
  }
  while (!history_.has_room(cost, room.use)) {
    if (room.drops > 0 && history_.oldest_expired(room.now)) {
      room.drops--;
      history_.drop_first(history_.kept(history_.oldest()).channel);
    } else if (room.drops > 0 && history_.kept_of(ref) >= draft.keep.count) {
      room.drops--;
      history_.drop_first(ref);
    } else if (!directory_.evict_history(room)) {
      return false;
    }
  }
  return true;
}

bool Publisher::build(Chunks& chunks, Room& room) {
  while (!history_.build(chunks, room.use)) {
    if (!directory_.make_room(room)) return false;
  }
  return true;
}

/// Nothing: the arena is full, and nothing has changed.
std::optional<Position> Publisher::commit(ChannelRef ref, const Draft& draft,
                                          const Room& room) {
  Transaction tx(view_);
  const std::uint64_t offset = directory_.position(ref).offset + 1;
  if (is_kept(draft) &&
      !history_.keep(tx, ref, draft, offset, room.now, room.use)) {
    return {};
  }
  const Position made = log_.append(tx, ref, draft);
  if (is_keyed(draft) &&
      !keys_.add(tx, keys_.hash(draft.channel, draft.idempotency_key), made,
                 room.now + draft.idempotency_ms)) {
    return {};
  }
  tx.commit();
  return made;
}

/// Or nothing, if another hold of the lock may get further.
Publisher::Outcome Publisher::refuse(const Room& room, Error error) {
  history_.recover();
  if (room.spent()) return {};
  return error;
}

}  // namespace paperboy::broker::shm
