// Lets clients that have just come in by turns, when many come at once: those
// who are here already don't wait behind thousands who each want all that they
// missed. A worker has one.
#pragma once

#include "nginx/ngx.hpp"

#include <cstdint>

namespace paperboy::nginx {

class Crowd {
 public:
  /// Until it has sent so many messages, a client has just come: these are
  /// `connect` and what it subscribes to.
  static constexpr std::uint64_t kNewMessages = 2;

  /// Whether one of them may be read from in this turn of the event loop. If
  /// not, `read` is posted for the next one, behind those that wait already.
  bool admits(ngx_event_t& read);

 private:
  /// With a hundred messages to get back each, about as many milliseconds.
  static constexpr int kPerTurn = 16;

  static void on_turn(ngx_event_t* event);

  ngx_event_t turn_{};
  int left_ = kPerTurn;
  ngx_msec_t now_ms_ = 0;
};

}  // namespace paperboy::nginx
