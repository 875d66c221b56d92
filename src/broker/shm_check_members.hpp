// The part of shm_check.hpp that walks who is in channels.
#pragma once

#include <unordered_set>

#include "broker/shm_arena.hpp"
#include "broker/shm_layout.hpp"
#include "broker/shm_members.hpp"

namespace paperboy::broker::shm {

/// The blocks that it finds are added to `reached`.
[[nodiscard]] const char* check_members(View view, const Arena& arena,
                                        const Members& members,
                                        std::unordered_set<Ref>& reached);

}  // namespace paperboy::broker::shm
