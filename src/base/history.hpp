// What a channel remembers, and how it is asked: the words that the hub, the
// brokers and the dialects share. Values; nothing here is bound to a worker.
#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <vector>

#include "base/publication.hpp"

namespace paperboy {

/// Which publications are asked for.
struct HistoryQuery {
  static constexpr std::uint32_t kAll =
      std::numeric_limits<std::uint32_t>::max();

  /// Those after it, oldest first; reversed, those before it, newest first.
  /// None: from the oldest that is kept, or the newest. Its epoch may be 0: the
  /// channel's present one.
  std::optional<Position> since{};
  std::uint32_t limit = kAll;  // publications; 0: only the position
  std::uint64_t bytes = std::numeric_limits<std::uint64_t>::max();  // of data
  // and extra; what would go beyond is left out, with all after it
  bool reverse = false;

  /// An answer as of this position, or a later one, will do; none: as of now.
  std::optional<Position> until{};
};

/// A publication that is kept; its bytes are its own.
struct Kept {
  Position position;
  Kind kind = Kind::text;
  std::string data;
  std::string extra;  // see Publication
};

struct HistoryPage {
  /// Of the last publication, when the page was read. If `since` is of another
  /// epoch the page is empty.
  Position top;
  std::vector<Kept> publications;
};

/// Whether `page`, which was asked for all since `since`, holds every
/// publication from there to its top: nothing was missed but what it has.
[[nodiscard]] bool is_complete(const HistoryPage& page, const Position& since);

}  // namespace paperboy
