// What all sessions of a worker share. One a worker; outlives its sessions.
#pragma once

#include <string>
#include <unordered_map>

#include "base/clock.hpp"
#include "base/counters.hpp"
#include "base/wheel.hpp"
#include "hub/hub.hpp"
#include "session/codecs.hpp"
#include "session/liaisons.hpp"

namespace paperboy::session {

class Conversation;
class Session;

struct Context {
  hub::Hub& hub;
  Wheel& wheel;
  const Clock& clock;
  Counters& counters;
  Codecs& codecs;
  Liaisons& liaisons;

  /// Of sessions whose messages show CSRF tokens: whose these are.
  std::unordered_map<const Session*, std::string> csrf_users{};

  // Who obeys a message just now, and where the replies to it are gathered.
  const Conversation* talking = nullptr;
  std::string* replies = nullptr;
};

}  // namespace paperboy::session
