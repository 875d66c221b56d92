// A walk through the whole zone that says what is wrong in it. For tests, and
// for whoever suspects a zone: it costs as much as the zone is full.
#pragma once

#include "broker/shm_arena.hpp"
#include "broker/shm_directory.hpp"
#include "broker/shm_layout.hpp"
#include "broker/shm_members.hpp"

namespace paperboy::broker::shm {

/// Static text, or nullptr: all is well. REQUIRES: the writer lock, after
/// Log::recover() and History::recover().
[[nodiscard]] const char* check(View view, const Directory& directory,
                                const Arena& arena, const Members& members);

}  // namespace paperboy::broker::shm
