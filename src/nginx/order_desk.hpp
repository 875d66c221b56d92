// Where a worker obeys what back ends order: it walks over its clients once for
// all orders that have come, a share of them a turn, so that many clients don't
// keep it from its other work. One a worker.
#pragma once

#include "nginx/ngx.hpp"

#include <vector>

#include "hub/orders.hpp"

namespace paperboy::nginx {

class Worker;

class OrderDesk {
 public:
  /// Both must outlive this.
  OrderDesk(Worker& worker, hub::Hub& hub);
  OrderDesk(const OrderDesk&) = delete;
  OrderDesk& operator=(const OrderDesk&) = delete;
  ~OrderDesk();

  /// Orders reach the worker from now on; what can't be yet is tried again by
  /// calling it once a second.
  void listen();

  /// After a drain: is there anything to obey?
  void look();

  /// A token was revoked: all clients are to look whether it is theirs.
  void recheck();

  [[nodiscard]] hub::Orders& orders() { return orders_; }
  [[nodiscard]] const hub::Orders& orders() const { return orders_; }

 private:
  static void on_step(ngx_event_t* event);
  void complain();
  bool take();
  [[nodiscard]] bool walks() const { return rechecks_ || !current_.empty(); }
  void step();

  Worker& worker_;
  hub::Orders orders_;
  std::vector<hub::Order> current_;  // what this walk is about; empty: none
  ngx_uint_t next_ = 0;              // slot of nginx's table of connections
  ngx_event_t event_{};
  bool told_ = false;              // that it can't listen
  bool wants_recheck_ = false;     // with the next walk
  bool rechecks_ = false;          // with this one
  std::uint64_t quiet_until_ = 0;  // for complaints, monotonic ms
};

}  // namespace paperboy::nginx
