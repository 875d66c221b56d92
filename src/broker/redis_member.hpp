// A member as the hash of its channel keeps it, in Redis.
//
//   member    := header client user conn-info chan-info
//   header    := "1" SP announced SP length SP length SP length SP length LF
//   announced := "1" its join was told to the channel | "0"
#pragma once

#include <optional>
#include <string>

#include "base/member.hpp"

namespace paperboy::broker::redis {

[[nodiscard]] std::string pack(const Member& member, bool announced);

/// Borrows from `text`. Nothing for what isn't one.
[[nodiscard]] std::optional<Member> unpack(Bytes text);

}  // namespace paperboy::broker::redis
