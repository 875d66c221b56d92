#include "broker/shm_log.hpp"

#include <algorithm>
#include <atomic>
#include <cstring>
#include <new>

namespace paperboy::broker::shm {

namespace {

std::uint64_t cursor_of(std::uint64_t word) { return word & ~state::kFlags; }

bool busy(std::uint64_t word) { return (word & state::kBusy) != 0; }

/// Tells the seat of a record at `position`. True: it was idle, wake it. Where
/// nothing changes the word is stored all the same, if the seat is busy: the
/// reader's clearing of kMore must acquire this, or come before it.
bool mark(Seat& seat, std::uint64_t position) {
  std::uint64_t word = seat.state.load(std::memory_order_relaxed);
  std::uint64_t next = 0;
  do {
    if (!busy(word) && cursor_of(word) > position) {
      return false;
    }
    next = busy(word) ? word | state::kMore : position | state::kBusy;
  } while (!seat.state.compare_exchange_weak(
      word, next, std::memory_order_acq_rel, std::memory_order_relaxed));
  step();
  return !busy(word);
}

/// Whether a record in the ring can be followed. It always can, unless the
/// zone was written to by somebody else.
bool sound(const Record& record, std::uint64_t room) {
  const std::uint64_t size = record.size();
  if (size < Record::kAlign || size % Record::kAlign != 0 || size > room) {
    return false;
  }
  return record.kind == Record::kPadding ||
         (record.kind <= static_cast<std::uint8_t>(Kind::binary) &&
          record.event <= static_cast<std::uint8_t>(Event::anchor));
}

}  // namespace

void Log::format() { new (&header()) LogHeader{}; }

void Log::reopen() {
  LogHeader& log = header();
  log.tail.store(log.end, std::memory_order_relaxed);
  log.announced.store(log.end, std::memory_order_relaxed);
}

std::uint64_t Log::record_size(const Draft& draft) {
  return Record::aligned(sizeof(Record) + draft.channel.size() +
                         draft.data.size() + draft.extra.size());
}

std::uint64_t Log::max_record() const {
  return std::min<std::uint64_t>(view_.geometry().log_size / 4, UINT32_MAX / 2);
}

void Log::recover(SeatSet& wakes) {
  LogHeader& log = header();
  const std::uint64_t end = log.end;
  if (log.tail.load(std::memory_order_relaxed) != end) {
    log.tail.store(end, std::memory_order_release);
    step();
  }
  if (log.announced.load(std::memory_order_relaxed) == end) {
    return;
  }
  for (SeatIndex i = 0; i < seats_.number(); i++) {
    if (seats_.taken(i)) {
      mark(view_.seat(i), log.last);
    }
  }
  add_busy(wakes);
  log.announced.store(end, std::memory_order_relaxed);
  step();
}

/// Looks at the seats only when the head it knows isn't enough. A greater head
/// is true by itself, whatever becomes of the change it is made for, and so
/// is stored without the journal (a rollback would give overwritten bytes
/// back to the readers).
bool Log::make_room(std::uint64_t size, std::uint64_t now_ms) {
  LogHeader& log = header();
  const std::uint64_t new_end = log.end + padding(size) + size;
  const std::uint64_t capacity = view_.geometry().log_size;
  const std::uint64_t head = log.head.load(std::memory_order_relaxed);
  if (new_end - head <= capacity) {
    return true;
  }
  std::uint64_t least = log.end;
  for (SeatIndex i = 0; i < seats_.number(); i++) {
    const std::uint64_t word =
        view_.seat(i).state.load(std::memory_order_acquire);
    const std::uint64_t cursor = cursor_of(word);
    if (!seats_.taken(i) || !busy(word) || cursor < head) {
      continue;
    }
    if (new_end - cursor <= capacity || !yields(i, now_ms)) {
      least = std::min(least, cursor);
    }
  }
  log.head.store(least, std::memory_order_relaxed);
  std::atomic_thread_fence(std::memory_order_release);
  step();
  return new_end - least <= capacity;
}

Position Log::append(Transaction& tx, ChannelRef ref, const Draft& draft) {
  LogHeader& log = header();
  Channel& channel = directory_.channel(ref);
  const std::uint64_t size = record_size(draft);
  const std::uint64_t pad = padding(size);
  if (pad != 0) {
    Record filler{};
    filler.data_length = static_cast<std::uint32_t>(pad);
    filler.kind = Record::kPadding;
    write(log.end, filler, {});
  }
  const std::uint64_t position = log.end + pad;
  Position made = directory_.position(ref);
  if (draft.event == Event::message) made.offset++;
  write(position,
        {.ref = ref,
         .data_length = static_cast<std::uint32_t>(draft.data.size()),
         .name_length = static_cast<std::uint16_t>(draft.channel.size()),
         .extra_length = static_cast<std::uint16_t>(draft.extra.size()),
         .kind = static_cast<std::uint8_t>(draft.kind),
         .event = static_cast<std::uint8_t>(draft.event),
         .unused = 0,
         .position = made},
        draft);
  if (draft.event == Event::message) tx.set(channel.offset, made.offset);
  tx.set(log.last, position);
  tx.set(log.end, position + size);
  return made;
}

/// Marks the seats that want the last record.
std::uint64_t Log::announce(ChannelRef ref, SeatSet& wakes) {
  LogHeader& log = header();
  log.tail.store(log.end, std::memory_order_release);
  step();
  std::uint64_t subscribers = 0;
  for (const Interest i : directory_.interests(ref)) {
    if (!seats_.live(i)) {
      continue;
    }
    subscribers += interest::count(i);
    if (mark(view_.seat(interest::seat(i)), log.last)) {
      wakes.add(interest::seat(i));
    }
  }
  log.announced.store(log.end, std::memory_order_relaxed);
  step();
  return subscribers;
}

void Log::add_busy(SeatSet& wakes) const {
  for (SeatIndex i = 0; i < seats_.number(); i++) {
    if (seats_.taken(i) &&
        busy(view_.seat(i).state.load(std::memory_order_relaxed))) {
      wakes.add(i);
    }
  }
}

Drained Log::drain(SeatIndex seat, const DrainLimit& limit, Visitor& visitor) {
  AtomicWord& word = view_.seat(seat).state;
  const LogHeader& log = header();
  const std::uint64_t found =
      word.fetch_and(~state::kMore, std::memory_order_acq_rel);
  if (!busy(found)) {
    return Drained::empty;
  }
  const std::uint64_t start = cursor_of(found);
  std::uint64_t cursor = start;
  std::size_t records = 0;
  while (true) {
    const std::uint64_t tail = log.tail.load(std::memory_order_acquire);
    for (; cursor < tail; records++) {
      if (records >= limit.records || cursor - start >= limit.bytes ||
          visitor.has_enough()) {
        word.fetch_add(cursor - start, std::memory_order_acq_rel);
        return Drained::more;
      }
      if (take(cursor, tail, visitor) == Step::overrun) {
        skip_all(word, start);
        return Drained::overrun;
      }
    }
    std::uint64_t expected = start | state::kBusy;
    if (word.compare_exchange_strong(expected, cursor,
                                     std::memory_order_acq_rel,
                                     std::memory_order_relaxed)) {
      return Drained::empty;
    }
    word.fetch_and(~state::kMore, std::memory_order_acq_rel);
  }
}

/// On from what tail is now: positions tell what was lost.
void Log::skip_all(AtomicWord& word, std::uint64_t cursor) {
  view_.header().overruns.fetch_add(1, std::memory_order_relaxed);
  word.fetch_and(~state::kMore, std::memory_order_acq_rel);
  const std::uint64_t tail = header().tail.load(std::memory_order_acquire);
  word.fetch_add(tail - cursor, std::memory_order_acq_rel);
}

std::byte* Log::at(std::uint64_t position) const {
  return view_.log() + position % view_.geometry().log_size;
}

/// What is left at the ring's end if a record of `size` doesn't fit there.
std::uint64_t Log::padding(std::uint64_t size) const {
  const std::uint64_t capacity = view_.geometry().log_size;
  const std::uint64_t left = capacity - header().end % capacity;
  return size <= left ? 0 : left;
}

/// Whether a busy seat may be overrun: its worker is dead, or stalled.
bool Log::yields(SeatIndex index, std::uint64_t now_ms) {
  if (seats_.reap(index)) {
    return true;
  }
  const std::uint64_t seen =
      view_.seat(index).last_seen.load(std::memory_order_relaxed);
  return now_ms > seen && now_ms - seen > view_.header().stall_limit_ms;
}

void Log::write(std::uint64_t position, const Record& record,
                const Draft& draft) {
  std::byte* to = at(position);
  step();
  std::memcpy(to, &record, sizeof(record));
  step();
  to += sizeof(record);
  for (const Bytes part : {draft.channel, draft.data, draft.extra}) {
    if (!part.empty()) std::memcpy(to, part.data(), part.size());
    to += part.size();
  }
  step();
}

bool Log::passed(std::uint64_t position) const {
  std::atomic_thread_fence(std::memory_order_acquire);
  return header().head.load(std::memory_order_relaxed) > position;
}

Log::Step Log::take(std::uint64_t& cursor, std::uint64_t tail,
                    Visitor& visitor) {
  const std::uint64_t capacity = view_.geometry().log_size;
  const std::byte* from = at(cursor);
  Record record;
  std::memcpy(&record, from, sizeof(record));
  if (passed(cursor) ||
      !sound(record, std::min(tail - cursor, capacity - cursor % capacity))) {
    return Step::overrun;
  }
  if (record.kind != Record::kPadding) {
    const auto* text = reinterpret_cast<const char*>(from + sizeof(record));
    const char* data = text + record.name_length;
    visitor.visit(record.ref,
                  {.channel = {text, record.name_length},
                   .position = record.position,
                   .kind = static_cast<Kind>(record.kind),
                   .data = {data, record.data_length},
                   .extra = {data + record.data_length, record.extra_length},
                   .event = static_cast<Event>(record.event)});
    if (passed(cursor)) {
      return Step::overrun;
    }
  }
  cursor += record.size();
  return Step::taken;
}

}  // namespace paperboy::broker::shm
