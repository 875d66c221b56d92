// One subscriber's place in one channel. It belongs to the subscriber (a
// session keeps it as a member), stays at one address while it is subscribed,
// and leaves its channel when it ends.
#pragma once

#include <cstdint>

#include "base/bytes.hpp"
#include "base/position.hpp"

namespace paperboy::hub {

class Groups;
class Hub;
class Subscription;
struct Channel;

/// Who is delivered to. Neither call may subscribe, unsubscribe or destroy a
/// subscriber: it comes from the midst of a fan-out. Closing is posted.
class Subscriber {
 public:
  Subscriber() = default;
  Subscriber(const Subscriber&) = delete;
  Subscriber& operator=(const Subscriber&) = delete;
  virtual ~Subscriber() = default;

  /// Where all its subscriptions are. Asked for as they end, too, so before it
  /// does.
  [[nodiscard]] virtual Hub& hub() const = 0;

  /// `run`: `count` publications, encoded one after the other by the
  /// subscription's encoder. The bytes live until the hub's `release`.
  virtual void deliver(const Subscription& to, Bytes run,
                       std::uint32_t count) = 0;

  /// Publications were lost to this worker; the next delivery comes after
  /// the hole.
  virtual void gap(const Subscription& at) = 0;
};

class Subscription {
 public:
  explicit Subscription(Subscriber& owner) : owner_(owner) {}
  Subscription(const Subscription&) = delete;
  Subscription& operator=(const Subscription&) = delete;
  ~Subscription();

  [[nodiscard]] bool active() const { return channel_ != nullptr; }

  /// The channel's name, with its namespace. REQUIRES: active().
  [[nodiscard]] Bytes channel_name() const;

  /// Of the last publication that was delivered, or where it begins; of epoch 0
  /// where that isn't known yet. REQUIRES: active(), and not held.
  [[nodiscard]] Position position() const;

 private:
  friend class Groups;
  friend class Hub;

  static constexpr std::uint32_t kHeld = UINT32_MAX;

  Subscriber& owner_;
  Channel* channel_ = nullptr;
  std::uint32_t group_ = 0;       // index in the channel's groups, or kHeld
  std::uint32_t index_ : 31 = 0;  // in the group's members, or in the held
  std::uint32_t missed_ : 1 = 0;  // a hole that it couldn't be told of
};

}  // namespace paperboy::hub
