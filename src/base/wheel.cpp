// A timer hangs in slot (due mod kSlots). What is due in a later lap is passed
// over and stays: heartbeats are shorter than a lap, so few do.
#include "base/wheel.hpp"

#include <algorithm>

namespace paperboy {

namespace {

constexpr std::uint64_t kLongestMs = std::uint64_t{24} * 24 * 3600 * 1000;

}  // namespace

void Timer::cancel() {
  if (!armed()) return;
  prev_->next_ = next_;
  next_->prev_ = prev_;
  next_ = prev_ = nullptr;
}

Wheel::Head::Head() { next_ = prev_ = this; }

Wheel::Head::~Head() { next_ = prev_ = nullptr; }

Wheel::Wheel(std::uint64_t now_ms, Due due) : due_(due), start_ms_(now_ms) {}

Wheel::~Wheel() {
  for (Head& slot : slots_) {
    while (!empty(slot)) slot.next_->cancel();
  }
}

bool Wheel::empty(const Head& head) { return head.next_ == &head; }

void Wheel::link(Head& head, Timer& timer) {
  timer.prev_ = head.prev_;
  timer.next_ = &head;
  head.prev_->next_ = &timer;
  head.prev_ = &timer;
}

std::uint32_t Wheel::tick(std::uint64_t ms) const {
  return static_cast<std::uint32_t>((ms - start_ms_) / kTickMs);
}

void Wheel::arm(Timer& timer, std::uint64_t now_ms, std::uint64_t delay_ms) {
  timer.cancel();
  const auto delay = std::min(delay_ms, kLongestMs);
  // One tick more: the present one is partly over.
  timer.due_ = tick(now_ms) + 1 +
               static_cast<std::uint32_t>((delay + kTickMs - 1) / kTickMs);
  link(slots_[timer.due_ % kSlots], timer);
  if (!next_ || timer.due_ < *next_) next_ = timer.due_;
}

void Wheel::advance(std::uint64_t now_ms) {
  const std::uint32_t now = tick(now_ms);
  if (now == done_) return;
  // After a pause longer than a lap each slot still needs one look only.
  const std::uint32_t behind =
      std::min(now - done_, static_cast<std::uint32_t>(kSlots));
  for (std::uint32_t t = now - behind + 1; t != now + 1; ++t) {
    done_ = t;
    fire(slots_[t % kSlots], now);
  }
  look_again();
}

void Wheel::fire(Head& slot, std::uint32_t now) {
  if (empty(slot)) return;
  // A list of its own: what is armed meanwhile waits for its own tick.
  Head due;
  due.next_ = slot.next_;
  due.prev_ = slot.prev_;
  due.next_->prev_ = due.prev_->next_ = &due;
  slot.next_ = slot.prev_ = &slot;
  while (!empty(due)) {
    Timer& timer = *due.next_;
    timer.cancel();
    if (static_cast<std::int32_t>(timer.due_ - now) > 0) {
      link(slot, timer);
    } else {
      due_(timer);
    }
  }
}

void Wheel::look_again() {
  next_.reset();
  for (std::uint32_t i = 1; i <= kSlots; ++i) {
    if (!empty(slots_[(done_ + i) % kSlots])) {
      next_ = done_ + i;
      return;
    }
  }
}

std::optional<std::uint64_t> Wheel::next_ms() const {
  if (!next_) return {};
  return start_ms_ + std::uint64_t{*next_} * kTickMs;
}

}  // namespace paperboy
