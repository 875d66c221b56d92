// What commands say: results on stdout, all else on stderr.
#pragma once

#include "cli/arguments.hpp"
#include "cli/interrupt.hpp"
#include "cli/outcome.hpp"

namespace paperboy::cli {

/// Appends to standard output. False: nobody takes it any more.
bool print(Bytes text);

/// Sends on what print() has kept. False: nobody takes it any more.
bool flush();

/// Sends `text` on at once. False: nobody takes it any more, or `interrupt` was
/// raised while a reader kept us waiting. REQUIRES: nothing is left to flush().
bool write_through(Bytes text, const Interrupt& interrupt);

/// One line on stderr, with the program's name.
void complain(Bytes text);

/// Says why, and gives the code to end with.
Exit fail_with(const Failure& failure);

/// done; also where a reader like head(1) has had enough. Another failure of
/// standard output is complained of.
Exit finished();

/// Whether --help stands before any "--".
[[nodiscard]] bool asks_for_help(Words words);

}  // namespace paperboy::cli
