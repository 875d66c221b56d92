// What all sessions of a worker share. One a worker; outlives its sessions.
#pragma once

#include <memory>
#include <string>
#include <unordered_map>

#include "auth/revocations.hpp"
#include "auth/token_store.hpp"
#include "base/clock.hpp"
#include "base/counters.hpp"
#include "base/wheel.hpp"
#include "hub/hub.hpp"
#include "session/client_id.hpp"
#include "session/codecs.hpp"
#include "session/liaisons.hpp"

namespace paperboy::session {

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

  /// Of sessions that replies are for which may come when they are gone.
  std::unordered_map<const Session*, std::shared_ptr<Session*>> selves{};

  /// Of sessions without a name of their own, of which a hook is told.
  std::unordered_map<const Session*, ClientId> hook_names{};

  // Who obeys a message just now, and where the replies to it are gathered.
  const Session* talking = nullptr;
  std::string* replies = nullptr;

  ClientIds ids{};  // of conversations

  const auth::Revocations* revocations = nullptr;  // null: nothing is revoked
  auth::TokenStore* tokens = nullptr;              // null: none is opaque
};

}  // namespace paperboy::session
