// The part of shm_check.hpp that walks the idempotency keys.
#pragma once

#include <unordered_set>

#include "broker/shm_arena.hpp"
#include "broker/shm_layout.hpp"

namespace paperboy::broker::shm {

/// The blocks that it finds are added to `reached`.
[[nodiscard]] const char* check_keys(View view, const Arena& arena,
                                     std::unordered_set<Ref>& reached);

}  // namespace paperboy::broker::shm
