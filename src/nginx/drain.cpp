// There is no list of who goes when. In each step, of those who are left each
// is told with a chance of one in as many steps as are left: so all moments
// are equally likely for everybody, and in the last step all are told. It
// costs a look at the table of connections a step, and no memory; who comes or
// goes meanwhile is no special case.
#include "nginx/drain.hpp"

#include <algorithm>

#include "nginx/clients.hpp"
#include "nginx/conf.hpp"
#include "nginx/worker.hpp"

namespace paperboy::nginx {

namespace {

// Debian's unit for systemd gives nginx 5 seconds.
constexpr ngx_msec_t kDefaultTime = 3000;

constexpr ngx_msec_t kSteps = 64;
constexpr ngx_msec_t kShortestStep = 10;
constexpr ngx_msec_t kLongestStep = 100;

// The last part of the time is for clients to answer.
constexpr ngx_msec_t kAnswerShare = 5;

/// nginx's worker_shutdown_timeout; 0: none.
ngx_msec_t shutdown_timeout() {
  const auto* const core = reinterpret_cast<const ngx_core_conf_t*>(
      ngx_get_conf(ngx_cycle->conf_ctx, ngx_core_module));
  return core->shutdown_timeout;
}

}  // namespace

std::optional<ngx_msec_t> drain_time(Leave why) {
  const auto* const conf = static_cast<const MainConf*>(
      ngx_http_cycle_get_module_main_conf(ngx_cycle, ngx_http_paperboy_module));
  const bool set = conf != nullptr && conf->drain != NGX_CONF_UNSET_MSEC;
  const ngx_msec_t limit = shutdown_timeout();
  if (!set && limit == 0 && why == Leave::reload) return {};
  // Done before nginx does it for us, to all at once.
  const ngx_msec_t most = limit - limit / 10;
  if (set) return limit != 0 ? std::min(conf->drain, most) : conf->drain;
  return limit != 0 ? most : kDefaultTime;
}

Drain::Drain(Worker& worker)
    : worker_(worker), random_(std::random_device{}()) {
  event_.handler = callback<on_step>;
  event_.data = this;
  event_.log = const_cast<ngx_log_t*>(ngx_cycle->log);
}

Drain::~Drain() { forget(); }

void Drain::forget() {
  if (event_.timer_set != 0) ngx_del_timer(&event_);
  begun_ = false;
}

void Drain::begin(ngx_msec_t time) {
  const std::uint64_t now = worker_clock().monotonic_ms();
  if (!begun_ || now + time < end_ms_) {
    begun_ = true;
    end_ms_ = now + time;
    told_ms_ = end_ms_ - time / kAnswerShare;
    step_ms_ = std::clamp(time / kSteps, kShortestStep, kLongestStep);
  }
  // A connection that was on its way in may have been overlooked. The timer
  // isn't cancelable: the worker stays until it is done. Nor does it begin
  // here: nginx may be in the midst of its table of connections.
  if (event_.timer_set == 0) ngx_add_timer(&event_, 1);
}

void Drain::on_step(ngx_event_t* event) {
  static_cast<Drain*>(event->data)->step();
}

std::uint64_t Drain::steps_left(std::uint64_t now) const {
  return now < told_ms_ ? (told_ms_ - now) / step_ms_ + 1 : 1;
}

void Drain::step() {
  const Turn turn(worker_);
  const std::uint64_t now = worker_clock().monotonic_ms();
  if (now >= end_ms_) {
    worker_.dismiss_all();
    return;
  }
  const std::uint64_t left = steps_left(now);
  bool anybody = false;
  each_client([&](auto& client) {
    anybody = true;
    if (random_() % left == 0) client.shut_down();
  });
  if (anybody) ngx_add_timer(&event_, std::min(step_ms_, end_ms_ - now));
}

}  // namespace paperboy::nginx
