// The log: a ring to which every publication is appended once, and which each
// worker reads with a cursor of its own, without a lock.
//
//   ring    := (record | padding)*           one after the other, at positions
//   record  := Record name data extra zero*  32-byte aligned, never wrapped
//   padding := Record{kind = kPadding} ...   fills the end of the ring
//
//   head <= cursors of the busy <= tail = end      (positions only grow)
//
// A record is a publication, or an event (somebody came or went), which has the
// offset of the last publication before it. An anchor is an event whose
// transaction has set the channel's position before.
//
// Appending (under the writer lock): the bytes are written beyond `end`, where
// nobody reads; the transaction {channel's offset, last, end} is committed,
// and with it the publication is made; then `tail` says so to the readers, the
// interested seats are marked, and `announced` = end says that this was done.
// Who is killed before the commit has published nothing. Who is killed after
// it has published: the next locker finds tail or announced behind end and
// does the rest, by marking all seats (recover()).
//
// A seat's state word is its cursor with two flags, so that every meeting of
// writers and reader is one atomic operation on one word:
//
//   idle at T      (cursor T, no flag)  all up to T is read. Nobody is bound
//                  to keep anything for this seat.
//   busy at C      (kBusy)  it reads, or has been woken to read, from C on.
//   ... and more   (kBusy | kMore)  something came since it looked at tail.
//
//   writer, for each interested seat, after storing tail: idle at T <= p, its
//   record's position, becomes busy at p, and is woken; busy becomes busy and
//   more; idle beyond p has read the record already.
//   reader: clears kMore, then loads tail, reads up to it, then goes idle by
//   one compare-and-swap that fails if kMore came.
//
// Why no wake-up is lost: both sides' steps on the word are read-modify-writes
// (acquire and release), so they have one order. If the writer's comes before
// the reader's clearing, that acquires it and the load of tail sees the
// record. If it comes between clearing and going idle, that fails and the
// reader looks again. If it comes after going idle, the writer sees idle and
// wakes. No order between two different words is relied on.
//
// Why idle seats need not be waited for: only a holder of the lock turns idle
// into busy, and it has marked all seats before the next one makes room (or
// that one's recover() does). So whoever makes room and sees idle knows that
// all records there are, are read or unwanted; and a seat never is busy at
// less than head, unless it was overrun.
//
// Room is made by storing a greater `head`, before any byte is overwritten. A
// reader copies a record's header, then loads head: if it is still no greater
// than the record's position, the copy is whole; the same again after the
// visit, for the data. That is a sequence lock: writer {head, release fence,
// bytes}, reader {bytes, acquire fence, head}; a reader that saw one new byte
// sees the new head. (The bytes themselves are copied plainly; they race only
// with a reader that is being overrun, which throws away what it saw.) And the
// reader's cursor is published with release after its last look at the bytes,
// the writer loads it with acquire before it overwrites them.
//
// A view without state of its own.
#pragma once

#include <cstdint>

#include "base/result.hpp"
#include "broker/shm_directory.hpp"
#include "broker/shm_layout.hpp"
#include "broker/shm_seats.hpp"

namespace paperboy::broker::shm {

inline constexpr Error kLogFull = {
    ErrorCode::log_full, "a worker has yet to read what fills the zone's log"};

class Log {
 public:
  Log(View view, Directory directory, Seats seats)
      : view_(view), directory_(directory), seats_(seats) {}

  void format();

  /// Nobody reads: nobody has to be told of what is there.
  void reopen();

  /// The bytes that it takes in the ring.
  [[nodiscard]] static std::uint64_t record_size(const Draft& draft);

  /// The greatest record_size that append() takes.
  [[nodiscard]] std::uint64_t max_record() const;

  // Under the writer lock. What has to be woken after it is added to `wakes`.

  /// First of all after locking: completes what a killed publisher left.
  void recover(SeatSet& wakes);

  /// Makes room for a record. Never at the cost of a seat that lives and was
  /// seen less than the stall limit ago: then false.
  bool make_room(std::uint64_t size, std::uint64_t now_ms);

  /// Writes the record, and adds to the transaction what makes it published:
  /// three stores. Its position: the next one, or of an event the channel's.
  /// REQUIRES: make_room() for it since the lock was taken; draft.channel is
  /// the name of `ref`.
  Position append(Transaction& tx, ChannelRef ref, const Draft& draft);

  /// After the commit: shows it to the readers. How many subscribers it has.
  std::uint64_t announce(ChannelRef ref, SeatSet& wakes);

  /// All seats that have something to read.
  void add_busy(SeatSet& wakes) const;

  // Without the lock, by the seat's worker.

  Drained drain(SeatIndex seat, const DrainLimit& limit, Visitor& visitor);

 private:
  enum class Step : std::uint8_t { taken, overrun };

  [[nodiscard]] LogHeader& header() const { return view_.header().log; }
  [[nodiscard]] std::byte* at(std::uint64_t position) const;
  [[nodiscard]] std::uint64_t padding(std::uint64_t size) const;
  bool yields(SeatIndex seat, std::uint64_t now_ms);
  void write(std::uint64_t position, const Record& record, const Draft& draft);
  void skip_all(AtomicWord& word, std::uint64_t cursor);
  [[nodiscard]] bool passed(std::uint64_t position) const;
  Step take(std::uint64_t& cursor, std::uint64_t tail, Visitor& visitor);

  View view_;
  Directory directory_;
  Seats seats_;
};

}  // namespace paperboy::broker::shm
