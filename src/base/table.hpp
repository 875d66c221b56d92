// An index of what a worker has by the hundred thousand, by a key that each has
// in itself: two words an entry, and no node. Open addressing: who finds its
// place taken has the next free one.
//
// It owns nothing; what is in it must stay at its address, and keep its key.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace paperboy {

/// `Traits` says what the key is, `static Key key(const T&)`, and gives a
/// number to each, `static std::uint64_t number(const Key&)`, unlike those of
/// others.
template <typename T, typename Traits>
class Table {
 public:
  /// Null: there is none.
  template <typename Key>
  [[nodiscard]] T* find(const Key& key) const {
    if (slots_.empty()) return nullptr;
    for (std::size_t i = home(Traits::number(key));; i = next(i)) {
      T* const one = slots_[i];
      if (one == nullptr || Traits::key(*one) == key) return one;
    }
  }

  /// REQUIRES: none of its key is there. Without memory nothing has changed.
  void insert(T& one) {
    if ((size_ + 1) * 4 > slots_.size() * 3) grow();
    put(one);
    ++size_;
  }

  /// Does nothing where it isn't there.
  void erase(const T& one) {
    if (slots_.empty()) return;
    std::size_t i = home(one);
    while (slots_[i] != &one) {
      if (slots_[i] == nullptr) return;
      i = next(i);
    }
    --size_;
    slots_[i] = nullptr;
    close_up(i);
  }

  [[nodiscard]] std::size_t size() const { return size_; }

  /// `each` may neither insert nor erase.
  template <typename Each>
  void for_each(Each each) const {
    for (T* const one : slots_) {
      if (one != nullptr) each(*one);
    }
  }

 private:
  [[nodiscard]] std::size_t home(std::uint64_t number) const {
    // The upper half of the product, as a part of all places.
    const std::uint64_t spread = (number * 0x9E3779B97F4A7C15) >> 32;
    return static_cast<std::size_t>((spread * slots_.size()) >> 32);
  }
  [[nodiscard]] std::size_t home(const T& one) const {
    return home(Traits::number(Traits::key(one)));
  }
  [[nodiscard]] std::size_t next(std::size_t i) const {
    return i + 1 == slots_.size() ? 0 : i + 1;
  }

  void put(T& one) {
    std::size_t i = home(one);
    while (slots_[i] != nullptr) i = next(i);
    slots_[i] = &one;
  }

  void grow() {
    std::vector<T*> old(slots_.size() + slots_.size() / 2 + 8);
    old.swap(slots_);
    for (T* const one : old) {
      if (one != nullptr) put(*one);
    }
  }

  /// What comes behind a place that became free goes where it is found.
  void close_up(std::size_t free) {
    for (std::size_t i = next(free); slots_[i] != nullptr; i = next(i)) {
      T* const one = slots_[i];
      slots_[i] = nullptr;
      put(*one);
    }
  }

  std::vector<T*> slots_;
  std::size_t size_ = 0;
};

}  // namespace paperboy
