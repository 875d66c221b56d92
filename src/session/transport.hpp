// The port to what carries a session's bytes to its client: the detached
// socket of a WebSocket, later a held HTTP request. Implemented by the nginx
// room; outlives the session, on whose worker it lives.
#pragma once

#include <cstddef>

#include "base/bytes.hpp"
#include "base/error.hpp"
#include "session/warden.hpp"

namespace paperboy::session {

class Transport {
 public:
  Transport() = default;
  Transport(const Transport&) = delete;
  Transport& operator=(const Transport&) = delete;
  virtual ~Transport() = default;

  /// Queues `bytes`, which are copied.
  virtual void write(Bytes bytes) = 0;

  /// Queues `run`, whose bytes live until the worker has flushed all that its
  /// wake-up brought. Copied only where the socket is full.
  virtual void write_shared(Bytes run) = 0;

  /// What waits for the client to read, in bytes. What was queued in this
  /// turn of the loop and not yet tried doesn't count.
  [[nodiscard]] virtual std::size_t backlog() const = 0;

  /// The client has sent something that wasn't read yet.
  [[nodiscard]] virtual bool unread() const { return false; }

  /// Sends what is queued, then ends the sending half and waits for the
  /// client's end of it.
  virtual void finish() = 0;

  /// Ends the connection now, with what is queued.
  virtual void abort() = 0;

  /// For the log: something was refused to the client, which may not be told.
  virtual void note_refusal(const Error& why) = 0;

  /// For the log, too: what the operator may want to know.
  virtual void note(Bytes what) = 0;

  /// What limits the client; null: nothing does.
  [[nodiscard]] virtual Warden* warden() { return nullptr; }

  /// From here on a client of that user may so much; where there was nothing to
  /// limit it there is a warden now, and the other way round. False: there are
  /// as many connections of the user as that allows.
  [[nodiscard]] virtual bool limit(const auth::Allowance&, Bytes /*name_space*/,
                                   Bytes /*user*/) {
    return true;
  }
};

}  // namespace paperboy::session
