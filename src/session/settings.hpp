// What a location's directives say about the connections it opens. Immutable;
// outlives them. Each default is stated once: here, or in dialect::Defaults.
#pragma once

#include <cstddef>
#include <cstdint>

#include "auth/csrf.hpp"
#include "auth/issuers.hpp"
#include "dialect/dialect.hpp"
#include "session/hook.hpp"
#include "session/judge.hpp"
#include "ws/negotiation.hpp"

namespace paperboy::session {

struct Settings {
  const dialect::Dialect* dialect = nullptr;

  std::size_t max_message_size = 64UL * 1024;  // bytes, from the client
  std::size_t send_buffer = 1024UL * 1024;     // bytes that wait for a client
  std::size_t max_channel_length = 255;        // bytes
  std::size_t max_subscriptions = 128;         // of a connection
  std::size_t max_history = 1000;  // publications that one answer carries

  std::uint64_t ping_interval_ms = dialect::Defaults{}.ping_interval_ms;
  std::uint64_t ping_timeout_ms = dialect::Defaults{}.ping_timeout_ms;
  std::uint64_t send_timeout_ms = 30'000;  // until a queued byte must be out
  std::uint64_t close_timeout_ms = 5'000;  // for the closing handshake

  // About when a client of a stream is to come back, once it has ended.
  std::uint64_t retry_ms = 3'000;

  bool client_publish = false;

  // Of conversations: until the client has connected, or, where it doesn't by
  // a command, until it is let in anywhere; 0: it may take forever.
  std::uint64_t connect_timeout_ms = dialect::Defaults{}.connect_timeout_ms;
  std::size_t max_commands = 256;   // in a message
  std::size_t max_bad_tokens = 16;  // in commands, in 5 seconds

  // For the tokens in commands; those of a request are checked before.
  const auth::Issuers* issuers = nullptr;    // null: no token is asked for
  const auth::TokenRules* opaque = nullptr;  // of opaque ones; null: they are
                                             // none
  bool tokens_only_admit = false;            // their expiry ends nothing

  const auth::CsrfSecret* csrf = nullptr;  // of messages; null: they show none

  const Judge* judge = nullptr;  // null: nobody else decides
  bool admits_unjudged = false;  // where it can't be asked

  const Hook* hook = nullptr;  // null: nobody is told what clients do

  // Of dialects with a back end behind them.
  enum class Authorize : std::uint8_t { edge, back_end };
  Authorize authorize = Authorize::edge;  // who checks a subscription's token
  bool notify_back_end = false;   // it hears of what is authorised at the edge
  bool unsubscribe_user = false;  // a client leaves for all of its user's
  std::int64_t return_seconds = 0;  // so long who didn't mean to leave is
                                    // brought what it misses; 0: it isn't

  ws::DeflateConfig deflate;
  std::size_t deflate_threshold = 256;  // bytes; smaller messages go as is
};

}  // namespace paperboy::session
