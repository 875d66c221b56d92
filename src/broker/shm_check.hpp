// A walk through the whole zone that says what is wrong in it. For tests, and
// for a zone that comes out of a file: it costs as much as the zone is full.
// Nothing but the header's geometry is trusted: whatever stands in the zone,
// the walk stays inside it and comes to an end.
#pragma once

#include "broker/shm_arena.hpp"
#include "broker/shm_directory.hpp"
#include "broker/shm_layout.hpp"
#include "broker/shm_members.hpp"

namespace paperboy::broker::shm {

/// Static text, or nullptr: all is well. REQUIRES: the writer lock, after
/// Log::recover().
[[nodiscard]] const char* check(View view, const Directory& directory,
                                const Arena& arena, const Members& members);

}  // namespace paperboy::broker::shm
