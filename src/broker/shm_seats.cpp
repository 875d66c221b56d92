#include "broker/shm_seats.hpp"

#include <unistd.h>

#include <new>

#include "broker/shm_occupancy.hpp"

namespace paperboy::broker::shm {

void Seats::format() {
  for (SeatIndex i = 0; i < number(); i++) {
    auto* seat = new (&view_.seat(i)) Seat{};
    make_robust(seat->alive);
  }
}

void Seats::reopen() {
  for (SeatIndex i = 0; i < number(); i++) make_robust(view_.seat(i).alive);
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
    vacate(seat);
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
  seat.relay.store(0, std::memory_order_relaxed);
  if (locked) {
    vacate(seat);
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
  vacate(seat);
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

void Seats::set_relay(SeatIndex index, bool relays) {
  Seat& seat = view_.seat(index);
  seat.relay.store(relays ? std::uint64_t{seat.generation} << 1 | 1 : 0,
                   std::memory_order_release);
}

std::optional<Relay> Seats::relay(SeatIndex index, std::uint64_t now_ms) const {
  const Seat& seat = view_.seat(index);
  const std::uint64_t word = seat.relay.load(std::memory_order_acquire);
  const std::uint64_t seen = seat.last_seen.load(std::memory_order_relaxed);
  const bool stalls =
      now_ms > seen && now_ms - seen > view_.header().stall_limit_ms;
  if (word == 0 || stalls || !taken(index)) return {};
  return Relay{index, static_cast<std::uint32_t>(word >> 1)};
}

bool Seats::taken(SeatIndex seat) const {
  return std::atomic_ref(view_.seat(seat).taken)
             .load(std::memory_order_relaxed) != 0;
}

SeatIndex Seats::number() const {
  return static_cast<SeatIndex>(view_.geometry().seats);
}

bool Seats::live(const MemberEntry& member) const {
  const Seat& seat = view_.seat(member.seat);
  return seat.taken != 0 && seat.generation == member.generation;
}

/// What its worker counted means nothing from here on, and whom it brought in
/// are the orphans'.
void Seats::vacate(Seat& seat) {
  seat.relay.store(0, std::memory_order_relaxed);
  step();
  Transaction tx(view_);
  tx.set(seat.taken, 0);
  Occupancy::ask_for_round(tx, view_);
  if (seat.first_member != 0) {
    Ref& orphans = view_.header().members.orphans;
    tx.set(view_.block<MemberEntry>(seat.last_member)->next, orphans);
    if (orphans != 0) {
      tx.set(view_.block<MemberEntry>(orphans)->previous, seat.last_member);
    }
    tx.set(orphans, seat.first_member);
    tx.set(seat.first_member, 0);
    tx.set(seat.last_member, 0);
  }
  tx.commit();
}

}  // namespace paperboy::broker::shm
