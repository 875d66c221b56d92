// What a back end orders of clients, wherever on the node they are connected.
// An order goes through the log to all workers; each obeys it for the sessions
// that it has (session.hpp). A value; nothing here is bound to a worker.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/bytes.hpp"
#include "base/position.hpp"
#include "base/publication.hpp"

namespace paperboy::hub {

struct Order {
  enum class Kind : std::uint8_t {
    disconnect,
    unsubscribe,
    subscribe,
    refresh,
    last = refresh
  };

  Kind kind = Kind::disconnect;

  // Whom it is for: who is all of that.
  std::string name_space;
  std::optional<std::string> user;  // empty: who has none
  std::string client;               // its id; empty: any

  // unsubscribe, subscribe
  std::string channel;  // a key; of unsubscribe, empty: all

  // disconnect
  std::uint16_t code = 0;
  std::string reason;
  std::vector<std::string> spared;  // ids of clients that may stay

  // subscribe, refresh. Seconds since 1970; 0: never
  std::int64_t expires = 0;
  bool expired = false;
  std::string info;  // JSON; empty: none, or as it was
  std::string data;  // JSON for the client; empty: none
  std::optional<Position> since;
};

/// The key of the channel in which orders go; no name makes it.
inline constexpr Bytes kOrders{"\0orders", 7};

/// What is kept of channels of our own, which are those whose keys begin with a
/// NUL: for workers that were too slow.
inline constexpr Retention kOwnKept{
    .count = 1000, .bytes = 256UL * 1024, .age_ms = 60'000};

[[nodiscard]] std::string encode(const Order& order);

/// Nothing for what this build doesn't write.
[[nodiscard]] std::optional<Order> decode(Bytes text);

}  // namespace paperboy::hub
