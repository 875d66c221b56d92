// What goes through a topic and stands in a stream: a publication with where
// it stands.
//
//   entry  := header extra data
//   header := "1" SP epoch SP offset SP sequence SP id SP ms SP kind SP event
//             SP length-of-extra LF
//   epoch  := 1 to 16 lower-case hexadecimal digits; the other numbers decimal
//   id     := of whose replication the sequence is: 16 such digits
//   ms     := of Redis's clock, since 1970
//   kind   := "t" (text) | "b" (binary)
//   event  := "m" message | "p" passing | "j" join | "l" leave
//             | "x" what was kept has been forgotten
#pragma once

#include <cstdint>
#include <optional>

#include "base/publication.hpp"

namespace paperboy::broker::redis {

struct Entry {
  Position position;
  std::uint64_t sequence = 0;  // of its bucket
  Bytes replication_id;        // under which that was noted
  std::uint64_t ms = 0;
  Kind kind = Kind::text;
  Event event = Event::message;
  bool removal = false;  // "x": then there is nothing else
  Bytes extra;           // all within what was parsed
  Bytes data;
};

/// Nothing for what isn't one; text that isn't UTF-8 isn't.
[[nodiscard]] std::optional<Entry> parse_entry(Bytes text);

}  // namespace paperboy::broker::redis
