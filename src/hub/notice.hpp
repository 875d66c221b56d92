// What a back end says of its users: who is let in, who has to leave, and what
// somebody who was just let in may have missed. It goes through a channel of
// the node to all workers; each does it for the sessions that it has
// (session/liaisons.hpp). A value; nothing here is bound to a worker.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/bytes.hpp"
#include "base/position.hpp"

namespace paperboy::hub {

struct Notice {
  enum class Kind : std::uint8_t {
    authorized,  // the client is the user's, and may have the channel, if any
    closed,      // all of the user's clients leave the channel
    copy,        // of what was published in the channel, or to the user: for
                 // those who were let in before it, and joined after it
    last = copy
  };

  Kind kind = Kind::authorized;
  std::string name_space;
  std::string client{};   // authorized: its id
  std::string user{};     // copy: empty, of what is for a channel
  std::string channel{};  // a name; empty: none
  // copy
  Position position{};
  std::string data{};
  std::string extra{};
};

/// The key of the channel in which notices go; no name makes it.
inline constexpr Bytes kNotices{"\0\0notices", 9};

/// The key of the channel in which the user's clients hear what is sent to it.
[[nodiscard]] std::string user_channel(Bytes name_space, Bytes user);
[[nodiscard]] bool is_user_channel(Bytes key);

/// A user of so many bytes can have one.
inline constexpr std::size_t kMaxUser = 512;

[[nodiscard]] std::string encode(const Notice& notice);

/// Whether it is to be obeyed before anything that was published after it is
/// delivered: who has to leave hears no more.
[[nodiscard]] bool is_urgent(Bytes notice);

/// Nothing for what this build doesn't write.
[[nodiscard]] std::optional<Notice> decode_notice(Bytes text);

}  // namespace paperboy::hub
