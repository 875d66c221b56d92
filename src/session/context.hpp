// What all sessions of a worker share. One a worker; outlives its sessions.
#pragma once

#include "base/clock.hpp"
#include "base/counters.hpp"
#include "base/wheel.hpp"
#include "hub/hub.hpp"
#include "session/codecs.hpp"
#include "session/liaisons.hpp"

namespace paperboy::session {

struct Context {
  hub::Hub& hub;
  Wheel& wheel;
  const Clock& clock;
  Counters& counters;
  Codecs& codecs;
  Liaisons& liaisons;
};

}  // namespace paperboy::session
