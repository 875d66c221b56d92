// Where a worker keeps opaque tokens, with all others of the node: the zone
// that they share, and its lock. One a worker, where some location takes such
// tokens.
#pragma once

#include "nginx/ngx.hpp"

#include <memory>

#include "auth/opaque_table.hpp"
#include "nginx/conf.hpp"
#include "session/token_keeper.hpp"

namespace paperboy::nginx {

class OrderDesk;

class TokenDesk {
 public:
  /// All must outlive this.
  TokenDesk(hub::Hub& hub, OrderDesk& desk, const MainConf& main);

  /// Others reach the worker from now on; what can't be yet is tried again once
  /// a second.
  void listen();

  /// After a drain: has any ended?
  void look();

  /// Once a second.
  void tick();

  /// Whether it is known which there are.
  [[nodiscard]] bool known() const { return !keeper_ || keeper_->known(); }

  /// Null: no location takes any.
  [[nodiscard]] session::TokenKeeper* keeper() const { return keeper_.get(); }

 private:
  void complain();

  OrderDesk& desk_;
  std::unique_ptr<session::TokenKeeper> keeper_;
  std::uint64_t quiet_until_ = 0;  // for complaints, monotonic ms
};

/// In postconfiguration: names the zone.
ngx_int_t finish_opaque_tokens(ngx_conf_t* cf);

}  // namespace paperboy::nginx
