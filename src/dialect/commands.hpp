// What clients ask for, and what they are told of it, whatever the protocol.
// Commands borrow the bytes of data from the message that they came in; names
// and tokens are their own. An outcome borrows for the call that carries it.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include "base/error.hpp"
#include "base/history.hpp"
#include "base/member.hpp"
#include "base/publication.hpp"
#include "base/result.hpp"

namespace paperboy::dialect {

/// One message, either way; borrowed bytes.
struct Message {
  Kind kind = Kind::text;
  Bytes data;
};

/// The client publishes; an empty channel means those of the location.
struct Publish {
  std::uint64_t id = 0;  // of the command, where the protocol numbers them
  std::string channel;
  Message message;
};

/// The dialect answers by itself.
struct Send {
  Message message;
};

/// Where it was in a channel, as it says.
struct Place {
  std::string epoch;  // empty: whatever the channel's is
  std::uint64_t offset = 0;
};

/// Where it was in a channel that the server subscribes it to.
struct Return {
  std::string channel;
  Place place;
};

/// Who it is. The first command of a conversation.
struct Connect {
  std::uint64_t id = 0;
  std::string token;  // empty: none
  std::vector<Return> returns;
};

struct Subscribe {
  std::uint64_t id = 0;
  std::string channel;  // empty, where clients don't connect: the token's
  std::string token;    // for this channel; empty: none
  std::optional<Place>
      since;                // it was here before, and asks for what it missed
  bool join_leave = false;  // it wants to hear who comes and goes
};

struct Unsubscribe {
  std::uint64_t id = 0;
  std::string channel;
  bool all = false;  // whatever the channel
};

/// A new connection token, before the old one expires.
struct Refresh {
  std::uint64_t id = 0;
  std::string token;
};

/// A new token for a channel that it is subscribed to.
struct SubRefresh {
  std::uint64_t id = 0;
  std::string channel;
  std::string token;
};

struct History {
  std::uint64_t id = 0;
  std::string channel;
  std::optional<Place> since;
  std::uint32_t limit = 0;  // publications
  bool reverse = false;
};

/// Who is in a channel.
struct Presence {
  std::uint64_t id = 0;
  std::string channel;
};

/// And how many.
struct PresenceStats {
  std::uint64_t id = 0;
  std::string channel;
};

struct Ping {
  std::uint64_t id = 0;
};

/// A command that can't be had; once connected it is answered so.
struct Refused {
  std::uint64_t id = 0;
  ErrorCode code;
};

// Outcomes.

/// What one gets who was here before.
struct Recovered {
  bool asked = false;      // it said where it was
  bool recovered = false;  // and the publications are all that it missed
  std::vector<Kept> publications;
};

/// A time to live is in seconds; 0: it doesn't end.
struct ServerSubscription {
  std::string channel;
  Position position;
  std::string data;  // JSON; empty: none
  Recovered recovered;
};

struct Connected {
  std::uint64_t id;
  Bytes client;
  std::int64_t ttl;
  std::uint64_t ping_s;
  std::span<const ServerSubscription> subscriptions;
};

struct Subscribed {
  std::uint64_t id;
  Bytes channel;
  Position position;
  std::int64_t ttl;
  const Recovered& recovered;
};

struct Unsubscribed {
  std::uint64_t id;
};

struct Published {
  std::uint64_t id;
};

struct Refreshed {
  std::uint64_t id;
  Bytes client;
  std::int64_t ttl;
};

struct SubRefreshed {
  std::uint64_t id;
  std::int64_t ttl;
};

struct HistoryRead {
  std::uint64_t id;
  const HistoryPage& page;
};

struct PresenceRead {
  std::uint64_t id;
  std::span<const MemberRecord> members;
};

struct PresenceCounted {
  std::uint64_t id;
  paperboy::PresenceStats stats;
};

struct Pong {
  std::uint64_t id;
};

struct Failed {
  std::uint64_t id;
  ErrorCode code;
  bool again = false;  // it makes sense to ask again, whatever the code
};

/// No answer: the server ended a subscription. Codes as of the Centrifugal
/// client protocol: from 2500 on the client should subscribe again.
struct Dropped {
  Bytes channel;
  std::uint16_t code;
  Bytes reason;
};

/// The server subscribed it: it has all up to the position.
struct Entered {
  Bytes channel;
  Position position;
  Bytes data;  // JSON; empty: none
};

/// The server let it stay for that long; 0: forever.
struct Renewed {
  std::int64_t ttl;
};

using Outcome =
    std::variant<Connected, Subscribed, Unsubscribed, Published, Refreshed,
                 SubRefreshed, HistoryRead, PresenceRead, PresenceCounted, Pong,
                 Failed, Dropped, Entered, Renewed>;

}  // namespace paperboy::dialect
