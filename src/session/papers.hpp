// Who a client is and what it may, and what else only few have: in a block of
// its own, so that who comes as nobody in particular doesn't pay for it.
//
// Owned by its session.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "auth/allowance.hpp"
#include "auth/jwt.hpp"
#include "auth/revocations.hpp"
#include "base/slab.hpp"
#include "session/liaison.hpp"

namespace paperboy::session {

/// What a back end has said of a client: no token of its commands changes that.
struct Ruling {
  std::string user;                    // empty: not who it is
  std::string info;                    // JSON; empty: nothing
  std::int64_t expires = 0;            // seconds since 1970; 0: it may stay
  std::optional<auth::Grants> grants;  // none: not what it may
  std::vector<auth::ServerSubscription> subscriptions;
  auth::Allowance limits{};
};

struct Papers : Slabbed<Papers> {
  /// Of conversations.
  struct Names {
    std::string space;
    std::string info;                        // of its token
    std::unique_ptr<const Ruling> ruling{};  // null: none
  };

  /// What a layer alone knows of.
  struct Extra {
    Extra() = default;
    Extra(const Extra&) = delete;
    Extra& operator=(const Extra&) = delete;
    virtual ~Extra() = default;
  };

  /// There is nothing in it.
  [[nodiscard]] bool empty() const {
    return user.empty() && expires == 0 && !mark.known && !grants && !names &&
           !liaison && fingerprint == 0 && !talk && !link && !framing;
  }

  std::string user;                            // empty: nobody in particular
  std::int64_t expires = 0;                    // seconds since 1970; 0: never
  auth::TokenMark mark{};                      // of its token
  std::unique_ptr<const auth::Grants> grants;  // null: no token's
  std::unique_ptr<Names> names;                // null: none
  std::unique_ptr<Liaison> liaison;            // null: no back end's
  std::uint64_t fingerprint = 0;               // of Admission's

  // Null: nothing of the kind.
  std::unique_ptr<Extra> talk;     // its Conversation's
  std::unique_ptr<Extra> link;     // its Link's
  std::unique_ptr<Extra> framing;  // what derives from that
};

}  // namespace paperboy::session
