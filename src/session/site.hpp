// What all sessions of a location have in common on their worker: in one place,
// of which each keeps the address. Outlives them.
#pragma once

#include "session/context.hpp"
#include "session/settings.hpp"

namespace paperboy::session {

/// Both must outlive it.
struct Site {
  Context& context;
  const Settings& settings;
};

}  // namespace paperboy::session
