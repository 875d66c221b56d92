#include "broker/shm_arena.hpp"

#include <algorithm>
#include <bit>
#include <cassert>

#include "broker/shm_geometry.hpp"

namespace paperboy::broker::shm {

namespace {

std::size_t class_of(std::size_t size) {
  const auto* it = std::lower_bound(kClasses.begin(), kClasses.end(), size);
  assert(it != kClasses.end());
  return static_cast<std::size_t>(it - kClasses.begin());
}

std::size_t blocks_of(std::size_t size_class) {
  return kPageSize / kClasses[size_class];
}

std::size_t first_free(const Page& page) {
  for (std::size_t i = 0; i < std::size(page.taken); i++) {
    if (~page.taken[i] != 0) {
      return i * 64 + static_cast<std::size_t>(std::countr_one(page.taken[i]));
    }
  }
  assert(false);
  return 0;
}

std::uint64_t bit(std::uint64_t block) {
  return std::uint64_t{1} << (block % 64);
}

}  // namespace

void Arena::format() {
  const auto pages = static_cast<std::uint32_t>(view_.geometry().pages);
  for (std::uint32_t i = 0; i < pages; i++) {
    view_.pages()[i] = Page{};
    view_.pages()[i].next = i + 1 < pages ? i + 2 : 0;
  }
  header() = ArenaHeader{};
  header().free_pages = pages > 0 ? 1 : 0;
  header().free_count = pages;
}

std::optional<Ref> Arena::allocate(Transaction& tx, std::size_t size, Use use) {
  const std::size_t size_class = class_of(size);
  std::uint32_t number =
      header().partial[static_cast<std::size_t>(use)][size_class];
  if (number == 0) {
    number = take_page(tx, size_class, use);
    if (number == 0) {
      return std::nullopt;
    }
  }
  Page& page = view_.pages()[number - 1];
  const std::size_t block = first_free(page);
  tx.set(page.taken[block / 64], page.taken[block / 64] | bit(block));
  tx.set(page.used, static_cast<std::uint16_t>(page.used + 1));
  tx.set(header().used_bytes, header().used_bytes + kClasses[size_class]);
  if (page.used == blocks_of(size_class)) {
    unlink(tx, number);
  }
  const std::uint64_t at = view_.geometry().arena_at +
                           std::uint64_t{number - 1} * kPageSize +
                           block * kClasses[size_class];
  return static_cast<Ref>(at / kRefUnit);
}

void Arena::release(Transaction& tx, Ref ref) {
  assert(is_taken(ref));
  const Place at = place(ref);
  const auto number = static_cast<std::uint32_t>(at.page + 1);
  Page& page = view_.pages()[at.page];
  const std::size_t size_class = page.size_class - 1U;
  const bool was_full = page.used == blocks_of(size_class);
  std::uint64_t& word = page.taken[at.block / 64];
  tx.set(word, word & ~bit(at.block));
  tx.set(page.used, static_cast<std::uint16_t>(page.used - 1));
  tx.set(header().used_bytes, header().used_bytes - kClasses[size_class]);
  if (was_full) {
    link(tx, number);
  }
  if (page.used == 0) {
    unlink(tx, number);
    give_back(tx, number);
  }
}

std::size_t Arena::block_for(std::size_t size) {
  return kClasses[class_of(size)];
}

std::size_t Arena::block_size(Ref ref) const {
  return kClasses[view_.pages()[place(ref).page].size_class - 1U];
}

bool Arena::is_taken(Ref ref) const {
  const Geometry& zone = view_.geometry();
  const std::uint64_t at = std::uint64_t{ref} * kRefUnit;
  if (at < zone.arena_at || at >= zone.arena_at + zone.pages * kPageSize) {
    return false;
  }
  const std::uint64_t inside = at - zone.arena_at;
  const Page& page = view_.pages()[inside / kPageSize];
  if (page.size_class == 0) {
    return false;
  }
  const std::uint64_t size = kClasses[page.size_class - 1U];
  const std::uint64_t block = inside % kPageSize / size;
  return inside % kPageSize % size == 0 &&
         block < blocks_of(page.size_class - 1U) &&
         (page.taken[block / 64] & bit(block)) != 0;
}

bool Arena::is_taken(Ref ref, Use use) const {
  return is_taken(ref) && view_.pages()[place(ref).page].use == use;
}

std::size_t Arena::used() const {
  return std::atomic_ref(header().used_bytes).load(std::memory_order_relaxed);
}

std::size_t Arena::free() const {
  return kPageSize *
         std::atomic_ref(header().free_count).load(std::memory_order_relaxed);
}

Arena::Place Arena::place(Ref ref) const {
  const std::uint64_t inside =
      std::uint64_t{ref} * kRefUnit - view_.geometry().arena_at;
  const Page& page = view_.pages()[inside / kPageSize];
  return {inside / kPageSize,
          inside % kPageSize / kClasses[page.size_class - 1U]};
}

/// Of its use and class.
std::uint32_t& Arena::first_partial(const Page& page) const {
  return header()
      .partial[static_cast<std::size_t>(page.use)][page.size_class - 1U];
}

/// A free page becomes the only one with room of its class. 0: there is none,
/// or none for that use.
std::uint32_t Arena::take_page(Transaction& tx, std::size_t size_class,
                               Use use) {
  const std::uint32_t number = header().free_pages;
  if (number == 0 || (use != Use::reserve &&
                      header().free_count <= reserve_pages(view_.geometry()))) {
    return 0;
  }
  Page& page = view_.pages()[number - 1];
  tx.set(header().free_pages, page.next);
  tx.set(header().free_count, header().free_count - 1);
  tx.set(page.size_class, static_cast<std::uint16_t>(size_class + 1));
  tx.set(page.use, use);
  link(tx, number);
  return number;
}

/// REQUIRES: no block of it is taken (so its bitmap is 0), and it is unlinked.
void Arena::give_back(Transaction& tx, std::uint32_t number) {
  Page& page = view_.pages()[number - 1];
  tx.set(page.size_class, 0);
  tx.set(page.next, header().free_pages);
  tx.set(header().free_pages, number);
  tx.set(header().free_count, header().free_count + 1);
}

void Arena::link(Transaction& tx, std::uint32_t number) {
  Page& page = view_.pages()[number - 1];
  std::uint32_t& first = first_partial(page);
  if (first != 0) {
    tx.set(view_.pages()[first - 1].previous, number);
  }
  tx.set(page.next, first);
  tx.set(page.previous, 0);
  tx.set(first, number);
}

void Arena::unlink(Transaction& tx, std::uint32_t number) {
  Page& page = view_.pages()[number - 1];
  if (page.next != 0) {
    tx.set(view_.pages()[page.next - 1].previous, page.previous);
  }
  if (page.previous != 0) {
    tx.set(view_.pages()[page.previous - 1].next, page.next);
  } else {
    tx.set(first_partial(page), page.next);
  }
}

}  // namespace paperboy::broker::shm
