// What a subscriber that comes back is told of what it missed.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "base/history.hpp"
#include "base/result.hpp"

namespace paperboy::hub {

struct Recovery {
  bool recovered = false;  // `publications` are all that it missed
  Position position;       // what comes after it is delivered from now on
  std::vector<Kept> publications;
};

/// Error: it can't be known now where the channel stands, or what was missed.
using RecoveryReply = std::function<void(const Result<Recovery>&)>;

/// How much one may get at once; above either nothing is recovered.
struct RecoveryLimits {
  std::uint32_t publications = HistoryQuery::kAll;
  std::uint64_t bytes = 1024UL * 1024;  // of data and extra
};

[[nodiscard]] Publication as_publication(Bytes channel, const Kept& kept);

}  // namespace paperboy::hub
