// The order of use of the channels, from whose old end they are evicted, and
// the annexes of those that remember something: a channel is in the one or has
// the other. So nobody looks for channels to evict among those that may not
// be, however many remember.
//
// A view without state of its own; everything under the writer lock, in the
// caller's transaction.
#pragma once

#include "broker/shm_arena.hpp"
#include "broker/shm_layout.hpp"
#include "broker/shm_lock.hpp"

namespace paperboy::broker::shm {

class Order {
 public:
  Order(View view, Arena arena) : view_(view), arena_(arena) {}

  /// Makes it the newest. REQUIRES: it is in no list and has no annex.
  void enlist(Transaction& tx, ChannelRef ref);

  /// REQUIRES: it is in the list.
  void delist(Transaction& tx, ChannelRef ref);

  /// Null: it remembers nothing.
  [[nodiscard]] Annex* annex(ChannelRef ref) const;

  /// The same, made if there is none. Null: the arena is full. REQUIRES: the
  /// transaction makes it remember something. At most 15 stores.
  Annex* need_annex(Transaction& tx, ChannelRef ref, Use use = Use::any);

  /// A number that there wasn't before. One store.
  std::uint64_t next_mark(Transaction& tx);

  /// What is kept won't go on from before. At most 2 stores.
  void renew(Transaction& tx, ChannelRef ref);

  /// For whoever made it forget something. At most 16 stores.
  void drop_empty_annex(Transaction& tx, ChannelRef ref);

 private:
  [[nodiscard]] Channel& channel(ChannelRef ref) const {
    return *view_.block<Channel>(ref);
  }

  View view_;
  Arena arena_;
};

}  // namespace paperboy::broker::shm
