// An entry of the inbox: what a back end asks for by XADD.
//
//   channel NAME data TEXT [namespace NAME] [key IDEMPOTENCY-KEY] [binary 1]
//
// in any order. The text is UTF-8, unless it is said to be binary.
#pragma once

#include <cstddef>
#include <string>

#include "base/publication.hpp"
#include "base/result.hpp"
#include "broker/redis_reply.hpp"

namespace paperboy::broker::redis {

inline constexpr std::size_t kMaxInboxData = 1024UL * 1024;  // bytes
inline constexpr std::size_t kMaxInboxChannel = 255;         // bytes of NAME

struct InboxEntry {
  std::string channel;  // its key, namespace included
  std::string data;
  std::string idempotency_key;  // empty: none was given
  Kind kind = Kind::text;
};

/// `fields`: names and values by turns. The error says what is wrong with them.
Result<InboxEntry> parse_inbox_entry(const Reply& fields);

}  // namespace paperboy::broker::redis
