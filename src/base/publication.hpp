// A message in a channel, as every room hands it on: borrowed bytes, valid for
// the duration of the call that carries it.
#pragma once

#include <cstdint>

#include "base/bytes.hpp"
#include "base/position.hpp"

namespace paperboy {

enum class Kind : std::uint8_t {
  text,    // valid UTF-8, checked once, when it was published
  binary,  // any bytes
};

/// What goes through a channel. Only messages have an offset of their own and
/// are kept; the others carry that of the last message before them.
enum class Event : std::uint8_t {
  message,
  passing,  // a message that whoever isn't there now need not hear of
  join,     // somebody came: the data is who, a JSON object (see member.hpp)
  leave,    // or went
  anchor,   // the channel stands at this position: what lies between it and
            // the last message, if anything does, is lost. Made by brokers,
            // published by nobody
};

struct Publication {
  Bytes channel;  // with its namespace, as the hub knows it
  Position position;
  Kind kind = Kind::text;
  Bytes data;

  /// Members of a JSON object, as text: "info":{...},"tags":{...}. Empty: none.
  /// For the dialects that have a place for them. Or an envelope
  /// (envelope.hpp).
  Bytes extra{};
  Event event = Event::message;
};

/// What a channel's rule keeps of its publications.
struct Retention {
  std::uint32_t count = 0;   // publications; 0: none is kept
  std::uint64_t bytes = 0;   // of data and extra, in all; 0: no limit
  std::uint64_t age_ms = 0;  // 0: no limit
  bool evict = true;  // where the zone is full the oldest of all channels goes;
                      // false: the publish is refused
  bool pinned = false;  // a full zone doesn't let go of it; the channel's first
                        // that is kept decides for those that follow
};

/// A publication before it has its position.
struct Draft {
  static constexpr std::size_t kMaxExtra = 65'535;        // bytes
  static constexpr std::size_t kMaxIdempotencyKey = 256;  // bytes

  Bytes channel{};  // with its namespace
  Kind kind = Kind::text;
  Event event = Event::message;
  Bytes data{};
  Bytes extra{};
  Retention keep{};

  /// One key and channel make one publication within the time: another of the
  /// same is answered with the position of the first. Empty: no key.
  Bytes idempotency_key{};
  std::uint64_t idempotency_ms = 300'000;

  // For brokers over the network; the rule's too.
  std::uint32_t replicas = 0;        // have it before it counts as published
  std::uint64_t replicas_ms = 1000;  // are waited for so long
  bool best_effort = false;  // where the broker can't be reached, it goes to
                             // this node's subscribers, as a passing message
};

}  // namespace paperboy
