// A channel's subscribers on this worker, in groups of those who take the same
// bytes. Mostly there is one subscriber, who needs no memory beside its own.
//
// A part of its channel. Subscribers note where they are in it.
#pragma once

#include <cstddef>
#include <span>

#include "base/encoder.hpp"
#include "base/position.hpp"

namespace paperboy::hub {

class Subscription;

/// A view, until the groups change.
struct Group {
  Encoder* encoder;

  /// They begin after it, while the channel's others still have what comes
  /// before to hear of; epoch 0: they are where the channel is. Of another
  /// epoch than the channel: that one is yet to come.
  Position after;

  std::span<Subscription* const> members;  // may be of nobody
};

class Groups {
 public:
  Groups() {}  // NOLINT(modernize-use-equals-default): of a union
  Groups(const Groups&) = delete;
  Groups& operator=(const Groups&) = delete;
  ~Groups();

  /// Groups of nobody count, too.
  [[nodiscard]] std::size_t size() const;
  [[nodiscard]] Group operator[](std::size_t i) const;

  class Iterator {
   public:
    Iterator(const Groups& of, std::size_t at) : of_(&of), at_(at) {}

    Group operator*() const { return (*of_)[at_]; }
    Iterator& operator++() {
      ++at_;
      return *this;
    }
    friend bool operator==(const Iterator&, const Iterator&) = default;

   private:
    const Groups* of_;
    std::size_t at_;
  };
  [[nodiscard]] Iterator begin() const { return {*this, 0}; }
  [[nodiscard]] Iterator end() const { return {*this, size()}; }

  /// There is nobody.
  [[nodiscard]] bool empty() const;

  /// Some begin after where the channel is.
  [[nodiscard]] bool has_ahead() const;

  /// For one more of those who take what `encoder` makes, and are at `after`;
  /// the next `put` of that kind doesn't fail. Without memory nobody's place
  /// has changed.
  void make_room(Encoder& encoder, const Position& after);

  /// The same of one who is there from now on. `encoder` must outlive that.
  void put(Subscription& subscription, Encoder& encoder, const Position& after);

  /// REQUIRES: it was put here. What it took.
  Encoder& take(Subscription& subscription);

  /// Those of a group that begins after where the channel was are where it is.
  /// False: there is no memory for that, and nobody's place has changed.
  bool join_others(std::size_t index) noexcept;

 private:
  struct Entry;
  struct Many;

  [[nodiscard]] bool is_one() const { return encoder_ != nullptr; }
  [[nodiscard]] bool is_none() const { return !is_one() && many_ == nullptr; }
  Many& spread();
  std::size_t place_for(Encoder& encoder, const Position& after);
  std::size_t room_for(Encoder& encoder, const Position& after);
  void shrink() noexcept;

  Encoder* encoder_ = nullptr;  // of the only one; null: there is none, or many
  union {
    Subscription* one_;
    Many* many_ = nullptr;  // owned; null: there is none
  };
};

}  // namespace paperboy::hub
