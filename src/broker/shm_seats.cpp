#include "broker/shm_seats.hpp"

#include <unistd.h>

#include <new>

namespace paperboy::broker::shm {

void Seats::format() {
  for (SeatIndex i = 0; i < number(); i++) {
    auto* seat = new (&view_.seat(i)) Seat{};
    make_robust(seat->alive);
  }
}

// Whoever is killed in here has died with the mutex: the next one begins anew.
// What is stored without the journal means nothing until the seat is taken.
std::optional<SeatIndex> Seats::claim(std::uint64_t now_ms) {
  for (SeatIndex i = 0; i < number(); i++) {
    Seat& seat = view_.seat(i);
    if (try_robust(seat.alive) == Tried::held) {
      continue;
    }
    step();
    set_taken(seat, false);
    for (std::size_t gauge = 0; gauge < kGauges; gauge++) {
      seat.counters[gauge].store(0, std::memory_order_relaxed);
      step();
    }
    seat.last_seen.store(now_ms, std::memory_order_relaxed);
    seat.state.store(view_.header().log.end, std::memory_order_release);
    Transaction tx(view_);
    tx.set(seat.generation, seat.generation + 1);
    tx.set(seat.pid, static_cast<std::uint32_t>(getpid()));
    tx.set(seat.taken, 1);
    tx.commit();
    return i;
  }
  return std::nullopt;
}

void Seats::release(SeatIndex index, bool locked) {
  Seat& seat = view_.seat(index);
  if (locked) {
    set_taken(seat, false);
  }
  pthread_mutex_unlock(&seat.alive);
  step();
}

bool Seats::reap(SeatIndex index) {
  Seat& seat = view_.seat(index);
  if (seat.taken == 0 || try_robust(seat.alive) == Tried::held) {
    return false;
  }
  step();
  set_taken(seat, false);
  pthread_mutex_unlock(&seat.alive);
  step();
  return true;
}

bool Seats::live(Interest i) const {
  const Seat& seat = view_.seat(interest::seat(i));
  return seat.taken != 0 &&
         (seat.generation & interest::kGenerations) == interest::generation(i);
}

Interest Seats::interest_of(SeatIndex seat) const {
  return interest::make(seat, view_.seat(seat).generation, 1);
}

bool Seats::taken(SeatIndex seat) const {
  return std::atomic_ref(view_.seat(seat).taken)
             .load(std::memory_order_relaxed) != 0;
}

SeatIndex Seats::number() const {
  return static_cast<SeatIndex>(view_.geometry().seats);
}

void Seats::set_taken(Seat& seat, bool taken) {
  Transaction tx(view_);
  tx.set(seat.taken, taken ? 1 : 0);
  tx.commit();
}

}  // namespace paperboy::broker::shm
