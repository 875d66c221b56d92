// The allocator of the zone: blocks of sixteen sizes, cut from pages of 16
// KiB. A page whose blocks are all free can be cut anew for another size, so
// that no mix of sizes of the past eats the zone up.
//
// Which blocks are taken stands in a bitmap beside the pages, never in the
// blocks: a block is written to without the journal as long as nothing refers
// to it, and one that a rollback takes back needs no repair. (Hence a rule:
// what a transaction freed, it must not allocate again.)
//
// A view without state of its own; everything under the writer lock.
#pragma once

#include <cstddef>
#include <optional>

#include "broker/shm_layout.hpp"
#include "broker/shm_lock.hpp"

namespace paperboy::broker::shm {

class Arena {
 public:
  explicit Arena(View view) : view_(view) {}

  /// The header's numbers are set: puts all pages into the free list.
  void format();

  /// A block of at least `size` bytes, contents undefined; nullopt: full, but
  /// for the reserve, unless it is to be of that.
  /// REQUIRES: size <= kMaxBlock. At most 15 stores of the transaction.
  std::optional<Ref> allocate(Transaction& tx, std::size_t size,
                              Use use = Use::any);

  /// REQUIRES: `ref` came from allocate. At most 15 stores.
  void release(Transaction& tx, Ref ref);

  /// The bytes of the block that allocate() gives for `size`.
  [[nodiscard]] static std::size_t block_for(std::size_t size);

  /// The bytes that there are in the block at `ref`.
  [[nodiscard]] std::size_t block_size(Ref ref) const;

  /// Whether `ref` is the start of a block that is taken.
  [[nodiscard]] bool is_taken(Ref ref) const;

  /// Whether it is, and was allocated for that use.
  [[nodiscard]] bool is_taken(Ref ref, Use use) const;

  [[nodiscard]] std::size_t used() const;
  [[nodiscard]] std::size_t free() const;

 private:
  struct Place {
    std::uint64_t page;
    std::uint64_t block;
  };

  [[nodiscard]] Place place(Ref ref) const;
  [[nodiscard]] ArenaHeader& header() const { return view_.header().arena; }
  [[nodiscard]] std::uint32_t& first_partial(const Page& page) const;
  std::uint32_t take_page(Transaction& tx, std::size_t size_class, Use use);
  void give_back(Transaction& tx, std::uint32_t page);
  void link(Transaction& tx, std::uint32_t page);
  void unlink(Transaction& tx, std::uint32_t page);

  View view_;
};

}  // namespace paperboy::broker::shm
