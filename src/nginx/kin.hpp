// What a master hands down: to its workers by fork, and to a new binary
// (USR2) by exec. These are the descriptors that wake the workers, an eventfd
// a seat; that of a zone's file, whose lock comes with it; and a board, a page
// of shared memory, whose number stands in the environment as nginx's own
// listening sockets do. The board says what the other numbers are, and there
// the new master tells the old one's workers if it doesn't share their zone.
//
// Statics of the master, which persist over reloads (the module's library
// stays mapped) and are copied by fork. In the master descriptors stay open
// over exec, since nothing tells it before one; workers close them there.
#pragma once

#include "nginx/ngx.hpp"

#include <atomic>
#include <cstddef>
#include <cstdint>

namespace paperboy::nginx {

inline constexpr std::size_t kMaxSeats = 512;

/// In a new binary, until `settle`: the file that the old master's zone is in.
/// -1: it has none, or not all that is needed to share it has come.
int parents_zone();

/// In a new binary, once, when its configuration was accepted. Not `shared`:
/// the zones are two, and the old master's workers are told.
void settle(bool shared);

/// In the master, with each configuration: makes what is missing for so many
/// seats, before the first fork (a worker can't see what the master opens
/// later), and ready for exec. `zone`: the descriptor of the zone's file, or
/// -1.
ngx_int_t hand_down(ngx_cycle_t* cycle, std::size_t seats, int zone);

/// In a worker: nothing goes on to what it may execute.
void keep_from_exec();

/// In the master's end: the old one's workers are alone again.
void take_leave();

/// The eventfd of a seat; -1: there is none.
int wakeup(std::size_t seat);

/// The new master, a pid, that took over with a zone of its own; 0: none.
/// Null: nothing was handed down.
const std::atomic<std::uint32_t>* successor();

/// In a worker, now and then: one that was killed can't say that it goes.
void look_after_successor();

}  // namespace paperboy::nginx
