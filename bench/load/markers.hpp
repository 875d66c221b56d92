// The marks that a publisher leaves in a message, read by who gets it:
//
//   marks = [ "#seq:" number "#" ] [ "#ts:" number "#" ]
//
// Each sequence is one message: a frame may carry several. The numbers of a
// channel begin with 1 and have no holes.
#pragma once

#include "base.hpp"
#include "tally.hpp"

namespace paperboy::load {

/// Counts what the bytes carry, and judges its order by `last`, the highest
/// sequence that the connection has had (0: none). A number that comes after a
/// higher one was counted as missing and is now counted as reordered; the last
/// one again is a duplicate. False: there was no sequence.
bool note_marks(Bytes bytes, std::uint64_t now_ns, std::uint64_t& last,
                Tally& tally);

}  // namespace paperboy::load
