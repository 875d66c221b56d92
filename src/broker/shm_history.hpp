// What channels remember: publications in the arena, each in two lists, its
// channel's and that of all, both from the oldest to the newest. The oldest of
// all is always the oldest of its channel, so that whatever has to go goes
// from the front of both. Those of a channel that pins them are in its list
// alone: nobody who needs room comes by.
//
//   kept  := KeptMessage bytes        at most one block
//   more  := (Chunk bytes)*           the rest of a long message
//
// Chunks are many blocks, and no transaction holds them all. Those of a message
// to come are built, last first, as the header's list `building`, which the
// transaction that keeps the message takes over; those of one that goes become
// the list `doomed`, freed one by one. Whoever finds chunks in either after
// locking frees them (recover()).
//
// A channel's rule comes with each publication and is noted in its annex. What
// is beyond it goes with the next publication, read, or sweep, a bounded number
// at a time; nobody is shown it meanwhile, since a reader drops it first.
//
// Time is the zone's, in milliseconds (Zone says which).
//
// A view without state of its own; everything under the writer lock.
#pragma once

#include <cstdint>
#include <string>

#include "base/publication.hpp"
#include "broker/shm_arena.hpp"
#include "broker/shm_layout.hpp"
#include "broker/shm_lock.hpp"
#include "broker/shm_order.hpp"

namespace paperboy::broker::shm {

/// The chunks of a message that is to be kept, as far as they are built.
struct Chunks {
  explicit Chunks(const Draft& draft);

  const Draft& draft;
  std::size_t number;
  std::size_t built = 0;  // the last ones
};

class History {
 public:
  History(View view, Arena arena, Order order)
      : view_(view), arena_(arena), order_(order) {}

  void format();

  /// First of all after locking: frees the chunks that a killed one left.
  void recover();

  /// What is kept of `draft` at most takes so many bytes of the arena.
  [[nodiscard]] static std::uint64_t cost(const Draft& draft);

  /// Whether `cost` more bytes are within what all may take; the reserve is
  /// beyond that.
  [[nodiscard]] bool has_room(std::uint64_t cost, Use use = Use::any) const;

  /// Whether so many more may be pinned: half of it is left to others.
  [[nodiscard]] bool may_pin(std::uint64_t cost) const;

  /// Builds all chunks that are still to be. False: the arena is full; make
  /// room and call again, or forget them with recover().
  bool build(Chunks& chunks, Use use = Use::any);

  /// Keeps `draft`, whose chunks are built, as its channel's publication of
  /// that offset. False: the arena is full, and the transaction has to be
  /// undone. At most 46 stores.
  bool keep(Transaction& tx, ChannelRef ref, const Draft& draft,
            std::uint64_t offset, std::uint64_t now, Use use = Use::any);

  /// Drops up to `most` publications that are beyond the channel's rule.
  /// False: there may be more of them.
  bool trim(ChannelRef ref, std::uint64_t now, std::size_t most);

  /// The same of all that is kept up to `offset`.
  bool forget(ChannelRef ref, std::uint64_t offset, std::size_t most);

  /// How many publications of a channel are kept.
  [[nodiscard]] std::uint64_t kept_of(ChannelRef ref) const {
    const Annex* const annex = order_.annex(ref);
    return annex != nullptr ? annex->kept : 0;
  }

  /// Of all channels, but for those that are pinned; 0: none.
  [[nodiscard]] Ref oldest() const { return header().oldest; }

  /// Whether the oldest of all is over its age.
  [[nodiscard]] bool oldest_expired(std::uint64_t now) const;

  /// Drops the channel's oldest. REQUIRES: it has one.
  void drop_first(ChannelRef ref);

  /// Drops what is over its age: the oldest of all, and then, in turn over all
  /// channels, that of at most so many buckets of them. A bounded share.
  void sweep(std::uint64_t now, std::uint64_t buckets);

  [[nodiscard]] KeptMessage& kept(Ref ref) const {
    return *view_.block<KeptMessage>(ref);
  }

  /// Copies data and extra out.
  void read(const KeptMessage& kept, std::string& data,
            std::string& extra) const;

 private:
  [[nodiscard]] HistoryHeader& header() const { return view_.header().history; }
  [[nodiscard]] bool expired(const Annex& annex, std::uint64_t now) const;
  [[nodiscard]] bool beyond_rule(const Annex& annex, std::uint64_t now) const;
  static bool is_pinned(const KeptMessage& kept) {
    return (kept.evict & KeptMessage::kPinned) != 0;
  }
  [[nodiscard]] std::uint8_t flags(const Draft& draft,
                                   const Annex& annex) const;
  void count(Transaction& tx, Ref block);
  void discount(Transaction& tx, Ref block);
  static std::uint64_t cost(std::size_t length);
  static std::uint64_t cost(const KeptMessage& kept);
  void link(Transaction& tx, Annex& annex, Ref ref);
  void note_rule(Transaction& tx, Annex& annex, const Retention& keep);
  void free_chunks(Ref& list);
  bool sweep_bucket(std::uint64_t bucket, std::uint64_t now,
                    std::size_t& drops);

  View view_;
  Arena arena_;
  Order order_;
};

}  // namespace paperboy::broker::shm
