#include "nginx/order_desk.hpp"

#include <algorithm>

#include "nginx/clients.hpp"
#include "nginx/worker.hpp"

namespace paperboy::nginx {

namespace {

// Slots of nginx's table that are looked at in one turn.
constexpr ngx_uint_t kShare = 4096;

constexpr std::uint64_t kQuietMs = 60'000;  // between two complaints

}  // namespace

OrderDesk::OrderDesk(Worker& worker, hub::Hub& hub)
    : worker_(worker), orders_(hub) {
  event_.handler = callback<on_step>;
  event_.data = this;
  event_.log = const_cast<ngx_log_t*>(ngx_cycle->log);
}

OrderDesk::~OrderDesk() {
  if (event_.posted != 0) {
    ngx_delete_posted_event(&event_);
  }
}

void OrderDesk::listen() {
  const auto listening = orders_.listen();
  if (!listening && !std::exchange(told_, true)) {
    const ngx_str_t why = borrow(listening.error().message);
    ngx_log_error(NGX_LOG_ALERT, ngx_cycle->log, 0,
                  "paperboy_api: orders don't reach this worker: %V", &why);
  }
  if (listening) told_ = false;
}

void OrderDesk::look() {
  if (orders_.lost()) complain();
  if (walks()) return;  // then after this walk
  if (take()) step();
}

void OrderDesk::recheck() {
  wants_recheck_ = true;
  if (walks()) return;  // then after this walk
  if (take()) step();
}

/// What the next walk is about. False: nothing.
bool OrderDesk::take() {
  rechecks_ = std::exchange(wants_recheck_, false);
  current_ = orders_.take();
  next_ = 0;
  return walks();
}

void OrderDesk::complain() {
  const std::uint64_t now = worker_clock().monotonic_ms();
  if (now < quiet_until_) return;
  quiet_until_ = now + kQuietMs;
  ngx_log_error(NGX_LOG_WARN, ngx_cycle->log, 0,
                "paperboy_api: orders may be lost to this worker: it was too "
                "slow for the log, or Redis has lost them");
}

void OrderDesk::on_step(ngx_event_t* event) {
  auto& self = *static_cast<OrderDesk*>(event->data);
  const Turn turn(self.worker_);
  self.step();
}

void OrderDesk::step() {
  const ngx_uint_t all = ngx_cycle->connection_n;
  const ngx_uint_t end = std::min(next_ + kShare, all);
  const auto obey = [this](Client& client) {
    // An order may let it in to something: that is newer.
    if (rechecks_) client.recheck();
    for (const hub::Order& order : current_) client.obey(order);
  };
  if (next_ == 0) each_held(obey);
  each_socket(next_, end, obey);
  next_ = end;
  if (end < all) {
    ngx_post_event(&event_, &ngx_posted_next_events);
    return;
  }
  if (take()) {
    ngx_post_event(&event_, &ngx_posted_next_events);
  }
}

}  // namespace paperboy::nginx
