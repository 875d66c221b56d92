// The port that each wire protocol of clients is one file behind: the bytes of
// a message to commands, and publications and outcomes to the bytes of
// messages. A dialect knows no socket, no framing and no hub.
//
// One object a dialect and worker, without state of its own.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <variant>

#include "base/close.hpp"
#include "base/publication.hpp"
#include "base/result.hpp"
#include "dialect/commands.hpp"

namespace paperboy::dialect {

/// All of the message has been taken.
struct NeedMore {};

/// What the front of a client's message asks for.
using Decoded = std::variant<NeedMore, Publish, Send, Close, Connect, Subscribe,
                             Unsubscribe, Refresh, SubRefresh, History,
                             Presence, PresenceStats, Ping, Refused>;

/// What the client is told of a command: nothing, a message, or the end.
using Answer = std::variant<std::monostate, Message, Close>;

/// What a location's directives say where nobody said anything. Each is stated
/// once: here, or where a dialect has another.
struct Defaults {
  std::uint64_t ping_interval_ms = 25'000;
  std::uint64_t ping_timeout_ms = 10'000;
  std::uint64_t connect_timeout_ms = 5'000;  // 0: none
  bool tokens_only_admit = false;            // their expiry ends nothing
  int token_leeway_seconds = 0;
  Bytes token_issuer{};  // empty: anybody
};

class Dialect {
 public:
  Dialect() = default;
  Dialect(const Dialect&) = delete;
  Dialect& operator=(const Dialect&) = delete;
  virtual ~Dialect() = default;

  [[nodiscard]] virtual Defaults defaults() const { return {}; }

  /// What its bytes go in.
  enum class Carrier : std::uint8_t { websocket, event_stream };
  [[nodiscard]] virtual Carrier carrier() const { return Carrier::websocket; }

  /// What it makes of the channels that its location names.
  enum class LocationChannels : std::uint8_t {
    unused,    // it knows no channels, or its clients alone name them
    optional,  // it subscribes to them, and clients may to others
    needed,    // it subscribes to them, and has no other way to
  };
  [[nodiscard]] virtual LocationChannels location_channels() const {
    return LocationChannels::needed;
  }

  /// Whether its clients converse: they subscribe by commands. Those of other
  /// dialects are subscribed to the location's channels, and publish.
  [[nodiscard]] virtual bool converses() const { return false; }

  // Of conversations.

  /// Whether clients connect by a command first, with a token in it or not.
  /// Else they are connected from the upgrade on; each subscription shows a
  /// token of its own, and the first that is granted says who the client is.
  [[nodiscard]] virtual bool connects() const { return true; }

  /// Where clients don't connect: whether the tokens of later subscriptions
  /// have to be of the same user.
  [[nodiscard]] virtual bool is_one_user() const { return true; }

  /// Where clients don't connect: whether what a back end sends to a user
  /// reaches its connections, so that each has to be somebody's.
  [[nodiscard]] virtual bool hears_user() const { return false; }

  /// Whether a message may carry several replies.
  [[nodiscard]] virtual bool joins_replies() const { return true; }

  /// The subprotocol that is agreed on if it is offered, and one that stands
  /// for a form that isn't spoken here; empty: none.
  [[nodiscard]] virtual Bytes subprotocol() const { return {}; }
  [[nodiscard]] virtual Bytes foreign_subprotocol() const { return {}; }

  /// What is spoken where `subprotocol` was agreed on; null: the same.
  [[nodiscard]] virtual const Dialect* agreed() const { return nullptr; }

  /// The message that tells a client from where on it has a channel, whose
  /// name is plain; none: it isn't told so. `scratch` may carry its bytes.
  [[nodiscard]] virtual std::optional<Message> beginning(Bytes, const Position&,
                                                         std::string&) const {
    return {};
  }

  /// The message that asks for a sign of life; none: a WebSocket's ping does.
  [[nodiscard]] virtual std::optional<Message> heartbeat() const { return {}; }

  /// How it tells the end that others see as `close`.
  [[nodiscard]] virtual Close closing(const Close& close) const {
    return close;
  }

  /// Takes one command off the front of `rest`, whose bytes what is returned
  /// borrows, and empties `rest` with the last one. Called until it returns
  /// NeedMore or Close.
  [[nodiscard]] virtual Decoded decode(std::optional<Message>& rest) const = 0;

  /// The outcome of a Publish; `scratch` may carry the answer's bytes.
  [[nodiscard]] virtual Answer published(const Publish& command,
                                         const Result<Position>& outcome,
                                         std::string& scratch) const = 0;

  /// Appends the answer to a command of a conversation to `replies`, which is
  /// empty, or holds earlier ones of the same message. Nothing is appended of
  /// what the protocol has no word for: then nothing is sent.
  virtual void reply(const Outcome&, std::string&) const {}

  /// The message that carries `publication`, whose channel is a plain name;
  /// `scratch` may carry its bytes.
  [[nodiscard]] virtual Message publication(const Publication& publication,
                                            std::string& scratch) const = 0;
};

/// By the name that directives use: "native", "raw", "sse", "classic",
/// "notiflux", "echo". Null: there is none such. The object lives as long as
/// the program.
[[nodiscard]] const Dialect* find(Bytes name);

}  // namespace paperboy::dialect
