// Where a worker hears which tokens are revoked, and what it does about it: the
// table that all workers of the node share has it from there on, and this
// worker's clients look whether it is about them. One a worker.
#pragma once

#include "nginx/ngx.hpp"

#include "hub/revoker.hpp"
#include "nginx/conf.hpp"

namespace paperboy::nginx {

class OrderDesk;

class RevocationDesk {
 public:
  /// All must outlive this.
  RevocationDesk(hub::Hub& hub, OrderDesk& desk, const MainConf& main);

  /// They reach the worker from now on; what can't be yet is tried again by
  /// calling it once a second.
  void listen();

  /// After a drain: is anything revoked?
  void look();

  /// Once a second.
  void tick();

  /// Whether all that is revoked is in the table, what was before this node
  /// began too: until then nobody may be let in by a token.
  [[nodiscard]] bool known();

  [[nodiscard]] hub::Revoker& revoker() { return revoker_; }

  /// Null: nothing can be.
  [[nodiscard]] const auth::Revocations* all() const {
    return main_.revocations->attached() ? main_.revocations.get() : nullptr;
  }

 private:
  void take(const Revocation& revocation);
  void complain();

  OrderDesk& desk_;
  const MainConf& main_;
  hub::Revoker revoker_;
  bool any_ = false;               // taken since the clients looked
  bool lacks_ = false;             // the table had no room for one
  std::uint64_t quiet_until_ = 0;  // for complaints, monotonic ms
};

/// In postconfiguration: names the zone.
ngx_int_t finish_revocations(ngx_conf_t* cf);

}  // namespace paperboy::nginx
