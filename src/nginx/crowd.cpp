#include "nginx/crowd.hpp"

namespace paperboy::nginx {

bool Crowd::admits(ngx_event_t& read) {
  if (left_ == 0) {
    ngx_post_event(&read, &ngx_posted_next_events);
    return false;
  }
  // The loop looks at the clock once a turn.
  if (now_ms_ != ngx_current_msec) {
    now_ms_ = ngx_current_msec;
    left_ = kPerTurn;
  }
  // Each turn more is a system call: only where many come.
  if (--left_ == 0) {
    turn_.handler = callback<on_turn>;
    turn_.data = this;
    turn_.log = const_cast<ngx_log_t*>(ngx_cycle->log);
    ngx_post_event(&turn_, &ngx_posted_next_events);
  }
  return true;
}

/// Runs before those who wait, since it was posted before them.
void Crowd::on_turn(ngx_event_t* event) {
  static_cast<Crowd*>(event->data)->left_ = kPerTurn;
}

}  // namespace paperboy::nginx
