// Objects of one kind that a worker has by the hundred thousand, each under a
// number of 32 bits: half an address, for an index of all of them. They lie in
// large pages, as the blocks of a slab do (base/slab.hpp), and stay at their
// addresses.
//
// A member of whoever owns them, on one thread. What was taken once is kept for
// the next. A number is given again once its object is gone.
#pragma once

#include <array>
#include <cassert>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <type_traits>
#include <utility>
#include <vector>

#ifdef PAPERBOY_SANITIZE
#include <sanitizer/asan_interface.h>
#endif

namespace paperboy {

template <typename T>
class Pool {
 public:
  /// 0: of none.
  using Number = std::uint32_t;

  Pool() = default;
  Pool(const Pool&) = delete;
  Pool& operator=(const Pool&) = delete;
  /// REQUIRES: all were dropped.
  ~Pool() { assert(size_ == 0); }

  /// The number of a new one. Without memory nothing has changed.
  template <typename... Args>
  Number make(Args&&... args) {
    static_assert(std::is_nothrow_constructible_v<T, Args...>);
    const Number number = free_ != 0 ? take_free() : take_unused();
    std::construct_at(&block(number).one, std::forward<Args>(args)...);
    ++size_;
    return number;
  }

  void drop(Number number) {
    Block& here = block(number);
    std::destroy_at(&here.one);
    --size_;
    here.next = std::exchange(free_, number);
    forbid(here);
  }

  T& operator[](Number number) const { return block(number).one; }

 private:
  union Block {
    Block() {}   // NOLINT(modernize-use-equals-default): of a union
    ~Block() {}  // NOLINT(modernize-use-equals-default): the same

    Number next;  // of those that are free
    T one;
  };
  static constexpr std::size_t kPage = 1024;
  using Page = std::array<Block, kPage>;

  [[nodiscard]] Block& block(Number number) const {
    return (*pages_[number / kPage])[number % kPage];
  }

  Number take_free() {
    Block& here = block(free_);
    allow(here);
    return std::exchange(free_, here.next);
  }

  /// From the front of a page, so that it is touched as it fills.
  Number take_unused() {
    if (last_ + 1 >= pages_.size() * kPage) {
      pages_.push_back(std::make_unique_for_overwrite<Page>());
    }
    return ++last_;
  }

  // To the sanitizers one that was dropped is nobody's.
#ifdef PAPERBOY_SANITIZE
  static void forbid(Block& block) {
    ASAN_POISON_MEMORY_REGION(&block, sizeof(block));
  }
  static void allow(Block& block) {
    ASAN_UNPOISON_MEMORY_REGION(&block, sizeof(block));
  }
#else
  static void forbid(Block&) {}
  static void allow(Block&) {}
#endif

  std::vector<std::unique_ptr<Page>> pages_;
  Number free_ = 0;  // the first
  Number last_ = 0;  // that was taken ever
  Number size_ = 0;
};

}  // namespace paperboy
