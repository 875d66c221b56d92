// The port to an application that is told what clients do, and is never waited
// for. Owned by the configuration, which outlives the sessions.
#pragma once

#include <cstdint>

#include "base/bytes.hpp"
#include "base/close.hpp"
#include "session/client_id.hpp"

namespace paperboy::session {

class Hook {
 public:
  enum class Event : std::uint8_t {
    connect,     // it is let in
    disconnect,  // it was, and has left all channels
    subscribe,
    unsubscribe,  // as it disconnects, too
  };

  struct Told {
    Event event;
    ClientId client;
    Bytes user;     // empty: nobody in particular
    Bytes channel;  // of a subscription: its key (hub/key.hpp)
    Close why;      // of a disconnect
  };

  Hook() = default;
  Hook(const Hook&) = delete;
  Hook& operator=(const Hook&) = delete;
  virtual ~Hook() = default;

  [[nodiscard]] virtual bool wants(Event event) const = 0;

  /// Notes it; leads back to no session. What it is told is good for this call.
  virtual void tell(const Told& what) const noexcept = 0;
};

}  // namespace paperboy::session
