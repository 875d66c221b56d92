// An index of what a worker has by the hundred thousand, by a key that each has
// in itself: an address or a number an entry, for a half more entries than
// there are, and no node. Open addressing: who finds its place taken has the
// next free one.
//
// It owns nothing; what is in it must stay where it is, and keep its key.
#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace paperboy {

/// `Ref` is what leads to each one; `Ref{}` to none. `Traits` says what the key
/// is, `Key key(Ref) const`, and gives a number to each, `static std::uint64_t
/// number(const Key&)`, unlike those of others.
template <typename Ref, typename Traits>
class Table {
 public:
  explicit Table(Traits traits = {}) : traits_(std::move(traits)) {}

  /// Of none: it isn't there.
  template <typename Key>
  [[nodiscard]] Ref find(const Key& key) const {
    if (slots_.empty()) return {};
    for (std::size_t i = home(Traits::number(key));; i = next(i)) {
      const Ref one = slots_[i];
      if (one == Ref{} || traits_.key(one) == key) return one;
    }
  }

  /// For one more: the next `insert` doesn't fail. Without memory nothing has
  /// changed.
  void make_room() {
    if ((size_ + 1) * 4 > slots_.size() * 3) grow();
  }

  /// REQUIRES: none of its key is there. Without memory nothing has changed.
  void insert(Ref one) {
    make_room();
    put(one);
    ++size_;
  }

  /// Does nothing where it isn't there.
  void erase(Ref one) {
    if (slots_.empty()) return;
    std::size_t i = home_of(one);
    while (slots_[i] != one) {
      if (slots_[i] == Ref{}) return;
      i = next(i);
    }
    --size_;
    slots_[i] = {};
    close_up(i);
  }

  [[nodiscard]] std::size_t size() const { return size_; }

  /// `each` may neither insert nor erase.
  template <typename Each>
  void for_each(Each each) const {
    for (const Ref one : slots_) {
      if (one != Ref{}) each(one);
    }
  }

 private:
  [[nodiscard]] std::size_t home(std::uint64_t number) const {
    // The upper half of the product, as a part of all places.
    const std::uint64_t spread = (number * 0x9E3779B97F4A7C15) >> 32;
    return static_cast<std::size_t>((spread * slots_.size()) >> 32);
  }
  [[nodiscard]] std::size_t home_of(Ref one) const {
    return home(Traits::number(traits_.key(one)));
  }
  [[nodiscard]] std::size_t next(std::size_t i) const {
    return i + 1 == slots_.size() ? 0 : i + 1;
  }

  void put(Ref one) {
    std::size_t i = home_of(one);
    while (slots_[i] != Ref{}) i = next(i);
    slots_[i] = one;
  }

  void grow() {
    std::vector<Ref> old(slots_.size() + slots_.size() / 2 + 8);
    old.swap(slots_);
    for (const Ref one : old) {
      if (one != Ref{}) put(one);
    }
  }

  /// What comes behind a place that became free goes where it is found.
  void close_up(std::size_t free) {
    for (std::size_t i = next(free); slots_[i] != Ref{}; i = next(i)) {
      put(std::exchange(slots_[i], Ref{}));
    }
  }

  [[no_unique_address]] Traits traits_;
  std::vector<Ref> slots_;
  std::size_t size_ = 0;
};

}  // namespace paperboy
