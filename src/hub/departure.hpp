// What is noted of a client that didn't mean to leave: where it was in its
// channels, so that it is brought what it misses when it comes back and is let
// in again. For protocols whose clients can't say that themselves.
//
// A note is a publication in a channel of the user's own, kept for a short
// time, so that every worker, and over a broker every node, can find it. Who
// takes a place of a note says so by another publication, whose idempotency key
// makes it the only one. A value; nothing here is bound to a worker.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/bytes.hpp"
#include "base/history.hpp"
#include "base/position.hpp"
#include "base/publication.hpp"

namespace paperboy::hub {

struct Departure {
  /// It has the channel up to `position`, without the last `unreceived` bytes
  /// of all that it was sent: they are of its last `sent` messages.
  struct Place {
    std::string channel;  // a name
    Position position;
    std::uint64_t unreceived = 0;
    std::uint64_t sent = 0;
  };

  std::int64_t at = 0;            // seconds since 1970
  std::uint64_t fingerprint = 0;  // of what tells a user's clients apart
  std::vector<Place> places;
};

/// A place that somebody left, and what is said to take it.
struct LeftPlace {
  Departure::Place place;
  std::string key;  // idempotency key
};

/// The key of the channel in which a user's departures are noted, and of the
/// one in which they are taken; no name makes them.
[[nodiscard]] std::string left_channel(Bytes name_space, Bytes user);
[[nodiscard]] std::string taken_channel(Bytes name_space, Bytes user);

/// What is kept of a user's departures, `seconds` long.
[[nodiscard]] Retention kept_departures(std::int64_t seconds);

[[nodiscard]] std::string encode(const Departure& departure);

/// Nothing for what this build doesn't write.
[[nodiscard]] std::optional<Departure> decode_departure(Bytes text);

/// Of what is noted in `page`, what one may take who has the fingerprint, and
/// left `channel` since `since`: the place from which most is missed first. Of
/// several epochs only the one that was noted last: nobody gets on from
/// another.
[[nodiscard]] std::vector<LeftPlace> places_left(const HistoryPage& page,
                                                 std::uint64_t fingerprint,
                                                 Bytes channel,
                                                 std::int64_t since);

}  // namespace paperboy::hub
