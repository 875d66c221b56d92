// A timing wheel: timers by the hundred thousand, each armed, moved and
// cancelled in constant time. One a worker, driven by its event loop. A tick
// is as exact as heartbeats, idle limits and expiry need.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>

namespace paperboy {

class Wheel;

/// A timer is a base of what it times, and leaves its wheel when it dies. What
/// it does when its time has come is its wheel's to know, since all timers of a
/// wheel are of one kind: so none has to keep it.
class Timer {
 public:
  Timer() = default;
  Timer(const Timer&) = delete;
  Timer& operator=(const Timer&) = delete;

  void cancel();
  [[nodiscard]] bool armed() const { return next_ != nullptr; }

 protected:
  ~Timer() { cancel(); }

 private:
  friend class Wheel;

  Timer* next_ = nullptr;
  Timer* prev_ = nullptr;
  std::uint32_t due_ = 0;
};

class Wheel {
 public:
  static constexpr std::uint32_t kTickMs = 100;

  /// A timer's time has come; it is no longer armed. May arm or cancel any
  /// timer, this one too, but not destroy this one.
  using Due = void (*)(Timer& timer);

  Wheel(std::uint64_t now_ms, Due due);
  Wheel(const Wheel&) = delete;
  Wheel& operator=(const Wheel&) = delete;
  ~Wheel();

  /// Fires `timer` once, no earlier than `delay_ms` after `now_ms` and at most
  /// two ticks later; a timer that is armed is moved. A delay is at most 24
  /// days. `now_ms` may be ahead of the last `advance`, which a loop with
  /// nothing due leaves out.
  void arm(Timer& timer, std::uint64_t now_ms, std::uint64_t delay_ms);

  /// Fires what is due.
  void advance(std::uint64_t now_ms);

  /// `next_ms` forgets timers that were cancelled only here and in `advance`.
  void look_again();

  /// When `advance` may have something to do, on the clock of `now_ms`; none
  /// where it has not. Never later than the first timer.
  [[nodiscard]] std::optional<std::uint64_t> next_ms() const;

 private:
  // A list with a head, so that an entry leaves without knowing its list.
  struct Head final : Timer {
    Head();
    ~Head();
  };

  static constexpr std::size_t kSlots = 512;

  static void link(Head& head, Timer& timer);
  [[nodiscard]] static bool empty(const Head& head);
  [[nodiscard]] std::uint32_t tick(std::uint64_t ms) const;
  void fire(Head& slot, std::uint32_t now);

  const Due due_;
  std::uint64_t start_ms_;
  std::uint32_t done_ = 0;             // the last tick that was fired
  std::optional<std::uint32_t> next_;  // the first tick that has a timer
  std::array<Head, kSlots> slots_;
};

}  // namespace paperboy
