// A list of mostly one: its first element lies within, and memory is taken from
// the second on. For what a worker has by the hundred thousand.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <type_traits>
#include <utility>

namespace paperboy {

/// As a vector, of elements that move without throwing. Elements move when it
/// grows, and when it moves itself.
template <typename T>
class Few {
  static_assert(std::is_nothrow_move_constructible_v<T>);

 public:
  // With a union whose members aren't trivial `= default` would delete it.
  // NOLINTNEXTLINE(*-member-init,modernize-use-equals-default)
  Few() {}
  Few(Few&& other) noexcept { take(other); }
  Few& operator=(Few&& other) noexcept {
    if (this == &other) return *this;
    clear();
    take(other);
    return *this;
  }
  Few(const Few&) = delete;
  Few& operator=(const Few&) = delete;
  ~Few() { clear(); }

  [[nodiscard]] std::size_t size() const { return size_; }
  [[nodiscard]] bool empty() const { return size_ == 0; }
  [[nodiscard]] T* data() { return capacity_ == 1 ? &one_ : many_; }
  [[nodiscard]] const T* data() const { return capacity_ == 1 ? &one_ : many_; }

  [[nodiscard]] T* begin() { return data(); }
  [[nodiscard]] T* end() { return data() + size_; }
  [[nodiscard]] const T* begin() const { return data(); }
  [[nodiscard]] const T* end() const { return data() + size_; }
  T& operator[](std::size_t i) { return data()[i]; }
  const T& operator[](std::size_t i) const { return data()[i]; }
  T& back() { return data()[size_ - 1]; }

  /// Without memory nothing has changed.
  void reserve(std::size_t size) {
    if (size > capacity_) move_to(static_cast<std::uint32_t>(size));
  }
  /// The same for one more.
  void make_room() {
    if (size_ == capacity_) move_to(capacity_ + capacity_ / 2 + 1);
  }
  void push_back(T value) {
    make_room();
    std::construct_at(end(), std::move(value));
    ++size_;
  }
  void pop_back() { std::destroy_at(data() + --size_); }

 private:
  void clear() {
    std::destroy_n(data(), size_);
    if (capacity_ != 1) std::allocator<T>().deallocate(many_, capacity_);
    size_ = 0;
    capacity_ = 1;
  }

  /// REQUIRES: this is empty, with no memory of its own.
  void take(Few& other) noexcept {
    if (other.capacity_ == 1) {
      std::uninitialized_move_n(&other.one_, other.size_, &one_);
    } else {
      many_ = other.many_;
    }
    size_ = std::exchange(other.size_, 0);
    if (capacity_ = std::exchange(other.capacity_, 1); capacity_ == 1) {
      std::destroy_n(&other.one_, size_);
    }
  }

  void move_to(std::uint32_t capacity) {
    T* const to = std::allocator<T>().allocate(capacity);
    const std::uint32_t size = size_;
    std::uninitialized_move_n(data(), size, to);
    clear();
    many_ = to;
    size_ = size;
    capacity_ = capacity;
  }

  union {
    T one_;  // while there is room for one
    T* many_;
  };
  std::uint32_t size_ = 0;
  std::uint32_t capacity_ = 1;
};

}  // namespace paperboy
