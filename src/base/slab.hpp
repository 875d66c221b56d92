// Memory for what a worker has by the hundred thousand: blocks of one size,
// cut from large pages. Small blocks that live for hours would otherwise lie
// between the buffers of requests that live for milliseconds, and keep the
// heap from giving those back after a storm of handshakes.
//
// One thread's. What was taken once is kept for the next: a process holds as
// much as it had at its peak. With the sanitizers each block is the heap's own:
// in pages they would see no use of one that was given back.
#pragma once

#include <algorithm>
#include <cstddef>
#include <new>

namespace paperboy {

/// Blocks of `Size` bytes. One for a size, alignment and thread.
template <std::size_t Size, std::size_t Align = alignof(std::max_align_t)>
class Slab {
 public:
#ifdef PAPERBOY_SANITIZE
  static void* take() { return ::operator new (Size, std::align_val_t{Align}); }
  static void give(void* memory) {
    ::operator delete (memory, std::align_val_t{Align});
  }
#else
  static void* take() {
    if (free_ == nullptr) return take_unused();
    Block* const block = free_;
    free_ = block->next;
    return block;
  }

  static void give(void* memory) {
    auto* const block = static_cast<Block*>(memory);
    block->next = free_;
    free_ = block;
  }

 private:
  union Block {
    Block* next;
    alignas(Align) std::byte bytes[Size];
  };
  static constexpr std::size_t kPage = 32UL * 1024;
  static constexpr std::size_t kBlocks =
      std::max<std::size_t>(kPage / sizeof(Block), 1);

  /// Handed out from the front, so that a page is touched as it fills.
  static void* take_unused() {
    if (unused_count_ == 0) {
      unused_ = static_cast<Block*>(::operator new(kBlocks * sizeof(Block)));
      unused_count_ = kBlocks;
    }
    --unused_count_;
    return unused_++;
  }

  // NOLINTBEGIN(readability-identifier-naming): private members
  inline static thread_local Block* free_ = nullptr;    // given back
  inline static thread_local Block* unused_ = nullptr;  // never taken
  inline static thread_local std::size_t unused_count_ = 0;
  // NOLINTEND(readability-identifier-naming)
#endif
};

/// For containers whose nodes are such blocks.
template <typename T>
struct SlabAllocator {
  using value_type = T;

  SlabAllocator() = default;
  template <typename U>
  // NOLINTNEXTLINE(google-explicit-constructor): allocators convert
  SlabAllocator(const SlabAllocator<U>&) {}

  T* allocate(std::size_t) {
    return static_cast<T*>(Slab<sizeof(T), alignof(T)>::take());
  }
  void deallocate(T* block, std::size_t) {
    Slab<sizeof(T), alignof(T)>::give(block);
  }

  friend bool operator==(const SlabAllocator&, const SlabAllocator&) {
    return true;
  }
};

/// A base of what lies in such blocks when it is made by `new`.
template <typename T>
struct Slabbed {
  static void* operator new(std::size_t) {
    return Slab<sizeof(T), alignof(T)>::take();
  }
  static void operator delete(void* memory) {
    Slab<sizeof(T), alignof(T)>::give(memory);
  }
};

}  // namespace paperboy
